"""``REGCTL_CONFIG``: regctl's own file, which it reads before docker's."""

from __future__ import annotations

from udist_plugin.gateway.clients.reading import home, read_json, table
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.gateway.clients.place import Place


def variables(place: Place) -> dict[str, str]:
    """The file."""
    import json

    given = place.environ.get("REGCTL_CONFIG") or home(place.environ, ".regctl", "config.json")
    config = read_json(given, place.note)
    host = {"hostname": place.host, "tls": "disabled"}
    if place.credential:
        host |= {"user": place.credential.user, "pass": place.credential.password}
    if place.authority:
        host |= {"tls": "enabled", "regcert": place.authority}
    config["hosts"] = table(config.get("hosts")) | {place.host: host}
    return {"REGCTL_CONFIG": place.folder.write("regctl.json", json.dumps(config, indent=2))}
