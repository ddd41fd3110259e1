"""``storage.swift``: the parameters of distribution 2.8, the last that had this driver."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Integer, Secret, Text

CHUNK_SIZE: Final = 20 << 20

_TEXT = Text()
_SECRET = Secret()
_FLAG = Boolean()
_URL = Text("a URL such as https://keystone.example/v3", r"https?://.+")
_INTERFACE = Choice("public", "internal", "admin", empty="public")

KEYS: Final = (
    Key("authurl", _URL, REQUIRED, "where tokens are issued"),
    Key("authversion", Integer(0, 3, unset=0), 0, "that service's version: 1, 2 or 3; 0 looks at authurl"),
    Key("username", _TEXT, REQUIRED, "the user"),
    Key("password", _SECRET, REQUIRED, "the user's password"),
    Key("domain", _TEXT, None, "the user's domain, by name, in version 3"),
    Key("domainid", _TEXT, None, "that domain by its id"),
    Key("tenant", _TEXT, None, "the project, by name"),
    Key("tenantid", _TEXT, None, "the project by its id"),
    Key("tenantdomain", _TEXT, None, "the project's domain, by name; the user's unless given"),
    Key("tenantdomainid", _TEXT, None, "that domain by its id"),
    Key("trustid", _TEXT, None, "the trust by which the user acts, in place of a project"),
    Key("region", _TEXT, None, "the container's region"),
    Key("endpointtype", _INTERFACE, "public", "the kind of address: public, internal or admin"),
    Key("container", Text("the name of a container", r"[^/]+"), REQUIRED, "the container"),
    Key("prefix", _TEXT, "", "a prefix of all names in the container"),
    Key("chunksize", Integer(1 << 20, 1 << 30), CHUNK_SIZE, "the size of segments, in bytes"),
    Key("insecureskipverify", _FLAG, False, "do not verify certificates"),
    Key("secretkey", _SECRET, None, "the key that signs temporary URLs; without it, the container's own"),
    Key("accesskey", _SECRET, None, "the name of that key, where signatures begin with it (HP Cloud)"),
    Key(
        "tempurlcontainerkey",
        _FLAG,
        False,
        "where /info is hidden: the key is the container's own",
    ),
    Key("tempurlmethods[]", _TEXT, None, "where /info is hidden: the methods of temporary URLs"),
)
