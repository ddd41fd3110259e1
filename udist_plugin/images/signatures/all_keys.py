"""Public keys of both kinds: cosign's, and GPG's."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from udist_plugin.images.signatures.gpg import Keyring
from udist_plugin.images.signatures.key_files import read_key_file
from udist_plugin.images.signatures.keys import PublicKey
from udist_plugin.images.signatures.verifying import Refused, by_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from udist_plugin.images.signatures.attached import Attached

_ARMOR: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"


class AllKeys:
    """The keys in the files at ``paths``. Use it as a context manager.

    Raises ``KeyInvalid``, and ``SignatureError`` if there are GPG keys and no gpg.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        files = [(path, read_key_file(path)) for path in paths]
        self._by_keys = by_keys(
            [PublicKey.parse(content, path) for path, content in files if not _is_gpg(content)]
        )
        gpg = [file for file in files if _is_gpg(file[1])]
        self._open = ExitStack()
        self._keyring = self._open.enter_context(Keyring(gpg)) if gpg else None

    def names_in(self, each: Attached, manifest: bytes) -> list[str]:
        """The names that a signature by one of the keys gives ``manifest``. Raises ``Refused``."""
        if not each.is_gpg:
            return self._by_keys(each, manifest)
        if self._keyring is None:
            raise Refused("made by a GPG key, and none was given")
        return self._keyring.names_in(each, manifest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def _is_gpg(content: bytes) -> bool:
    """Whether they are GPG's keys: armored, or packets, which begin with the highest bit (RFC 9580, 4.2)."""
    return _ARMOR in content or content[:1] >= b"\x80"
