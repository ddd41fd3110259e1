"""What the ``s3`` section comes to: the settings of ``S3Store``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from udist_plugin.drivers.objects.limits import COPY_SIZE
from udist_plugin.drivers.s3.keys import COPIES, KEYS, PART_SIZE
from udist_plugin.drivers.s3.own_keys import KEYS as OWN
from udist_plugin.drivers.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNNAMED: Final = ("NONE", "STANDARD", "private")
"""What a service does by itself: to name it may ask for a permission."""


class Settings(NamedTuple):
    """What ``S3Store`` is made of; what is empty is left to the SDK."""

    bucket: str
    region: str = ""
    endpoint: str = ""
    """The URL of a service that is not Amazon's."""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    credentials_file: str = ""
    profile: str = ""
    addressing: str = "auto"
    """botocore's ``addressing_style``: where the bucket stands in a URL."""
    signature: str = "s3v4"
    verify: bool | str | None = None
    """Whether the endpoint's certificate must hold, or the file of those to trust; ``None`` leaves it to
    ``AWS_CA_BUNDLE`` and ``REQUESTS_CA_BUNDLE``."""
    secure: bool = True
    dual_stack: bool = False
    fips: bool = False
    accelerate: bool = False
    user_agent: str = ""
    part_size: int = PART_SIZE
    """Bytes of each part sent but the last."""
    copy_size: int = COPY_SIZE
    """Bytes of each part copied, about."""
    copies: int = COPIES
    """Parts copied at once, at most."""
    copy_threshold: int = COPY_SIZE
    """Bytes copied in one request, at most."""
    storage_class: str = ""
    acl: str = ""
    encrypt: bool = False
    kms_key: str = ""
    redirect: str = ""
    """The scheme and host of signed URLs, in place of the endpoint's."""


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every key. Raises ``ConfigurationError``."""
    section = Section("storage.s3", (*KEYS, *OWN), values)
    endpoint = _endpoint(section)
    found = Settings(
        bucket=section.required("bucket", "the name of the bucket that holds the registry"),
        region=section.text("region"),
        endpoint=endpoint,
        access_key=_with(section, "accesskey", "secretkey"),
        secret_key=_with(section, "secretkey", "accesskey"),
        session_token=section.credential("sessiontoken"),
        credentials_file=section.text("credentialsconfigpath"),
        profile=section.text("profile"),
        addressing=_addressing(section, endpoint),
        signature=_signature(section, endpoint),
        verify=False if section["skipverify"] else section.text("cafile") or None,
        secure=section["secure"],
        dual_stack=section["usedualstack"],
        fips=section["usefipsendpoint"],
        accelerate=section["accelerate"],
        user_agent=section.text("useragent"),
        part_size=section["chunksize"],
        copy_size=section["multipartcopychunksize"],
        copies=section["multipartcopymaxconcurrency"],
        copy_threshold=section["multipartcopythresholdsize"],
        storage_class=_named(section.text("storageclass")),
        acl=_named(section.text("objectacl")),
        encrypt=section["encrypt"],
        kms_key=_kms_key(section),
        redirect=_redirect(section),
    )
    return found, section.prefix()


def _endpoint(section: Section) -> str:
    """A path is left to the service: some stand below one."""
    endpoint = section.text("regionendpoint").rstrip("/")
    if endpoint and "://" not in endpoint:
        endpoint = f"{'https' if section['secure'] else 'http'}://{endpoint}"
    if endpoint and _parts(section, "regionendpoint", endpoint).scheme not in ("http", "https"):
        raise section.error("regionendpoint", "expected a host or an HTTP URL")
    return endpoint


def _parts(section: Section, name: str, url: str) -> SplitResult:
    """No error shows the URL, which may hold a password or a key."""
    try:
        parts = urlsplit(url)
        sound = parts.port != 0 and parts.hostname is not None and not re.search(r"[\s\\]", url)
    except ValueError:
        sound = False
    if not sound:
        raise section.error(name, "expected a host, with a port from 1 to 65535 if any")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise section.error(
            name, "expected no user, query or fragment: set credentials with accesskey and secretkey"
        )
    return parts


def _addressing(section: Section, endpoint: str) -> str:
    """In the path where a service of one's own is named: few have a host for each bucket."""
    if section["forcepathstyle"] if section.given("forcepathstyle") else endpoint:
        return "path"
    return "virtual" if endpoint else "auto"


def _signature(section: Section, endpoint: str) -> str:
    if section["v4auth"]:
        return "s3v4"
    if not endpoint or "s3.amazonaws.com" in endpoint:
        raise section.error("v4auth", "Amazon S3 accepts only version 4 signatures")
    return "s3"


def _with(section: Section, name: str, other: str) -> str:
    """A value that is nothing without the other; neither need be there."""
    if section.given(other):
        section.required(name, f"{other} is set and needs it")
    return section.credential(name)


def _kms_key(section: Section) -> str:
    """S3 refuses a key with what is not encrypted, which distribution finds out when it writes."""
    key = section.text("keyid")
    if key and not section["encrypt"]:
        raise section.error("keyid", "needs encrypt: true")
    return key


def _named(value: str) -> str:
    return "" if value in _UNNAMED else value


def _redirect(section: Section) -> str:
    url = section.text("redirectendpoint").rstrip("/")
    if url and ("://" not in url or _parts(section, "redirectendpoint", url).path):
        raise section.error("redirectendpoint", "expected a scheme and a host, and no path")
    return url
