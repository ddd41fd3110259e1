"""The keys of distribution's configuration, version 0.1, one row each.

Here are those that every start reads. The sections in ``DEFERRED`` have a module each, a driver's in its own
room; their paths begin below the section. A key that distribution added later is one more row.
"""

from __future__ import annotations

from udist_plugin.config.schema import Section, plant_deferred, tree
from udist_plugin.drivers.filesystem.keys import KEYS as FILESYSTEM
from udist_plugin.keys import NO_EFFECT, NO_LISTENER, REQUIRED, Key, below
from udist_plugin.kinds import (
    Anything,
    Boolean,
    Choice,
    Duration,
    Empty,
    Folder,
    Integer,
    Literal,
    Pattern,
    Secret,
    Text,
)
from udist_plugin.typed import Final

_FLAG = Boolean()
_TEXT = Text()
_ANY = Anything()
_LEVEL = Choice("error", "warn", "info", "debug")
_CACHE = Choice("inmemory", "redis", empty="")
_HOST = Text("a URL such as https://registry.example:5000", r"|https?://[^/?#\s@]+(/[^?#\s]*)?")
_BASE = Text("a URL such as https://cdn.example/registry", r"|([a-z][a-z0-9+.-]*://)?[^/?#\s@]+(/[^?#\s]*)?")
_SCHEME = Text("a scheme such as https", r"|[a-z][a-z0-9+.-]*")
_AUTHORITY = Text("a host, such as cdn.example or cdn.example:8443", r"|[^/?#\s@]+")
_PATH = Text("a path outside /v2/, such as /metrics", r"|/(?!v2(/|$))[^?#\s]*")
_MIDDLEWARE = Text("redirect, rewrite or cloudfront", "redirect|rewrite|cloudfront")
_FILTER = Choice("none", "aws", "awsregion", empty="none")
_FIELD_VALUE = Text("a field value on one line (RFC 9110, section 5.5)", r"[\t\x20-\x7e\x80-\xff]*")
_FORMAT = Choice("v1", "v2")
_FOLDER = Text("the absolute path of a folder", r"|/[^\0]*")
_QUEUE = Integer(1 << 16, 1 << 30)
_AGE = Duration(unit_needed=True)
_INTERVAL = Duration(unit_needed=True, positive=True)
_COUNT = Integer(0, 1 << 31)
_CONCURRENCY = Integer(0, 1 << 16)

