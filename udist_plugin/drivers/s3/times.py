"""How the SDK reads times: its own way takes four fifths of what a list of a thousand objects does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.drivers.s3.client import parse_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from udist_plugin.drivers.s3.client import CoreSession


def read_times(core: CoreSession) -> None:
    """Has all clients of ``core`` read ISO 8601 by Python's own parser, and the rest as botocore does."""
    from datetime import datetime

    def read(value: Any) -> datetime:
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:  # a field's time (RFC 9110, section 5.6.7)
            return parse_timestamp(value)
        return found if found.tzinfo is not None else parse_timestamp(value)

    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=read)
