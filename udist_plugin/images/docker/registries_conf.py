"""``registries.conf``, version 2: mirrors, other locations, and registries that are insecure or blocked
(containers-registries.conf(5), as containers/image 5.42 reads it)."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.errors import ConfigurationError
from udist_plugin.images.docker.drop_ins import FOLDERS, drop_ins, user_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from udist_plugin.images.references import Named

_DIGEST_ONLY: Final = "digest-only"
_TAG_ONLY: Final = "tag-only"
_PULLS: Final = ("all", _DIGEST_ONLY, _TAG_ONLY)


class Endpoint(NamedTuple):
    """Where an image may be: a name with its host, and whether that needs no TLS. ``pull`` says which
    references are looked for there."""

    location: str
    insecure: bool = False
    pull: str = "all"


class Entry(NamedTuple):
    """What a file says of the names that begin with ``prefix``."""

    prefix: str
    primary: Endpoint
    mirrors: tuple[Endpoint, ...]
    blocked: bool
    path: str

    def covers(self, name: str) -> bool:
        """Whether ``name``, which has its host, begins with the prefix, part by part."""
        if self.prefix.startswith("*."):
            return _host_of(name).endswith(self.prefix[1:])
        return name.startswith(self.prefix) and name[len(self.prefix) :][:1] in ("", "/", ":", "@")

    def endpoints(self, named: Named) -> Iterator[Endpoint]:
        """Where to look for an image, in order: the mirrors, then the entry's own location."""
        other = _TAG_ONLY if named.digest else _DIGEST_ONLY
        for endpoint in (*self.mirrors, self.primary):
            if endpoint.pull != other:
                yield endpoint._replace(location=self._rewritten(endpoint.location, str(named)))

    def _rewritten(self, location: str, name: str) -> str:
        if not location:
            return name
        covered = _host_of(name) if self.prefix.startswith("*.") else self.prefix
        return location + name[len(covered) :]  # a port behind the prefix stays behind the location


def _host_of(name: str) -> str:
    """Without the port."""
    return name.partition("/")[0].partition(":")[0]


class RegistriesConf:
    """The entries of all files."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.prefix: entry for entry in entries}  # the last of a prefix counts

    def find(self, named: Named) -> Entry | None:
        """The entry with the longest prefix; of two that are as long, the one with the wildcard."""
        fitting = [entry for entry in self._entries.values() if entry.covers(str(named))]
        return max(
            fitting, key=lambda entry: (len(entry.prefix), entry.prefix.startswith("*.")), default=None
        )


def load_registries_conf(environ: Mapping[str, str]) -> RegistriesConf:
    """What the files say that ``environ`` leads to. Raises ``ConfigurationError``."""
    entries: list[Entry] = []
    for path in _files(environ):
        try:
            with open(path, "rb") as file:
                document = tomllib.load(file)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"cannot be read: {error}", source=path) from None
        entries += _Reading(path).entries(document)
    return RegistriesConf(entries)


def _files(environ: Mapping[str, str]) -> Iterator[str]:
    """The main file; then the drop-ins in the order of their names, of which the user's hide the system's;
    then the override."""
    if only := environ.get("CONTAINERS_REGISTRIES_CONF"):
        yield only
    else:
        folders = [*user_folders(environ), *FOLDERS]
        mains = (os.path.join(folder, "registries.conf") for folder in folders)
        yield from [path for path in mains if os.path.exists(path)][:1]
        yield from drop_ins((os.path.join(folder, "registries.conf.d") for folder in folders), ".conf")
    if last := environ.get("CONTAINERS_REGISTRIES_CONF_OVERRIDE"):
        yield last


def _conflict(one: Entry, other: Entry) -> bool:
    same = (one.primary.location or one.prefix) == (other.primary.location or other.prefix)
    return same and (one.primary.insecure, one.blocked) != (other.primary.insecure, other.blocked)


class _Reading:
    """One file, and what is wrong with it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def entries(self, document: dict[str, Any]) -> list[Entry]:
        if document.get("registries"):
            raise self._wrong(
                "registries", "version 1 of the format; expected [[registry]] with prefix and location"
            )
        found: list[Entry] = []
        for number, table in enumerate(self._tables(document, "registry")):
            entry = self._entry(table, f"registry[{number}]")
            if any(_conflict(entry, each) for each in found):
                raise self._wrong(
                    f"registry[{number}]", "insecure or blocked differs from another of this location"
                )
            if entry.prefix not in {each.prefix for each in found}:  # within a file, the first counts
                found.append(entry)
        return found

    def _entry(self, table: dict[str, Any], where: str) -> Entry:
        location = self._location(table, "location", where)
        prefix = self._location(table, "prefix", where) or location
        if prefix.startswith("*."):
            if "/" in prefix or ":" in prefix:
                raise self._wrong(
                    f"{where}.prefix", "a wildcard stands for hosts: *.example.com, without port and path"
                )
        elif not location:
            raise self._wrong(where, "expected a location")
        if table.get("pull-from-mirror"):
            raise self._wrong(
                f"{where}.pull-from-mirror", "is for mirrors; expected it in [[registry.mirror]]"
            )
        insecure = self._flag(table, "insecure", where)
        by_digest = self._flag(table, "mirror-by-digest-only", where)
        mirrors = []
        for number, mirror in enumerate(self._tables(table, "mirror")):
            place = f"{where}.mirror[{number}]"
            if by_digest and mirror.get("pull-from-mirror"):
                raise self._wrong(
                    f"{place}.pull-from-mirror", "expected either this or mirror-by-digest-only"
                )
            pull = mirror.get("pull-from-mirror") or (_DIGEST_ONLY if by_digest else "all")
            if pull not in _PULLS:
                raise self._wrong(f"{place}.pull-from-mirror", f"expected one of {', '.join(_PULLS)}")
            address = self._location(mirror, "location", place)
            if not address:
                raise self._wrong(place, "expected a location")
            mirrors.append(Endpoint(address, self._flag(mirror, "insecure", place), pull))
        blocked = self._flag(table, "blocked", where)
        return Entry(prefix, Endpoint(location, insecure), tuple(mirrors), blocked, self._path)

    def _tables(self, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._wrong(key, f"expected tables [[{key}]]")
        return found

    def _location(self, table: dict[str, Any], key: str, where: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or "://" in value:
            raise self._wrong(f"{where}.{key}", "expected HOST[:PORT][/PATH], without a scheme")
        return value.rstrip("/")

    def _flag(self, table: dict[str, Any], key: str, where: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(f"{where}.{key}", "expected true or false")
        return value

    def _wrong(self, key: str, problem: str) -> ConfigurationError:
        return ConfigurationError(problem, key=key, source=self._path)
