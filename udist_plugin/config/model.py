"""The typed configuration: immutable, and named as in distribution's file. Durations are seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern


@dataclass_transform(frozen_default=True)
class Part:
    """A part of the configuration: immutable, its values in the order of their annotations.

    Neither a named tuple nor a dataclass, because making a dozen of those is felt in every start.
    """

    def __init__(self, *values: object) -> None:
        self.__dict__.update(zip(self.__annotations__, values, strict=True))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a configuration does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"


class Log(Part):
    level: str


class Delete(Part):
    enabled: bool


class UploadPurging(Part):
    enabled: bool
    age: float
    interval: float
    dryrun: bool


class ReadOnly(Part):
    enabled: bool


class Maintenance(Part):
    uploadpurging: UploadPurging
    readonly: ReadOnly


class Storage(Part):
    """``driver`` names the one chosen, ``parameters`` are what stands under its name."""

    driver: str
    parameters: Mapping[str, object]
    delete: Delete
    maintenance: Maintenance


class Urls(NamedTuple):
    allow: tuple[Pattern[str], ...]
    deny: tuple[Pattern[str], ...]


class Platform(NamedTuple):
    architecture: str
    os: str


class Indexes(Part):
    platforms: str
    platformlist: tuple[Platform, ...]


class Manifests(Part):
    urls: Urls
    indexes: Indexes
    references: bool


class Validation(Part):
    """Validation is on when ``enabled`` is true or ``disabled`` is not, as distribution has it."""

    enabled: bool
    disabled: bool
    manifests: Manifests


class Http(Part):
    host: str
    prefix: str
    relativeurls: bool
    headers: Mapping[str, tuple[str, ...]]
    draintimeout: float


class Configuration(Part):
    version: str
    log: Log
    storage: Storage
    validation: Validation
    http: Http
