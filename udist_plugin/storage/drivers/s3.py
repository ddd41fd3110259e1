"""Amazon S3 and what speaks its protocol: distribution's ``s3`` section, and the driver it makes.

The keys are distribution's, so that either can use a bucket of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.storage.drivers.object_driver import ObjectDriver
from udist_plugin.storage.drivers.parameters import Parameters
from udist_plugin.storage.drivers.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

MIB: Final = 1 << 20
PART_MIN: Final = 5 * MIB
"""The least that any part of an upload but its last has (Amazon S3 multipart upload limits)."""
PART_MAX: Final = 5 << 30
PART: Final = 10 * MIB
COPIED_PART: Final = 32 * MIB
COPIES: Final = 100


class Settings(NamedTuple):
    """What ``S3Store`` is made of."""

    bucket: str
    region: str | None = None
    endpoint: str | None = None
    path_style: bool | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    credentials_file: str | None = None
    profile: str | None = None
    encrypt: bool = False
    kms_key: str | None = None
    verify: bool | str | None = None
    """Whether to check the endpoint's certificate, or a file of those to trust; ``None``: as boto3 does,
    which looks at ``AWS_CA_BUNDLE``."""
    secure: bool = True
    signature: str = "s3v4"
    part: int = PART
    """Bytes of each part of an upload but the last."""
    copied_part: int = COPIED_PART
    copies: int = COPIES
    """Parts copied at once."""
    copied_whole: int = COPIED_PART
    """Bytes that are copied in one request, at most."""
    storage_class: str | None = "STANDARD"
    acl: str | None = None
    user_agent: str | None = None
    dual_stack: bool = False
    fips: bool = False
    accelerate: bool = False
    redirect_endpoint: str | None = None


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every key. Raises ``ConfigurationError``."""
    section = Parameters("storage.s3", values)
    secure = section.flag("secure", default=True)
    endpoint = section.text("regionendpoint")
    if endpoint and "://" not in endpoint:
        endpoint = f"{'https' if secure else 'http'}://{endpoint}"
    found = Settings(
        bucket=section.required("bucket", "the name of the bucket that holds the registry"),
        region=section.text("region") or ("us-east-1" if endpoint else None),
        endpoint=endpoint or None,
        path_style=section.flag("forcepathstyle", default=bool(endpoint)),
        access_key=section.text("accesskey") or None,
        secret_key=section.text("secretkey") or None,
        session_token=section.text("sessiontoken") or None,
        credentials_file=section.text("credentialsconfigpath") or None,
        profile=section.text("profile") or None,
        encrypt=section.flag("encrypt"),
        kms_key=section.text("keyid") or None,
        verify=False if section.flag("skipverify") else section.text("cafile") or None,
        secure=secure,
        signature="s3v4" if section.flag("v4auth", default=True) else "s3",
        part=_part(section, "chunksize", PART),
        copied_part=_part(section, "multipartcopychunksize", COPIED_PART),
        copies=section.number("multipartcopymaxconcurrency", COPIES, 1),
        copied_whole=min(section.number("multipartcopythresholdsize", COPIED_PART, 0), PART_MAX),
        storage_class=_storage_class(section),
        acl=section.text("objectacl") or None,
        user_agent=section.text("useragent") or None,
        dual_stack=section.flag("usedualstack"),
        fips=section.flag("usefipsendpoint"),
        accelerate=section.flag("accelerate"),
        redirect_endpoint=section.text("redirectendpoint") or None,
    )
    if (found.access_key is None) != (found.secret_key is None):
        missing = "accesskey" if found.access_key is None else "secretkey"
        raise section.error(missing, "is missing: an access key and its secret key go together")
    if found.signature == "s3" and not endpoint:
        raise section.error("v4auth", "Amazon S3 takes only signatures of version 4")
    root = section.text("rootdirectory").strip("/")
    return found, f"{root}/" if root else ""


def _part(section: Parameters, name: str, default: int) -> int:
    size = section.number(name, default, PART_MIN)
    if size > PART_MAX:
        raise section.error(name, f"expected a number of at most {PART_MAX}, not {size}")
    return size


def _storage_class(section: Parameters) -> str | None:
    name = section.text("storageclass", "STANDARD").upper()
    return None if name == "NONE" else name


class S3Driver(ObjectDriver):
    """Files in a bucket."""

    name = "s3"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Self:
        found, prefix = settings(parameters)
        return cls(S3Store(found), prefix)
