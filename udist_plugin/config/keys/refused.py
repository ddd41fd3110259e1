"""What is known but not supported yet, key by key: it is only listed, since its section is refused as one."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import UNSUPPORTED, Key
from udist_plugin.kinds import Boolean, Duration, Integer, Kind, Secret, Text

_FLAG = Boolean()
_TEXT = Text()
_SECRET = Secret()
_TIME = Duration()
_COUNT = Integer(0, 1 << 31)


def _refused(path: str, kind: Kind, effect: str) -> Key:
    return Key(path, kind, None, effect, UNSUPPORTED)


KEYS: Final = (
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
    _refused("storage.swift.endpointtype", _TEXT, "the kind of address: public, internal or admin"),
    _refused("storage.swift.insecureskipverify", _FLAG, "do not verify the certificate"),
    _refused("storage.swift.chunksize", _COUNT, "the size of a large object's segments, in bytes"),
    _refused("storage.swift.accesskey", _SECRET, "the key that signs temporary URLs, with secretkey"),
    _refused("storage.swift.secretkey", _SECRET, "its secret"),
    _refused("storage.swift.tempurlcontainerkey", _FLAG, "the key is the container's, not the account's"),
    _refused("storage.swift.tempurlmethods[]", _TEXT, "the methods of temporary URLs"),
)
