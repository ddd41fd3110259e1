"""A file with a line of JSON for each manifest that is pushed: what it is, and what was new of it."""

from __future__ import annotations

import os
import threading

from udist_plugin.typed import TYPE_CHECKING
from udist_plugin.wrappers.notifying import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.wrappers.notifying import Occurrence


class PushReport:
    """Appends to the file ``path``. A line is written before the push is answered, in one call, so the file
    holds whole lines whatever ends this process. ``warn`` is told if one cannot be written: what was pushed
    is stored all the same. Raises ``OSError`` if the file cannot be opened.
    """

    def __init__(self, path: str, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._changing = threading.Lock()
        self._new: dict[str, int] = {}  # bytes of what was uploaded and no manifest has claimed yet
        self._sizes: dict[str, int] = {}  # of manifests, with what they refer to

    def __call__(self, occurrence: Occurrence) -> None:
        """To be told what happens; see ``NotifyingRegistry``, which has to tell the references as well."""
        if occurrence.action != "push":
            return
        with self._changing:
            if occurrence.kind == BLOBS:
                self._new[occurrence.digest] = occurrence.size
                return
            size, uploaded = self._count(occurrence)
            self._sizes[occurrence.digest] = size
            self._new[occurrence.digest] = uploaded + self._new.get(occurrence.digest, 0)  # for an index
        entry = {
            "repository": occurrence.name,
            "tag": occurrence.tag,
            "digest": occurrence.digest,
            "mediaType": occurrence.media_type,
            "size": size,
            "uploaded": uploaded,
        }
        import json  # no request before the first push needs it

        try:
            os.write(self._file, json.dumps(entry).encode() + b"\n")
        except OSError as error:
            self._warn(f"{occurrence.name}@{occurrence.digest} is missing in the report: {error.strerror}")

    def _count(self, manifest: Occurrence) -> tuple[int, int]:
        """Bytes of the manifest and all that it refers to, and how many of them were uploaded for it: what a
        manifest claims of the uploads is not new to the next one."""
        size = manifest.size
        uploaded = 0 if manifest.digest in self._sizes else size
        for digest, referred in {each.digest: each.size for each in manifest.references}.items():
            size += self._sizes.get(digest, referred)
            uploaded += self._new.pop(digest, 0)
        return size, uploaded
