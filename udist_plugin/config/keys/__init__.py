"""The keys of distribution's configuration, version 0.1, one row each.

Here are those that every start reads. The sections in ``DEFERRED`` have a module each, a driver's in its own
room; their paths begin below the section. ``refused`` lists what is known but not supported yet. A key that
distribution added later, or that works here one day, is one more row.
"""

from __future__ import annotations

from typing import Final

from udist_plugin.config.schema import Section, plant_deferred, tree
from udist_plugin.drivers.filesystem.keys import KEYS as FILESYSTEM
from udist_plugin.keys import GUARD, NO_EFFECT, NO_LISTENER, REQUIRED, UNSUPPORTED, Key, below
from udist_plugin.kinds import (
    Anything,
    Boolean,
    Choice,
    Duration,
    Empty,
    Folder,
    Integer,
    Pattern,
    Secret,
    Text,
)

_FLAG = Boolean()
_TEXT = Text()
_ANY = Anything()
_LEVEL = Choice("error", "warn", "info", "debug")
_CACHE = Choice("inmemory", "redis", empty="")
_HOST = Text("a URL such as https://registry.example:5000", r"|https?://[^/?#\s@]+(/[^?#\s]*)?")
_BASE = Text("a URL such as https://cdn.example/registry", r"[a-z][a-z0-9+.-]*://[^/?#\s@]+(/[^?#\s]*)?")
_REDIRECT = Text("redirect, the one middleware that is supported yet", "redirect")
_FIELD_VALUE = Text("a field value on one line (RFC 9110, section 5.5)", r"[\t\x20-\x7e\x80-\xff]*")
_AGE = Duration(unit_needed=True)
_INTERVAL = Duration(unit_needed=True, positive=True)
_COUNT = Integer(0, 1 << 31)
_CONCURRENCY = Integer(0, 1 << 16)

