"""Where the signatures of a registry's images are, beside the registry or in it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from udist_plugin.errors import SignatureError
from udist_plugin.images.placing import place_file
from udist_plugin.images.signatures.lookaside import fetch_lookaside, find_lookaside, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.images.signatures.attached import Attached
    from udist_plugin.oci.digest import Digest


class SignatureStorage(NamedTuple):
    """What registries.d says of an image: the URLs below which its repository's signatures are read and
    written, empty for none, and whether the registry has signatures, too, if that is said."""

    lookaside: str = ""
    staging: str = ""
    attachments: bool | None = None

    def find(self, digest: Digest) -> Iterator[Attached]:
        """The signatures of a manifest beside the registry. Raises ``SignatureError``."""
        return find_lookaside(self.lookaside, digest) if self.lookaside else iter(())

    def files(self, digest: Digest) -> list[bytes]:
        """The same, byte for byte."""
        return [content for _, content in fetch_lookaside(self.lookaside, digest)] if self.lookaside else []

    def add(self, digest: Digest, signatures: Sequence[bytes]) -> None:
        """Writes those of ``signatures`` that are not there. Raises ``SignatureError`` where one cannot
        write, and ``OSError``."""
        parts = urlsplit(self.staging)
        if parts.scheme != "file":
            raise SignatureError(
                "signatures are written to files; set lookaside-staging to a file: URL in registries.d",
                self.staging or str(digest),
            )
        there = [content for _, content in fetch_lookaside(self.staging, digest)]
        folder = unquote(urlsplit(folder_of(self.staging, digest)).path)
        new = [content for content in signatures if content not in there]
        for number, content in enumerate(new, len(there) + 1):
            os.makedirs(folder, exist_ok=True)
            place_file(io.BytesIO(content), os.path.join(folder, f"signature-{number}"), overwrite=False)

    def check_attachments(self, image: str) -> None:
        """Raises ``SignatureError`` if signatures must not be written to the registry."""
        if self.attachments is False:
            raise SignatureError(
                "registries.d says use-sigstore-attachments: false; set it to true to sign here", image
            )
