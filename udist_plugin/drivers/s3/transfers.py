"""An object of S3 on its way out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.objects.content import ResumedContent
from udist_plugin.drivers.s3.answer import Answer
from udist_plugin.drivers.s3.client import FAILURES, NAME

if TYPE_CHECKING:
    from collections.abc import Callable

SPLICED: Final = 1 << 20
"""Bytes from which on it pays to let the kernel move them, which costs a connection."""


class S3Content(ResumedContent[Answer]):
    """See ``ResumedContent``."""

    name = NAME
    failures = FAILURES

    def __init__(
        self, key: str, start: int, size: int, answer: Answer, again: Callable[[int], Answer], *, plain: bool
    ) -> None:
        """``plain`` says that the bytes come through a socket as they are."""
        super().__init__(key, start, size, answer, again)
        self.spliceable = plain and sys.platform == "linux" and size >= SPLICED

    def splice(self, pipe: int, size: int) -> int:
        return self._move(lambda size: self._answer.splice(pipe, size), size)
