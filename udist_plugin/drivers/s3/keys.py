"""``storage.s3``: distribution's parameters of its versions 2 and 3, and the names udistribution added."""

from __future__ import annotations

from typing import Final

from udist_plugin.drivers.objects.limits import COPY_SIZE, PART_MAX, PART_MIN
from udist_plugin.keys import NO_EFFECT, REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Integer, Secret, Text

PART_SIZE: Final = 10 << 20
COPIES: Final = 100

_FLAG = Boolean()
_TEXT = Text()
_SECRET = Secret()
_PART = Integer(PART_MIN, PART_MAX)
_CLASS = Choice(
    "NONE",
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "OUTPOSTS",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
)
_ACL = Choice(
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
_LOG = Choice(
    "off",
    "false",
    "debug",
    "debugwithsigning",
    "debugwithhttpbody",
    "debugwithrequestretries",
    "debugwithrequesterrors",
    "debugwitheventstreambody",
)

KEYS: Final = (
    Key("bucket", Text("the name of a bucket", r".+"), REQUIRED, "the bucket"),
    Key("region", _TEXT, None, "the bucket's region"),
    Key("regionendpoint", _TEXT, None, "the endpoint of an S3-compatible service"),
    Key(
        "forcepathstyle",
        _FLAG,
        None,
        "put the bucket in the path, not in the host; the default with regionendpoint",
    ),
    Key("accesskey", _SECRET, None, "the access key's id; without it, the SDK finds credentials"),
    Key("secretkey", _SECRET, None, "the secret access key"),
    Key("sessiontoken", _SECRET, None, "the session token of temporary credentials"),
    Key("credentialsconfigpath", _TEXT, None, "a shared credentials file (udistribution's)"),
    Key("profile", _TEXT, None, "the old name of udist.s3.profile"),
    Key("rootdirectory", _TEXT, "", "a prefix of all keys in the bucket"),
    Key("encrypt", _FLAG, False, "encrypt objects on the server"),
    Key("keyid", _TEXT, None, "the KMS key, with encrypt"),
    Key("secure", _FLAG, True, "use HTTPS if regionendpoint names no scheme"),
    Key("skipverify", _FLAG, False, "do not verify the endpoint's certificate"),
    Key("cafile", _TEXT, None, "the old name of udist.s3.cafile"),
    Key("v4auth", _FLAG, True, "sign requests with version 4; false for version 2, for old services"),
    Key("chunksize", _PART, PART_SIZE, "the size of an upload's parts, in bytes"),
    Key("multipartcopychunksize", _PART, COPY_SIZE, "the size of a copy's parts, in bytes"),
    Key("multipartcopymaxconcurrency", Integer(1, 1 << 31), COPIES, "parts copied in parallel"),
    Key(
        "multipartcopythresholdsize",
        Integer(0, PART_MAX),
        COPY_SIZE,
        "the size in bytes above which a copy is made in parts",
    ),
    Key("storageclass", _CLASS, "STANDARD", "the storage class of objects; NONE to send none"),
    Key("objectacl", _ACL, "private", "the canned ACL of objects"),
    Key("useragent", _TEXT, None, "text added to the User-Agent of requests"),
    Key("usedualstack", _FLAG, False, "use Amazon's dual-stack endpoints"),
    Key("usefipsendpoint", _FLAG, False, "use Amazon's FIPS endpoints"),
    Key("accelerate", _FLAG, False, "use Amazon's transfer acceleration"),
    Key("redirectendpoint", _TEXT, None, "the address that redirects use instead of the endpoint"),
    Key("loglevel", _LOG, "off", "the SDK's log; here log.level covers it", NO_EFFECT),
)