KEYS: Final = (
    Key("version", Text("0.1", r"0\.1"), "0.1", "the format of this file"),
    Key("log.level", _LEVEL, "info", "what is logged: this level and those above it"),
    Key("log.formatter", Choice("text", "json", "logstash", empty="text"), "text", "the form of a record"),
    Key("log.fields.*", _TEXT, "", "fields added to every record"),
    Key("log.accesslog.disabled", _FLAG, True, "no line of each request; false to have them"),
    Key("log.reportcaller", _FLAG, False, "the source line in each record", UNSUPPORTED),
    Key("log.hooks", _ANY, None, "mail on errors", UNSUPPORTED),
    Key("loglevel", _LEVEL, None, "log.level by its old name"),
    *below("storage.filesystem", FILESYSTEM),
    Key("storage.inmemory", Empty(), None, "content lives as long as the process"),
    Key("storage.oss", _ANY, None, "Aliyun OSS", UNSUPPORTED),
    Key("storage.swift", _ANY, None, "OpenStack Swift", UNSUPPORTED),
    Key("storage.delete.enabled", _FLAG, True, "deletion of manifests, tags and blobs"),
    Key("storage.redirect.disable", _FLAG, False, "content through the plugin, never from the store itself"),
    Key("storage.cache.blobdescriptor", _CACHE, "", "where sizes and media types of blobs are cached"),
    Key("storage.cache.blobdescriptorsize", _COUNT, 10000, "descriptors kept in memory; 0: any number"),
    Key("storage.cache.layerinfo", _CACHE, None, "blobdescriptor by its old name"),
    Key("storage.tag.concurrencylimit", _CONCURRENCY, 0, "tags looked up at once; 0: as many as suit"),
    Key("storage.maintenance.uploadpurging.enabled", _FLAG, True, "deletion of abandoned uploads"),
    Key("storage.maintenance.uploadpurging.age", _AGE, 604800.0, "when one is abandoned"),
    Key("storage.maintenance.uploadpurging.interval", _INTERVAL, 86400.0, "time between two purges"),
    Key("storage.maintenance.uploadpurging.dryrun", _FLAG, False, "only log what would be deleted"),
    Key("storage.maintenance.readonly.enabled", _FLAG, False, "refuse everything that writes"),
    Key("middleware.storage[].name", _REDIRECT, REQUIRED, "what stands between registry and store"),
    Key("middleware.storage[].disabled", _FLAG, False, "leaves the entry out"),
    Key("middleware.storage[].options.baseurl", _BASE, REQUIRED, "where content is fetched instead"),
    Key("middleware.registry", _ANY, None, "middleware by name", UNSUPPORTED),
    Key("middleware.repository", _ANY, None, "middleware by name", UNSUPPORTED),
    Key("catalog.maxentries", Integer(-(1 << 31), 1 << 31, unset=1000), 1000, "the longest page of _catalog"),
    Key("tags.maxtags", Integer(0, 1 << 31, unset=1000), 1000, "the longest page of a repository's tags"),
    Key("http.host", _HOST, "", "the address put before every Location; none by default"),
    Key("http.prefix", Folder(), "/", "the path that /v2/ stands under"),
    Key("http.relativeurls", _FLAG, False, "Location without scheme and host, as without http.host"),
    Key(
        "http.secret", Secret(), "", "signs the state of uploads; here that never leaves the store", NO_EFFECT
    ),
    Key("http.headers.*[]", _FIELD_VALUE, None, "fields added to every response"),
    Key("http.draintimeout", Duration(), 10.0, "time for open exchanges once the caller has closed"),
    Key("http.addr", _TEXT, "", "where to listen", NO_LISTENER),
    Key("http.net", _TEXT, "", "what to listen on", NO_LISTENER),
    Key("http.debug.addr", _TEXT, "", "where a second listener listens", NO_LISTENER),
    Key("http.debug.prometheus.enabled", _FLAG, False, "metrics on the second listener", NO_LISTENER),
    Key("http.debug.prometheus.path", _TEXT, "/metrics", "their path", NO_LISTENER),
    Key("http.http2.disabled", _FLAG, False, "no HTTP/2 on the listener", NO_LISTENER),
    Key("http.h2c.enabled", _FLAG, False, "HTTP/2 without TLS on the listener", NO_LISTENER),
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
    Key("validation.manifests.references", _FLAG, None, "udist.validation.references by its old name"),
    Key("udist.referrers.tags", _FLAG, True, "tags by which stock registries find signatures and the like"),
    Key("udist.validation.references", _FLAG, True, "what a manifest refers to must exist"),
    Key("auth", _ANY, None, "access control", GUARD),
    Key("reporting", _ANY, None, "error reporting services", UNSUPPORTED),
    Key("notifications.events.includereferences", _FLAG, False, "what events hold", NO_EFFECT),
    Key("notifications.endpoints", _ANY, None, "where events are sent", UNSUPPORTED),
    Key("proxy", _ANY, None, "a pull-through cache", UNSUPPORTED),
    Key("compatibility.schema1", _ANY, None, "Docker's schema 1", UNSUPPORTED),
    Key("policy", _ANY, None, "classes of repositories", UNSUPPORTED),
)

S3AWS: Final = "storage.s3aws"

DEFERRED: Final = {
    "health": "udist_plugin.config.keys.health",
    "http.tls": "udist_plugin.config.keys.tls",
    "redis": "udist_plugin.config.keys.redis",
    "storage.azure": "udist_plugin.drivers.azure.keys",
    "storage.gcs": "udist_plugin.drivers.gcs.keys",
    "storage.s3": "udist_plugin.drivers.s3.keys",
    S3AWS: "udist_plugin.drivers.s3.keys",
    "udist.s3": "udist_plugin.drivers.s3.own_keys",
}
"""Sections and the modules whose ``KEYS`` state them, imported when something stands there. Their
``VARIABLES`` are the names that distribution knows children by in variables, its Go fields', where they are
not YAML's; their ``MODELS`` are the classes of their parts."""


def schema() -> Section:
    """The tree of all keys."""
    root = tree(KEYS)
    for path, module in DEFERRED.items():
        plant_deferred(root, path, module)
    notifications = root.children["notifications"]
    assert isinstance(notifications, Section)
    notifications.variables["EVENTCONFIG"] = "events"
    return root


def all_keys() -> list[Key]:
    """Every row, with its whole path, by path."""
    from importlib import import_module

    from udist_plugin.config.keys.refused import KEYS as REFUSED

    rows = [*KEYS, *REFUSED, Key(S3AWS, _ANY, None, "storage.s3 by its other name")]
    for path, module in DEFERRED.items():
        keys = import_module(module).KEYS if path != S3AWS else ()
        rows += below(path, keys)
    return sorted(rows, key=lambda row: row.path)
