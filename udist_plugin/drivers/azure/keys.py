"""``storage.azure``: distribution's parameters of its versions 2 and 3, and the names udistribution added."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import NO_EFFECT, REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Duration, Integer, Secret, Text

RETRY_DELAY: Final = 0.1

_TEXT = Text()
_SECRET = Secret()
_CREDENTIALS = Choice("client_secret", "shared_key", "default_credentials", "default")
_FLAG = Boolean()
_COUNT = Integer(0, 1000)
_DELAY = Duration(unit_needed=True)

KEYS: Final = (
    Key("container", Text("the name of a container", r".+"), REQUIRED, "the container"),
    Key("accountname", _TEXT, None, "the storage account"),
    Key("accountkey", _SECRET, None, "the account's shared key"),
    Key("connectionstring", _SECRET, None, "account, key and endpoint in one"),
    Key("credentials.type", _CREDENTIALS, None, "how to authenticate; by default by what is given"),
    Key("credentials.clientid", _TEXT, None, "the application, for client_secret"),
    Key("credentials.tenantid", _TEXT, None, "its tenant"),
    Key("credentials.secret", _SECRET, None, "its secret"),
    Key("spn.client_id", _TEXT, None, "credentials.clientid (udistribution's)"),
    Key("spn.tenant_id", _TEXT, None, "credentials.tenantid (udistribution's)"),
    Key("spn.client_secret", _SECRET, None, "credentials.secret (udistribution's)"),
    Key("aad_endpoint", _TEXT, None, "the authority that issues tokens (udistribution's)"),
    Key("realm", _TEXT, "core.windows.net", "the cloud's domain, behind the account's name and blob"),
    Key("serviceurl", _TEXT, None, "the blob service's whole address"),
    Key("rootdirectory", _TEXT, "", "a prefix of all names in the container"),
    Key("trimlegacyrootprefix", _FLAG, None, "no slash before names; version 2 wrote one unless this is set"),
    Key("max_retries", Integer(-1, 1000), None, "tries after the first, within a minute; -1: none"),
    Key("retry_delay", _DELAY, RETRY_DELAY, "the wait before the second try"),
    Key("copy_status_poll_max_retry", _COUNT, 5, "looks at a copy, version 2's way of making one", NO_EFFECT),
    Key("copy_status_poll_delay", _DELAY, 0.1, "the wait between two of them", NO_EFFECT),
    Key("skipverify", _FLAG, False, "any certificate of the service will do"),
)
