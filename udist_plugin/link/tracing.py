"""Who is told of the frames that go over a link. There is none unless a caller asks for a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.link.fds import Buffer
    from udist_plugin.wire.frames import Frame
    from udist_plugin.wire.framing import DataHead


class Recorder(Protocol):
    """Must neither wait nor raise. ``sent`` and ``passed`` are called within the writer's turn, ``received``
    by the reader, without the link's lock."""

    def sent(self, buffers: Sequence[Buffer], /) -> None:
        """These bytes are written next; the first frame among them begins where the last one ended."""

    def passed(self, length: int, /) -> None:
        """So many bytes of a payload are spliced next."""

    def received(self, message: DataHead | tuple[Frame, bytes | None], /) -> None:
        """A frame has come, with the payload of a data frame, or the head of one whose payload follows."""
