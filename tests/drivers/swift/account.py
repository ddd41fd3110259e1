"""A container as Swift's own client sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swiftclient import Connection

from tests.drivers.swift.server import PASSWORD, USER

if TYPE_CHECKING:
    from typing import Self


class Account:
    """The container ``name``, which is made if it is not there."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.library: Any = Connection(f"{url}/auth/v1.0", USER, PASSWORD)
        self.library.put_container(name)

    def names(self, prefix: str = "") -> list[str]:
        """Of all objects that begin with ``prefix``."""
        return [
            each["name"]
            for each in self.library.get_container(self.name, prefix=prefix, full_listing=True)[1]
        ]

    def fields(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.library.head_object(self.name, name)
        return found

    def get(self, name: str) -> bytes:
        content: bytes = self.library.get_object(self.name, name)[1]
        return content

    def put(self, name: str, content: bytes, **fields: str) -> None:
        headers = {field.replace("_", "-"): value for field, value in fields.items()}
        self.library.put_object(self.name, name, content, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()
