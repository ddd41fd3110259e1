"""What is known but not supported yet, key by key: it is only listed, since its section is refused as one."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import GUARD, UNSUPPORTED, Key
from udist_plugin.kinds import Boolean, Duration, Integer, Kind, Secret, Text

_FLAG = Boolean()
_TEXT = Text()
_SECRET = Secret()
_TIME = Duration()
_COUNT = Integer(0, 1 << 31)


def _refused(path: str, kind: Kind, effect: str) -> Key:
    return Key(path, kind, None, effect, GUARD if path.startswith("auth.") else UNSUPPORTED)


KEYS: Final = (
    _refused("auth.silly.realm", _TEXT, "for tests: any Authorization will do"),
    _refused("auth.silly.service", _TEXT, "for tests"),
    _refused("auth.token.realm", _TEXT, "where tokens are issued"),
    _refused("auth.token.service", _TEXT, "the service tokens are for"),
    _refused("auth.token.issuer", _TEXT, "who issues tokens"),
    _refused("auth.token.rootcertbundle", _TEXT, "certificates that tokens are signed by"),
    _refused("auth.token.jwks", _TEXT, "keys that tokens are signed by"),
    _refused("auth.token.autoredirect", _FLAG, "the realm at the registry's own address"),
    _refused("auth.token.autoredirectpath", _TEXT, "the realm's path there"),
    _refused("auth.token.signingalgorithms[]", _TEXT, "algorithms that tokens may be signed by"),
    _refused("auth.htpasswd.realm", _TEXT, "the realm that browsers show"),
    _refused("auth.htpasswd.path", _TEXT, "the file of users"),
    _refused("log.hooks[].type", _TEXT, "mail"),
    _refused("log.hooks[].disabled", _FLAG, "leaves the hook out"),
    _refused("log.hooks[].levels[]", _TEXT, "the levels that are mailed"),
    _refused("log.hooks[].options.smtp.addr", _TEXT, "the mail server"),
    _refused("log.hooks[].options.smtp.username", _TEXT, "its user"),
    _refused("log.hooks[].options.smtp.password", _SECRET, "the user's password"),
    _refused("log.hooks[].options.smtp.insecure", _FLAG, "any certificate will do"),
    _refused("log.hooks[].options.from", _TEXT, "the sender"),
    _refused("log.hooks[].options.to[]", _TEXT, "the receivers"),
    *(
        _refused(f"middleware.storage[].options.{name}", kind, f"{middleware}: {effect}")
        for middleware, name, kind, effect in (
            ("cloudfront", "privatekey", _TEXT, "the file of the key that URLs are signed with"),
            ("cloudfront", "keypairid", _TEXT, "the key pair's id"),
            ("cloudfront", "duration", _TIME, "how long a URL serves"),
            ("cloudfront", "ipfilteredby", _TEXT, "whose addresses are sent to the bucket instead"),
            ("cloudfront", "awsregion", _TEXT, "regions whose addresses are"),
            ("cloudfront", "updatefrequency", _TIME, "time between two looks at the list of addresses"),
            ("cloudfront", "updatefrenquency", _TIME, "the same by version 2's name"),
            ("cloudfront", "iprangesurl", _TEXT, "where that list is"),
            ("rewrite", "scheme", _TEXT, "the scheme of URLs in place of the store's"),
            ("rewrite", "host", _TEXT, "their host"),
            ("rewrite", "trimpathprefix", _TEXT, "what is taken off the front of their path"),
        )
    ),
    _refused("notifications.endpoints[].name", _TEXT, "the endpoint's name"),
    _refused("notifications.endpoints[].disabled", _FLAG, "leaves the endpoint out"),
    _refused("notifications.endpoints[].url", _TEXT, "where events are posted"),
    _refused("notifications.endpoints[].headers.*[]", _SECRET, "fields added to the request"),
    _refused("notifications.endpoints[].timeout", _TIME, "time for the answer"),
    _refused("notifications.endpoints[].threshold", _COUNT, "failures in a row before backing off"),
    _refused("notifications.endpoints[].backoff", _TIME, "the wait then"),
    _refused("notifications.endpoints[].ignoredmediatypes[]", _TEXT, "media types without events"),
    _refused("notifications.endpoints[].ignore.mediatypes[]", _TEXT, "media types without events"),
    _refused("notifications.endpoints[].ignore.actions[]", _TEXT, "actions without events"),
    _refused("proxy.remoteurl", _TEXT, "the registry that is cached"),
    _refused("proxy.username", _TEXT, "the user there"),
    _refused("proxy.password", _SECRET, "the user's password"),
    _refused("proxy.exec.command", _TEXT, "a credential helper"),
    _refused("proxy.exec.lifetime", _TIME, "how long its answer holds"),
    _refused("proxy.ttl", _TIME, "how long content is kept"),
    _refused("proxy.cachewritetimeout", _TIME, "time for a write to the cache"),
    _refused("compatibility.schema1.enabled", _FLAG, "manifests of Docker's schema 1"),
    _refused("compatibility.schema1.signingkeyfile", _TEXT, "the key they are signed by"),
    _refused("policy.repository.classes[]", _TEXT, "classes of content that are taken"),
    _refused("reporting.bugsnag.apikey", _SECRET, "Bugsnag's key"),
    _refused("reporting.bugsnag.releasestage", _TEXT, "the stage"),
    _refused("reporting.bugsnag.endpoint", _TEXT, "its address"),
    _refused("reporting.newrelic.licensekey", _SECRET, "New Relic's key"),
    _refused("reporting.newrelic.name", _TEXT, "the application's name"),
    _refused("reporting.newrelic.verbose", _FLAG, "more of its log"),
    _refused("storage.oss.accesskeyid", _SECRET, "the access key's id"),
    _refused("storage.oss.accesskeysecret", _SECRET, "the secret access key"),
    _refused("storage.oss.region", _TEXT, "the bucket's region"),
    _refused("storage.oss.bucket", _TEXT, "the bucket"),
    _refused("storage.oss.endpoint", _TEXT, "the bucket's address"),
    _refused("storage.oss.internal", _FLAG, "the address inside Aliyun's network"),
    _refused("storage.oss.encrypt", _FLAG, "encryption on the server"),
    _refused("storage.oss.secure", _FLAG, "HTTPS"),
    _refused("storage.oss.chunksize", _COUNT, "bytes of an upload's parts"),
    _refused("storage.oss.rootdirectory", _TEXT, "a prefix of all keys in the bucket"),
    _refused("storage.swift.username", _TEXT, "the user"),
    _refused("storage.swift.password", _SECRET, "the user's password"),
    _refused("storage.swift.authurl", _TEXT, "where tokens are issued"),
    _refused("storage.swift.authversion", _COUNT, "the version of that service"),
    _refused("storage.swift.tenant", _TEXT, "the project's name"),
    _refused("storage.swift.tenantid", _TEXT, "the project's id"),
    _refused("storage.swift.domain", _TEXT, "the user's domain"),
    _refused("storage.swift.domainid", _TEXT, "the domain's id"),
    _refused("storage.swift.tenantdomain", _TEXT, "the project's domain"),
    _refused("storage.swift.tenantdomainid", _TEXT, "that domain's id"),
    _refused("storage.swift.trustid", _TEXT, "the trust by which the user acts"),
    _refused("storage.swift.region", _TEXT, "the container's region"),
    _refused("storage.swift.container", _TEXT, "the container"),
    _refused("storage.swift.prefix", _TEXT, "a prefix of all names in the container"),
    _refused("storage.swift.endpointtype", _TEXT, "which address of the service: public, internal, admin"),
    _refused("storage.swift.insecureskipverify", _FLAG, "any certificate will do"),
    _refused("storage.swift.chunksize", _COUNT, "bytes of a large object's segments"),
    _refused(
        "storage.swift.accesskey", _SECRET, "the key that temporary URLs are signed with, with secretkey"
    ),
    _refused("storage.swift.secretkey", _SECRET, "the secret key that they are signed with"),
    _refused("storage.swift.tempurlcontainerkey", _FLAG, "that key is the container's, not the account's"),
    _refused("storage.swift.tempurlmethods[]", _TEXT, "the methods of temporary URLs"),
)
