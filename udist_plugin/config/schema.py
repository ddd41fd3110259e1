"""Every key of distribution's configuration, version 0.1, one row each, and the tree the rows make.

A path names a key as in YAML; ``[]`` behind a name stands for the entries of a list, ``*`` for any name. A
key that distribution added later, or that works here one day, is one more row.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.config.kinds import Anything, Boolean, Choice, Duration, Empty, Integer, Kind, Pattern, Text

if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(Enum):
    WORKS = "works"
    NO_EFFECT = "no effect"
    """Accepted and named once in the log: there is nothing here for it to act on."""
    UNSUPPORTED = "not supported yet"
    """An error, unless the value asks for nothing: the default, ``enabled: false``, ``disabled: true``."""


WORKS, NO_EFFECT, UNSUPPORTED = Status


class Key(NamedTuple):
    """A row: where, of what type, worth what when absent, for what."""

    path: str
    kind: Kind
    default: object
    effect: str
    status: Status = WORKS


class Section:
    """A mapping with known names; ``variables`` gives the names variables know its children by."""

    __slots__ = ("children", "variables")

    def __init__(self) -> None:
        self.children: dict[str, SchemaNode] = {}
        self.variables: dict[str, str] = {}


class Entries:
    """A mapping with names of the user's choice."""

    __slots__ = ("item",)

    def __init__(self, item: SchemaNode) -> None:
        self.item = item


class Listing:
    """A list."""

    __slots__ = ("item",)

    def __init__(self, item: SchemaNode) -> None:
        self.item = item


SchemaNode = Section | Entries | Listing | Key

VERSION = "0.1"
_FLAG = Boolean()
_TEXT = Text()
_ANY = Anything()
_LEVEL = Choice("error", "warn", "info", "debug")
_FOLDER = Text("the path of a folder", r"[^\0]+")
_PREFIX = Text("a path that begins and ends with /, such as /registry/", r"/|/[!$&-;=@-Z_a-z~%]+/")
_HOST = Text("a URL such as https://registry.example:5000", r"|https?://[^/?#\s@]+(/[^?#\s]*)?")
_FIELD_VALUE = Text("a field value on one line (RFC 9110, section 5.5)", r"[\t\x20-\x7e\x80-\xff]*")

