"""``http.tls``: the listener's certificates; there is no listener here."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import NO_LISTENER, Key
from udist_plugin.kinds import Choice, Text

_TEXT = Text()
_MODE = Choice(
    "request-client-cert",
    "require-any-client-cert",
    "verify-client-cert-if-given",
    "require-and-verify-client-cert",
)

KEYS: Final = (
    Key("certificate", _TEXT, "", "the certificate's file", NO_LISTENER),
    Key("key", _TEXT, "", "the private key's file", NO_LISTENER),
    Key("clientcas[]", _TEXT, None, "files of CA certificates for clients' certificates", NO_LISTENER),
    Key("clientauth", _MODE, None, "whether clients need a certificate", NO_LISTENER),
    Key("minimumtls", _TEXT, "", "the lowest TLS version", NO_LISTENER),
    Key("ciphersuites[]", _TEXT, None, "the cipher suites", NO_LISTENER),
    Key("letsencrypt.cachefile", _TEXT, "", "where Let's Encrypt's certificates are kept", NO_LISTENER),
    Key("letsencrypt.email", _TEXT, "", "the contact address for Let's Encrypt", NO_LISTENER),
    Key("letsencrypt.hosts[]", _TEXT, None, "the hosts to get certificates for", NO_LISTENER),
    Key("letsencrypt.directoryurl", _TEXT, "", "the directory URL of another ACME authority", NO_LISTENER),
)
