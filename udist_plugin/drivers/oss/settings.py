"""What the ``oss`` section comes to: the settings of ``OssStore``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from udist_plugin.drivers.oss.keys import KEYS, PART_SIZE
from udist_plugin.drivers.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """What ``OssStore`` is made of."""

    bucket: str
    region: str
    """Its id as signatures have it, such as ``cn-hangzhou``."""
    url: str
    """Of the bucket's own host, or of a custom domain bound to it: OSS refuses a bucket in the path."""
    access_key: str
    secret_key: str
    encryption: str | None = None
    """``AES256`` or ``KMS``."""
    kms_key: str | None = None
    part_size: int = PART_SIZE
    """Bytes of each part sent but the last."""


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every key. Raises ``ConfigurationError``."""
    section = Section("storage.oss", KEYS, values)
    bucket = section.required("bucket", "the name of the bucket that holds the registry").lower()
    region = section.required("region", "the bucket's region, such as oss-cn-hangzhou")
    kms_key = section.text("encryptionkeyid") or None
    if kms_key and not section["encrypt"]:
        raise section.error("encryptionkeyid", "needs encrypt: true")
    found = Settings(
        bucket=bucket,
        region=_region_id(section, region),
        url=_url(section, bucket, region),
        access_key=_credential(section, "accesskeyid", "the id of an access key"),
        secret_key=_credential(section, "accesskeysecret", "the secret of the access key"),
        encryption=("KMS" if kms_key else "AES256") if section["encrypt"] else None,
        kms_key=kms_key,
        part_size=section["chunksize"],
    )
    return found, section.prefix()


def _credential(section: Section, name: str, what: str) -> str:
    section.required(name, what)
    return section.credential(name)


def _region_id(section: Section, region: str) -> str:
    """Hosts of older networks put something before it, as ``vpc100-oss-cn-hangzhou``."""
    found = re.fullmatch(r"(?:.*oss-)?([a-z0-9-]+?)(?:-internal)?", region)
    if found is None:
        raise section.error("region", "expected a region such as oss-cn-hangzhou")
    return found[1]


def _url(section: Section, bucket: str, region: str) -> str:
    scheme = "https" if section["secure"] else "http"
    endpoint = section.text("endpoint").rstrip("/")
    if not endpoint:
        location = region if "oss-" in region else f"oss-{region}"
        internal = "-internal" if section["internal"] and not location.endswith("-internal") else ""
        return f"{scheme}://{bucket}.{location}{internal}.aliyuncs.com"
    url = endpoint if "://" in endpoint else f"{scheme}://{endpoint}"
    if not _is_host(url):
        raise section.error("endpoint", "expected a host, with a port from 1 to 65535 if any, and no path")
    if re.match(r"https?://(\w+-)?oss-[a-z0-9-]+\.aliyuncs\.com$", url):
        host = url.partition("://")[2]
        problem = f"expected the bucket's own host, its name and a dot before {host}"
        raise section.error("endpoint", problem)
    return url


def _is_host(url: str) -> bool:
    """Whether there is no more than a scheme and a host with a name: with a machine's address the SDK would
    put the bucket in the path."""
    try:
        parts = urlsplit(url)
        named = re.fullmatch(r"[a-z0-9.-]*[a-z][a-z0-9.-]*", parts.hostname or "")
        alone = url in (f"http://{parts.netloc}", f"https://{parts.netloc}") and "@" not in parts.netloc
        return alone and named is not None and parts.port != 0
    except ValueError:
        return False
