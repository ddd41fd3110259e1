"""Simple signatures, which GPG makes (containers-signature(5)). The program gpg verifies them.

Each ring of keys is a folder of its own, so that neither the user's keys nor settings count.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import KeyInvalid, SignatureError
from udist_plugin.images.signatures.attached import SIZE_MAX
from udist_plugin.images.signatures.simple_signing import GPG, Claim
from udist_plugin.images.signatures.verifying import Refused, name_claimed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from udist_plugin.images.signatures.attached import Attached

PATIENCE: Final = 60
"""Seconds that gpg has for one signature or one file of keys."""

_OPTIONS: Final = (
    "--batch",
    "--no-options",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--trust-model=always",
    "--quiet",
)
_BAD: Final = {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NODATA", "FAILURE", "DECRYPTION_INFO"}


class Keyring:
    """Public keys, of files by name and content. Use it as a context manager.

    Raises ``SignatureError`` if there is no gpg, and ``KeyInvalid`` for a file without keys.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        if shutil.which("gpg") is None:
            raise SignatureError("signatures by GPG keys need the program gpg; install GnuPG")
        self._folder = tempfile.TemporaryDirectory(prefix="udist-gpg-")
        self._keys: set[str] = set()
        try:
            for source, content in files:
                status, _ = self._run(content, "--import")
                keys = {words[2] for words in status if words[0] == "IMPORT_OK"}
                if not keys:
                    raise KeyInvalid("holds no public GPG key", source)
                self._keys |= keys
        except Refused as error:
            self._folder.cleanup()
            raise KeyInvalid(str(error), source) from None
        except BaseException:
            self._folder.cleanup()
            raise

    def names_in(self, each: Attached, manifest: bytes) -> list[str]:
        """The name that a signature by one of the keys gives ``manifest``. Raises ``Refused``."""
        status, payload = self._run(each.content, "--decrypt", f"--max-output={SIZE_MAX}")
        kinds = [words[0] for words in status]
        signers = [words[-1] for words in status if words[0] == "VALIDSIG"]
        once = [kinds.count(kind) for kind in ("PLAINTEXT", "GOODSIG", "VALIDSIG")] == [1, 1, 1]
        good = once and not _BAD & {*kinds}
        if not good or signers[0] not in self._keys:
            raise Refused("not made by the key, or changed since, or the key has expired")
        return [name_claimed(Claim.parse(payload, GPG), manifest)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def _run(self, content: bytes, *words: str) -> tuple[list[list[str]], bytes]:
        """gpg's lines of status, in words, and its output."""
        with tempfile.TemporaryFile() as status:
            command = ["gpg", f"--homedir={self._folder.name}", f"--status-fd={status.fileno()}"]
            try:
                done = subprocess.run(  # noqa: S603 - no word of it is from outside
                    [*command, *_OPTIONS, *words],
                    input=content,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[status.fileno()],
                    timeout=PATIENCE,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Refused(f"gpg took longer than {PATIENCE} s") from None
            status.seek(0)
            return _status_of(status.read()), done.stdout


def _status_of(output: bytes) -> list[list[str]]:
    """The words of each line of status. Whoever makes a message chooses the file name in it, of which gpg
    escapes only ASCII's line ends and spaces: nothing else may end a line or a word here."""
    split = (line.decode(errors="replace").split(" ") for line in output.split(b"\n"))
    return [words[1:] for words in split if words[0] == "[GNUPG:]" and words[1:]]