KEYS = (
    Key("version", Text(VERSION, r"0\.1"), VERSION, "the format of this file"),
    Key("log.level", _LEVEL, "info", "what is logged: this level and those above it"),
    Key("log.formatter", Choice("text", "json", "logstash"), "text", "the form of a record", UNSUPPORTED),
    Key("log.fields", _ANY, None, "fields added to every record", UNSUPPORTED),
    Key("log.accesslog", _ANY, None, "a record of each request", UNSUPPORTED),
    Key("log.reportcaller", _FLAG, False, "the source line in each record", UNSUPPORTED),
    Key("log.hooks", _ANY, None, "mail on errors", UNSUPPORTED),
    Key("loglevel", _LEVEL, None, "log.level by its old name"),
    Key(
        "storage.filesystem.rootdirectory", _FOLDER, None, "the folder; by default in the user's data folder"
    ),
    Key(
        "storage.filesystem.maxthreads", Integer(0, 1 << 20), 100, "a limit that streams set here", NO_EFFECT
    ),
    Key("storage.inmemory", Empty(), None, "content lives as long as the process"),
    Key("storage.azure", _ANY, None, "Azure Blob Storage", UNSUPPORTED),
    Key("storage.gcs", _ANY, None, "Google Cloud Storage", UNSUPPORTED),
    Key("storage.s3", _ANY, None, "Amazon S3 and its like", UNSUPPORTED),
    Key("storage.oss", _ANY, None, "Aliyun OSS", UNSUPPORTED),
    Key("storage.swift", _ANY, None, "OpenStack Swift", UNSUPPORTED),
    Key("storage.delete.enabled", _FLAG, True, "deletion of manifests, tags and blobs"),
    Key(
        "storage.redirect.disable",
        _FLAG,
        False,
        "no redirects to the store; no driver here makes any",
        NO_EFFECT,
    ),
    Key("storage.cache", _ANY, None, "a cache of descriptors", UNSUPPORTED),
    Key("storage.tag", _ANY, None, "tags looked up at once", UNSUPPORTED),
    Key("storage.maintenance.uploadpurging.enabled", _FLAG, True, "deletion of abandoned uploads"),
    Key(
        "storage.maintenance.uploadpurging.age", Duration(unit_needed=True), 604800.0, "when one is abandoned"
    ),
    Key(
        "storage.maintenance.uploadpurging.interval",
        Duration(unit_needed=True, positive=True),
        86400.0,
        "time between two purges",
    ),
    Key("storage.maintenance.uploadpurging.dryrun", _FLAG, False, "only log what would be deleted"),
    Key("storage.maintenance.readonly.enabled", _FLAG, False, "refuse everything that writes"),
    Key("http.host", _HOST, "", "the address put before every Location; none by default"),
    Key("http.prefix", _PREFIX, "/", "the path that /v2/ stands under"),
    Key("http.relativeurls", _FLAG, False, "Location without scheme and host, as without http.host"),
    Key("http.secret", _TEXT, "", "signs the state of uploads; here that never leaves the store", NO_EFFECT),
    Key("http.headers.*[]", _FIELD_VALUE, None, "fields added to every response"),
    Key("http.draintimeout", Duration(), 10.0, "time for open exchanges once the caller has closed"),
    Key("http.addr", _ANY, None, "where to listen", NO_EFFECT),
    Key("http.net", _ANY, None, "what to listen on", NO_EFFECT),
    Key("http.tls", _ANY, None, "certificates of the listener", NO_EFFECT),
    Key("http.debug", _ANY, None, "a second listener", NO_EFFECT),
    Key("http.http2", _ANY, None, "HTTP/2 on the listener", NO_EFFECT),
    Key("http.h2c", _ANY, None, "HTTP/2 without TLS on the listener", NO_EFFECT),
    Key("validation.enabled", _FLAG, False, "the older opposite of validation.disabled; false says nothing"),
    Key("validation.disabled", _FLAG, False, "no validation of manifests beyond their form"),
    Key("validation.manifests.urls.allow[]", Pattern(), None, "URLs of layers must match one"),
    Key("validation.manifests.urls.deny[]", Pattern(), None, "URLs of layers must match none"),
    Key(
        "validation.manifests.indexes.platforms",
        Choice("all", "none", "list"),
        "all",
        "whose images must exist",
    ),
    Key("validation.manifests.indexes.platformlist[].architecture", _TEXT, "", "with platforms: list"),
    Key("validation.manifests.indexes.platformlist[].os", _TEXT, "", "with platforms: list"),
    Key("validation.manifests.references", _FLAG, True, "udist's own: what a manifest refers to must exist"),
    Key("auth", _ANY, None, "access control", UNSUPPORTED),
    Key("middleware", _ANY, None, "middleware by name", UNSUPPORTED),
    Key("reporting", _ANY, None, "error reporting services", UNSUPPORTED),
    Key("notifications.events", _ANY, None, "what events hold", UNSUPPORTED),
    Key("notifications.endpoints", _ANY, None, "where events are sent", UNSUPPORTED),
    Key("redis", _ANY, None, "a Redis server", UNSUPPORTED),
    Key("health.storagedriver", _ANY, None, "checks of the store", UNSUPPORTED),
    Key("health.file", _ANY, None, "checks of files", UNSUPPORTED),
    Key("health.http", _ANY, None, "checks of URLs", UNSUPPORTED),
    Key("health.tcp", _ANY, None, "checks of addresses", UNSUPPORTED),
    Key(
        "catalog.maxentries", Integer(-(1 << 31), 1 << 31), 1000, "the longest page of _catalog", UNSUPPORTED
    ),
    Key("proxy", _ANY, None, "a pull-through cache", UNSUPPORTED),
    Key("compatibility.schema1", _ANY, None, "Docker's schema 1", UNSUPPORTED),
    Key("policy", _ANY, None, "classes of repositories", UNSUPPORTED),
)

VARIABLE_NAMES = {
    "health.file": "FILECHECKERS",
    "health.http": "HTTPCHECKERS",
    "health.tcp": "TCPCHECKERS",
    "notifications.events": "EVENTCONFIG",
}
"""Where distribution knows a key in variables by its Go field's name, which is not YAML's. Both work here."""

STORAGE_SETTINGS = frozenset({"cache", "delete", "maintenance", "redirect", "tag"})
"""What stands under ``storage`` and is no driver."""


def tree(keys: Iterable[Key] = KEYS) -> Section:
    """The rows as a tree."""
    root = Section()
    for key in keys:
        _plant(root, key.path.split("."), key, "")
    return root


def _plant(section: Section, names: list[str], key: Key, above: str) -> None:
    name, below = names[0].removesuffix("[]"), names[1:]
    path = f"{above}{name}"
    existing = section.children.get(name)
    child: SchemaNode
    if names[0].endswith("[]"):
        child = Listing(_grown(existing.item if isinstance(existing, Listing) else None, below, key, path))
    elif below and below[0].removesuffix("[]") == "*":
        child = Entries(Listing(key) if below[0] == "*[]" else key)
    else:
        child = _grown(existing, below, key, path)
    section.children[name] = child
    section.variables[name.upper()] = name
    if path in VARIABLE_NAMES:
        section.variables[VARIABLE_NAMES[path]] = name


def _grown(node: SchemaNode | None, below: list[str], key: Key, path: str) -> SchemaNode:
    if not below:
        return Section() if isinstance(key.kind, Empty) else key
    section = node if isinstance(node, Section) else Section()
    _plant(section, below, key, f"{path}.")
    return section
