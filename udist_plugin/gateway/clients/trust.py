"""Certificates that tools trust: the gateway's authority beside those that they trust without it."""

from __future__ import annotations

import os

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.gateway.clients.place import Place

SYSTEM: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # their newer ones
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, Alpine
)
"""Where the system's certificates are in one file."""

REPLACING: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables whose file takes the place of the system's certificates: Go and OpenSSL, requests, curl."""

ADDING: Final = "NODE_EXTRA_CA_CERTS"
"""The one of Node, whose file is added to them."""


def variables(place: Place) -> dict[str, str]:
    """The files. A file that the user has named stays in what takes its place."""
    system = next((path for path in SYSTEM if os.path.exists(path)), "")
    if not system:
        place.note("the system's certificates are not found, so the command trusts the registry's alone")
    found = {name: _bundle(place, name, system) for name in REPLACING}
    return found | {ADDING: _bundle(place, ADDING, "")}


def _bundle(place: Place, variable: str, otherwise: str) -> str:
    path = place.environ.get(variable) or otherwise
    known = b""
    if path:
        try:
            with open(path, "rb") as file:
                known = file.read().rstrip() + b"\n"
        except OSError as error:
            place.note(f"{variable}: {path} is left out: {error.strerror}")
    return place.folder.write(f"certificates/{variable.lower()}.pem", known + place.authority.encode())
