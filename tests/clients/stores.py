"""What the Go tests are told of the stores that were started for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server


def store_line(server: S3Server) -> str:
    """A line of UDIST_TEST_STORES: a new bucket of ``server``, by the variables that a plugin is given."""
    parameters = server.parameters(server.bucket())
    return " ".join(
        ["s3", *(f"REGISTRY_STORAGE_S3_{key.upper()}={value}" for key, value in parameters.items())]
    )
