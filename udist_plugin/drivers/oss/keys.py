"""``storage.oss``: the parameters of distribution's version 2.8."""

from __future__ import annotations

from typing import Final

from udist_plugin.drivers.objects.limits import PART_MAX, PART_MIN
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Integer, Secret, Text

PART_SIZE: Final = 10 << 20

_FLAG = Boolean()
_TEXT = Text()
_SECRET = Secret()
_BUCKET = Text(
    "3 to 63 letters, digits and hyphens, no hyphen at either end",
    r"[A-Za-z0-9][A-Za-z0-9-]{1,61}[A-Za-z0-9]",
)

KEYS: Final = (
    Key("accesskeyid", _SECRET, REQUIRED, "the access key's id"),
    Key("accesskeysecret", _SECRET, REQUIRED, "the secret access key"),
    Key("region", Text("a region such as oss-cn-hangzhou", r".+"), REQUIRED, "the bucket's region"),
    Key("bucket", _BUCKET, REQUIRED, "the bucket"),
    Key("endpoint", _TEXT, None, "the bucket's own host, or a custom domain bound to it"),
    Key("internal", _FLAG, False, "use the address inside Alibaba Cloud's network"),
    Key("secure", _FLAG, True, "use HTTPS"),
    Key("encrypt", _FLAG, False, "encrypt objects on the server"),
    Key("encryptionkeyid", _TEXT, None, "the KMS key, with encrypt"),
    Key("chunksize", Integer(PART_MIN, PART_MAX), PART_SIZE, "the size of an upload's parts, in bytes"),
    Key("rootdirectory", _TEXT, "", "a prefix of all keys in the bucket"),
)
