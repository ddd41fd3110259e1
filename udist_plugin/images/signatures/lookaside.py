"""Signatures that stand beside a registry, not in it (containers/image's signature-protocols.md)."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn

from udist_plugin.errors import SignatureError
from udist_plugin.images.signatures.attached import ALL_SIZES_MAX, SIZE_MAX, Attached
from udist_plugin.images.strict_json import Unexpected, parse
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

COUNT_MAX: Final = 128
"""Signatures read of one image, as in containers/image."""
PATIENCE: Final = 30
"""Seconds that a server has to answer, and then to send a signature."""

_SIGSTORE: Final = b"\0sigstore-json\n"
_SIMPLE: Final = b"\0simple-signing\n"
"""What a file begins with; a GPG signature may also stand there alone."""


def find_lookaside(base: str, digest: Digest) -> Iterator[Attached]:
    """The signatures at ``base`` of the manifest with ``digest``.

    ``base`` is a ``file:``, ``http:`` or ``https:`` URL that ends in the path of the repository, such as
    ``file:///var/lib/containers/sigstore/team/app``. Raises ``SignatureError`` if they cannot be read.
    """
    return (signature_file(url, content) for url, content in fetch_lookaside(base, digest))


def fetch_lookaside(base: str, digest: Digest) -> Iterator[tuple[str, bytes]]:
    """The URL and the bytes of each of them."""
    left = ALL_SIZES_MAX
    for number in range(1, COUNT_MAX + 2):
        url = f"{folder_of(base, digest)}/signature-{number}"
        try:
            content = _fetch(url)
        except ValueError:
            _fail(url, "is no URL that can be read")
        if content is None:
            return
        left -= len(content)
        if number > COUNT_MAX or left < 0:
            _fail(base, f"there are more than {COUNT_MAX} signatures, or {ALL_SIZES_MAX >> 20} MiB of them")
        yield url, content


def folder_of(base: str, digest: Digest) -> str:
    """The URL of the folder with a manifest's signatures."""
    return f"{base}@{digest.algorithm}={digest.hex}"


def signature_file(place: str, content: bytes) -> Attached:
    """What a file of a lookaside, or of a folder that containers/image has written, holds."""
    if len(content) > SIZE_MAX:
        return Attached(place, problem=f"larger than {SIZE_MAX >> 20} MiB")
    if content.startswith(_SIGSTORE):
        try:
            return _sigstore(place, content.removeprefix(_SIGSTORE))
        except Unexpected as error:
            return Attached(place, problem=str(error))
    if content.startswith(b"\0") and not content.startswith(_SIMPLE):
        return Attached(place, problem="a signature of an unknown format")
    return Attached(place, content=content.removeprefix(_SIMPLE))


def _sigstore(place: str, content: bytes) -> Attached:
    document = parse(content)
    payload = document.member("payload").data()
    annotations = {key: text.text() for key, text in document.member("annotations").members().items()}
    media_type = document.member("mimeType").text()
    layer = Descriptor(media_type, Digest.of(payload), len(payload), annotations=annotations)
    return Attached(place, layer, payload)


def _fetch(url: str) -> bytes | None:
    """What is at ``url``, up to a byte more than a signature may have; ``None`` if there is nothing."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        return _get(url)
    if parts.scheme != "file":
        _fail(url, "expected a file:, http: or https: URL")
    try:
        with open(unquote(parts.path), "rb") as file:
            return file.read(SIZE_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        _fail(url, str(error.strerror))


def _get(url: str) -> bytes | None:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - its scheme was looked at
            return _read(answer)
    except HTTPError as error:
        with error:
            if error.code == 404:
                return None
            _fail(url, f"the server answered {error.code} {error.reason}")
    except (OSError, HTTPException) as error:
        _fail(url, f"cannot be read: {error}")


def _read(answer: HTTPResponse) -> bytes:
    """Each piece may take the time of a socket's timeout, all together no more than that."""
    ends = monotonic() + PATIENCE
    content = b""
    while len(content) <= SIZE_MAX and (piece := answer.read1(SIZE_MAX + 1 - len(content))):
        content += piece
        if monotonic() > ends:
            raise TimeoutError(f"it took longer than {PATIENCE} s")
    return content


def _fail(url: str, problem: str) -> NoReturn:
    raise SignatureError(problem, url)