KEYS: Final = (
    Key("version", Literal("0.1"), "0.1", "the format of this file"),
    Key("log.level", _LEVEL, "info", "the lowest level that is logged"),
    Key(
        "log.formatter", Choice("text", "json", "logstash", empty="text"), "text", "the format of log records"
    ),
    Key("log.fields.*", _TEXT, "", "fields added to every log record"),
    Key("log.accesslog.disabled", _FLAG, True, "false turns on the access log, a line for each request"),
    Key("log.reportcaller", _FLAG, False, "log the source line of each record"),
    Key("loglevel", _LEVEL, None, "the old name of log.level"),
    *below("storage.filesystem", FILESYSTEM),
    Key("storage.inmemory", Empty(), None, "keeps content in memory, until the process ends"),
    Key("storage.delete.enabled", _FLAG, True, "allow deleting manifests, tags and blobs"),
    Key(
        "storage.redirect.disable", _FLAG, False, "always serve content through the plugin, not by a redirect"
    ),
    Key("storage.cache.blobdescriptor", _CACHE, "", "where sizes and media types of blobs are cached"),
    Key("storage.cache.blobdescriptorsize", _COUNT, 10000, "entries kept in memory; 0 for no limit"),
    Key("storage.cache.layerinfo", _CACHE, None, "the old name of blobdescriptor"),
    Key(
        "storage.tag.concurrencylimit", _CONCURRENCY, 0, "tags looked up in parallel; 0 for a suitable number"
    ),
    Key("storage.maintenance.uploadpurging.enabled", _FLAG, True, "delete abandoned uploads"),
    Key(
        "storage.maintenance.uploadpurging.age",
        _AGE,
        604800.0,
        "the age at which an upload counts as abandoned",
    ),
    Key(
        "storage.maintenance.uploadpurging.interval",
        _INTERVAL,
        86400.0,
        "how often abandoned uploads are deleted",
    ),
    Key("storage.maintenance.uploadpurging.dryrun", _FLAG, False, "only log what would be deleted"),
    Key("storage.maintenance.readonly.enabled", _FLAG, False, "refuse all writes"),
    Key("middleware.storage[].name", _MIDDLEWARE, REQUIRED, "what changes the URLs of redirects"),
    Key("middleware.storage[].disabled", _FLAG, False, "ignore this entry"),
    *below(
        "middleware.storage[].options",
        (
            Key("baseurl", _BASE, "", "redirect, cloudfront: the base URL of content"),
            Key("privatekey", _TEXT, "", "cloudfront: the file of the RSA key that signs URLs (PEM)"),
            Key("keypairid", _TEXT, "", "cloudfront: the key pair's id"),
            Key("duration", _INTERVAL, 1200.0, "cloudfront: how long a URL is valid"),
            Key("ipfilteredby", _FILTER, "none", "cloudfront: clients sent to the bucket", NO_EFFECT),
            Key("awsregion", _TEXT, "", "cloudfront: the regions of these clients", NO_EFFECT),
            Key("updatefrequency", _AGE, 43200.0, "cloudfront: how often their addresses change", NO_EFFECT),
            Key("updatefrenquency", _AGE, None, "version 2's spelling of updatefrequency", NO_EFFECT),
            Key("iprangesurl", _TEXT, "", "cloudfront: the URL of their addresses", NO_EFFECT),
            Key("scheme", _SCHEME, "", "rewrite: the scheme of URLs"),
            Key("host", _AUTHORITY, "", "rewrite: their host"),
            Key("trimpathprefix", _TEXT, "", "rewrite: what is removed from the start of their path"),
        ),
    ),
    Key(
        "catalog.maxentries",
        Integer(-(1 << 31), 1 << 31, unset=1000),
        1000,
        "repositories on a page of _catalog at most",
    ),
    Key("tags.maxtags", Integer(0, 1 << 31, unset=1000), 1000, "tags on a page of the tag list at most"),
    Key("http.host", _HOST, "", "scheme and host of every Location; none by default"),
    Key("http.prefix", Folder(), "/", "the path prefix of /v2/"),
    Key("http.relativeurls", _FLAG, False, "Location without scheme and host, as without http.host"),
    Key("http.secret", Secret(), "", "signs upload state, which never leaves the store here", NO_EFFECT),
    Key("http.headers.*[]", _FIELD_VALUE, None, "fields added to every response"),
    Key(
        "http.draintimeout", Duration(), 10.0, "time for open requests to finish after the caller has closed"
    ),
    Key("http.addr", _TEXT, "", "the address to listen on", NO_LISTENER),
    Key("http.net", _TEXT, "", "the network to listen on: tcp or unix", NO_LISTENER),
    Key("http.debug.addr", _TEXT, "", "the address of the debug listener", NO_LISTENER),
    Key("http.debug.prometheus.enabled", _FLAG, False, "serve Prometheus metrics next to /v2/"),
    Key("http.debug.prometheus.path", _PATH, "/metrics", "the path of the metrics"),
    Key("http.http2.disabled", _FLAG, False, "turn off HTTP/2", NO_LISTENER),
    Key("http.h2c.enabled", _FLAG, False, "allow HTTP/2 without TLS", NO_LISTENER),
    Key("validation.enabled", _FLAG, False, "the older opposite of validation.disabled; false has no effect"),
    Key("validation.disabled", _FLAG, False, "check only the form of a manifest"),
    Key("validation.manifests.urls.allow[]", Pattern(), None, "layer URLs must match one of these"),
    Key("validation.manifests.urls.deny[]", Pattern(), None, "layer URLs must match none of these"),
    Key(
        "validation.manifests.indexes.platforms",
        Choice("all", "none", "list"),
        "all",
        "the platforms whose images must exist",
    ),
    Key(
        "validation.manifests.indexes.platformlist[].architecture",
        _TEXT,
        "",
        "one of them, with platforms: list",
    ),
    Key("validation.manifests.indexes.platformlist[].os", _TEXT, "", "one of them, with platforms: list"),
    Key("validation.manifests.references", _FLAG, None, "the old name of udist.validation.references"),
    Key("udist.maxstreams", Integer(64, 1 << 14), 1024, "requests that a plugin serves at once"),
    Key("udist.spin", Integer(0, 1000), 200, "microseconds of looking for the next request before sleeping"),
    Key("udist.extensions.gc", _FLAG, False, "serve garbage collection at /v2/_udist/gc"),
    Key("udist.extensions.leases", _FLAG, False, "serve leases at /v2/_udist/leases"),
    Key("udist.notifications.format", _FORMAT, "v2", "the envelope of events: distribution 2's v1, or v2"),
    Key("udist.notifications.queue", _QUEUE, 16 << 20, "the most bytes of events that wait for an endpoint"),
    Key("udist.notifications.spool", _FOLDER, "", "a folder that keeps events until they are delivered"),
    Key("udist.referrers.tags", _FLAG, True, "keep the tags by which stock registries find signatures"),
    Key("udist.validation.references", _FLAG, True, "require the content that a manifest refers to"),
    Key("auth.none", Empty(), None, "no access control"),
)

S3AWS: Final = "storage.s3aws"

DEFERRED: Final = {
    "auth.htpasswd": "udist_plugin.config.keys.htpasswd",
    "auth.silly": "udist_plugin.config.keys.silly",
    "auth.token": "udist_plugin.config.keys.token",
    "compatibility": "udist_plugin.config.keys.compatibility",
    "health": "udist_plugin.config.keys.health",
    "http.tls": "udist_plugin.config.keys.tls",
    "log.hooks[]": "udist_plugin.config.keys.log_hooks",
    "middleware.registry[]": "udist_plugin.config.keys.middleware",
    "middleware.repository[]": "udist_plugin.config.keys.middleware",
    "notifications": "udist_plugin.config.keys.notifications",
    "policy": "udist_plugin.config.keys.policy",
    "proxy": "udist_plugin.config.keys.proxy",
    "redis": "udist_plugin.config.keys.redis",
    "reporting": "udist_plugin.config.keys.reporting",
    "storage.azure": "udist_plugin.drivers.azure.keys",
    "storage.fsspec": "udist_plugin.drivers.fsspec.keys",
    "storage.gcs": "udist_plugin.drivers.gcs.keys",
    "storage.oss": "udist_plugin.drivers.oss.keys",
    "storage.s3": "udist_plugin.drivers.s3.keys",
    S3AWS: "udist_plugin.drivers.s3.keys",
    "storage.swift": "udist_plugin.drivers.swift.keys",
    "udist.accesscontrol": "udist_plugin.config.keys.access_control",
    "udist.proxy": "udist_plugin.config.keys.own_proxy",
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
    return root


def all_keys() -> list[Key]:
    """Every row, with its whole path, by path."""
    from importlib import import_module

    rows = [*KEYS, Key(S3AWS, _ANY, None, "another name of storage.s3")]
    for path, module in DEFERRED.items():
        keys = import_module(module).KEYS if path != S3AWS else ()
        rows += below(path, keys)
    return sorted(rows, key=lambda row: row.path)
