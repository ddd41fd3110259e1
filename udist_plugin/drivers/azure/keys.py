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
    Key("connectionstring", _SECRET, None, "the connection string: account, key and endpoint"),
    Key("credentials.type", _CREDENTIALS, None, "how to authenticate; by default, what the other keys allow"),
    Key("credentials.clientid", _TEXT, None, "the application's id, for client_secret"),
    Key("credentials.tenantid", _TEXT, None, "the application's tenant"),
    Key("credentials.secret", _SECRET, None, "the application's secret"),
    Key("spn.client_id", _TEXT, None, "credentials.clientid (udistribution's)"),
    Key("spn.tenant_id", _TEXT, None, "credentials.tenantid (udistribution's)"),
    Key("spn.client_secret", _SECRET, None, "credentials.secret (udistribution's)"),
    Key("aad_endpoint", _TEXT, None, "the authority that issues tokens (udistribution's)"),
    Key("realm", _TEXT, "core.windows.net", "the cloud's domain"),
    Key("serviceurl", _TEXT, None, "the URL of the blob service"),
    Key("rootdirectory", _TEXT, "", "a prefix of all names in the container"),
    Key("trimlegacyrootprefix", _FLAG, None, "no slash before names; without this key, version 2 wrote one"),
    Key("max_retries", Integer(-1, 1000), None, "retries, within a minute; -1 for none"),
    Key("retry_delay", _DELAY, RETRY_DELAY, "the wait before the first retry"),
    Key("copy_status_poll_max_retry", _COUNT, 5, "polls of a copy's status, in version 2", NO_EFFECT),
    Key("copy_status_poll_delay", _DELAY, 0.1, "the wait between polls", NO_EFFECT),
    Key("skipverify", _FLAG, False, "do not verify the service's certificate"),
)
