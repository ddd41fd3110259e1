"""The typed configuration: immutable, and named as in distribution's file. Durations are seconds."""

from __future__ import annotations

from udist_plugin.config.part import Part
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.keys.access_control import AccessControl
    from udist_plugin.config.keys.health import Health
    from udist_plugin.config.keys.htpasswd import Htpasswd
    from udist_plugin.config.keys.log_hooks import Hook
    from udist_plugin.config.keys.middleware import Middleware as RegistryMiddleware
    from udist_plugin.config.keys.notifications import Notifications
    from udist_plugin.config.keys.own_proxy import OwnProxy
    from udist_plugin.config.keys.policy import Policy
    from udist_plugin.config.keys.proxy import Proxy
    from udist_plugin.config.keys.redis import Redis
    from udist_plugin.config.keys.silly import Silly
    from udist_plugin.config.keys.token import Token
    from udist_plugin.patterns.pattern import Pattern


class AccessLog(Part):
    """The record of each request."""

    disabled: bool


class Log(Part):
    """``level`` is error, warn, info or debug, ``formatter`` text, json or logstash.

    ``fields`` stand in every record, with ``reportcaller`` also the source line. ``hooks`` send mail.
    """

    level: str
    formatter: str
    fields: Mapping[str, str]
    accesslog: AccessLog
    reportcaller: bool
    hooks: tuple[Hook, ...]


class Delete(Part):
    """Whether manifests, tags and blobs may be deleted."""

    enabled: bool


class UploadPurging(Part):
    """Every ``interval`` seconds, uploads that began ``age`` seconds ago or earlier are deleted, or with
    ``dryrun`` only named."""

    enabled: bool
    age: float
    interval: float
    dryrun: bool


class ReadOnly(Part):
    """Whether everything that writes is refused."""

    enabled: bool


class Maintenance(Part):
    """``storage.maintenance``."""

    uploadpurging: UploadPurging
    readonly: ReadOnly


class Cache(Part):
    """``blobdescriptor`` is ``inmemory``, ``redis`` or empty; a ``blobdescriptorsize`` of 0 has no limit."""

    blobdescriptor: str
    blobdescriptorsize: int


class Tag(Part):
    """``concurrencylimit`` is how many tags are looked up at once, 0 where none is set."""

    concurrencylimit: int


class Redirect(Part):
    """Whether callers are never sent to the store itself."""

    disable: bool


class Storage(Part):
    """``driver`` names the one chosen. ``parameters`` are what stands under its name and what has a default:
    a name that is neither, or whose value is empty, is not in it."""

    driver: str
    parameters: Mapping[str, object]
    delete: Delete
    redirect: Redirect
    cache: Cache
    tag: Tag
    maintenance: Maintenance


class MiddlewareOptions(Part):
    """``baseurl`` is what stands before the name of content: in the store for ``redirect``, in the bucket for
    ``cloudfront``, which signs with the key pair ``keypairid`` whose half is in the file ``privatekey`` for
    ``duration`` seconds. The others are those of ``rewrite``; empty means no change."""

    baseurl: str
    privatekey: str
    keypairid: str
    duration: float
    scheme: str
    host: str
    trimpathprefix: str


class StorageMiddleware(Part):
    """``name`` is ``redirect``, ``cloudfront`` or ``rewrite``; an entry that is disabled is left out."""

    name: str
    options: MiddlewareOptions


class Middleware(Part):
    """What stands around the registry, and between it and the store, in the file's order."""

    registry: tuple[RegistryMiddleware, ...]
    repository: tuple[RegistryMiddleware, ...]
    storage: tuple[StorageMiddleware, ...]


class Catalog(Part):
    """``maxentries`` is the longest page of repositories."""

    maxentries: int


class Tags(Part):
    """``maxtags`` is the longest page of a repository's tags."""

    maxtags: int


class Urls(Part):
    """A layer's URLs must match one of ``allow``, if there are any, and none of ``deny``."""

    allow: tuple[Pattern, ...]
    deny: tuple[Pattern, ...]


class Platform(Part):
    """In the words of OCI's image index."""

    architecture: str
    os: str


class Indexes(Part):
    """Whose images must exist when an index is pushed: ``all``, ``none``, or with ``list`` those of the
    ``platformlist``."""

    platforms: str
    platformlist: tuple[Platform, ...]


class Manifests(Part):
    """What is looked for in a manifest that is pushed."""

    urls: Urls
    indexes: Indexes


class Validation(Part):
    """Validation is on when ``enabled`` is true or ``disabled`` is not, as distribution has it."""

    enabled: bool
    disabled: bool
    manifests: Manifests


class OwnValidation(Part):
    """``references`` is whether what a manifest refers to must exist."""

    references: bool


class OwnReferrers(Part):
    """``tags`` is whether tags are kept by which stock registries find referrers."""

    tags: bool


class OwnExtensions(Part):
    """Which parts of the HTTP extension are served."""

    gc: bool
    leases: bool


class OwnNotifications(Part):
    """``format`` is the envelope's, ``v1`` or ``v2``; ``queue`` is in bytes of each endpoint; ``spool`` is a
    folder, or empty."""

    format: str
    queue: int
    spool: str


class Own(Part):
    """``udist``: what distribution has no key for. What it says of a storage driver is in that one's
    parameters. ``maxstreams`` is how many requests a plugin serves at once, ``spin`` for how many
    microseconds it looks for the next before it sleeps. ``proxy`` is ``None`` where it is not given."""

    accesscontrol: AccessControl | None
    maxstreams: int
    spin: int
    extensions: OwnExtensions
    notifications: OwnNotifications
    proxy: OwnProxy | None
    referrers: OwnReferrers
    validation: OwnValidation


class Auth(Part):
    """``auth``: the access control that is asked for, one at most."""

    htpasswd: Htpasswd | None
    silly: Silly | None
    token: Token | None


class Prometheus(Part):
    """Whether metrics are served, and at which ``path``."""

    enabled: bool
    path: str


class Debug(Part):
    """``http.debug``, without what concerns a listener."""

    prometheus: Prometheus


class Http(Part):
    """``host`` and ``prefix`` stand before every path of an answer, ``headers`` in every answer;
    ``draintimeout`` seconds are left to open exchanges once the caller has closed."""

    host: str
    prefix: str
    relativeurls: bool
    headers: Mapping[str, tuple[str, ...]]
    draintimeout: float
    debug: Debug


class Configuration(Part):
    """``redis``, ``health``, ``notifications``, ``policy`` and ``proxy`` are ``None`` where the section is
    not given."""

    version: str
    log: Log
    storage: Storage
    middleware: Middleware
    redis: Redis | None
    health: Health | None
    notifications: Notifications | None
    auth: Auth
    policy: Policy | None
    proxy: Proxy | None
    catalog: Catalog
    tags: Tags
    validation: Validation
    http: Http
    udist: Own

    @property
    def guarded(self) -> bool:
        """Whether there is access control."""
        auth = self.auth
        return any((auth.htpasswd, auth.silly, auth.token, self.udist.accesscontrol))

    def without_guard(self) -> Configuration:
        """The same without access control, for where the caller's pipes alone lead to the registry."""
        auth, udist = Auth(None, None, None), self.udist.changed(accesscontrol=None)
        return self.changed(auth=auth, udist=udist)
