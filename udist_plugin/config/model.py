"""The typed configuration: immutable, and named as in distribution's file. Durations are seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern


class Log(NamedTuple):
    level: str


class Delete(NamedTuple):
    enabled: bool


class UploadPurging(NamedTuple):
    enabled: bool
    age: float
    interval: float
    dryrun: bool


class ReadOnly(NamedTuple):
    enabled: bool


class Maintenance(NamedTuple):
    uploadpurging: UploadPurging
    readonly: ReadOnly


class Storage(NamedTuple):
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


class Indexes(NamedTuple):
    platforms: str
    platformlist: tuple[Platform, ...]


class Manifests(NamedTuple):
    urls: Urls
    indexes: Indexes
    references: bool


class Validation(NamedTuple):
    """Validation is on when ``enabled`` is true or ``disabled`` is not, as distribution has it."""

    enabled: bool
    disabled: bool
    manifests: Manifests


class Http(NamedTuple):
    host: str
    prefix: str
    relativeurls: bool
    headers: Mapping[str, tuple[str, ...]]
    draintimeout: float


class Configuration(NamedTuple):
    version: str
    log: Log
    storage: Storage
    validation: Validation
    http: Http
