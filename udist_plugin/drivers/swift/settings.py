"""What the ``swift`` section comes to: the settings of ``SwiftStore``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.drivers.section import Section
from udist_plugin.drivers.swift.keys import CHUNK_SIZE, KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """What ``SwiftStore`` is made of."""

    auth_url: str
    auth_version: int
    username: str
    password: str
    container: str
    root: str = ""
    """What all names begin with, empty or up to a slash."""
    domain: str | None = None
    domain_id: str | None = None
    tenant: str | None = None
    tenant_id: str | None = None
    tenant_domain: str | None = None
    tenant_domain_id: str | None = None
    trust_id: str | None = None
    region: str | None = None
    interface: str = "public"
    chunk_size: int = CHUNK_SIZE
    """Bytes of a large object's segments."""
    verify: bool = True
    secret_key: str = ""
    """Signs temporary URLs."""
    access_key: str = ""
    container_key: bool = False
    """Whether that key is the container's, where the service does not say that containers have any."""
    methods: tuple[str, ...] = ()
    """Of temporary URLs, where the service does not say which."""


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every key. Raises ``ConfigurationError``."""
    section = Section("storage.swift", KEYS, values)
    url = section.required("authurl", "the URL of the service that issues tokens")
    root = f"{section.text('prefix')}/".lstrip("/")  # a slash at its end stands twice, as in distribution
    found = Settings(
        auth_url=url,
        auth_version=_version(section, url),
        username=section.required("username", "the user's name"),
        password=section.required("password", "the user's password"),
        container=section.required("container", "the name of the container that holds the registry"),
        root=root,
        domain=section["domain"],
        domain_id=section["domainid"],
        tenant=section["tenant"],
        tenant_id=section["tenantid"],
        tenant_domain=section["tenantdomain"],
        tenant_domain_id=section["tenantdomainid"],
        trust_id=section["trustid"],
        region=section["region"],
        interface=section["endpointtype"],
        chunk_size=section["chunksize"],
        verify=not section["insecureskipverify"],
        secret_key=section.text("secretkey"),
        access_key=section.text("accesskey"),
        container_key=section["tempurlcontainerkey"],
        methods=section.texts("tempurlmethods"),
    )
    if found.auth_version == 1:  # both become header fields as they are
        section.credential("username")
        section.credential("password")
    return found, f"{root}files/"


def _version(section: Section, url: str) -> int:
    """As distribution has it: what is given, else what the URL says."""
    given: int = section["authversion"]
    if given:
        return given
    for version in (3, 2, 1):
        if re.search(rf"v{version}", url):
            return version
    raise section.error("authversion", f"is missing, and {url} does not say it: set 1, 2 or 3")
