"""Standard input as a file to push."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.errors import ArtifactError
from udist_plugin.images.placing import copy, named

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def spooled() -> Iterator[str]:
    """The path of a temporary file with all of standard input: a push needs the digest before the content."""
    if sys.stdin is None:
        raise ArtifactError("is closed", path="standard input")
    with named(tempfile.gettempdir()), tempfile.NamedTemporaryFile(prefix="udist-") as file:
        copy(sys.stdin.buffer, file)
        file.flush()
        yield file.name
