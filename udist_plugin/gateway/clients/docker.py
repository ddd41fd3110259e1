"""``DOCKER_CONFIG``: docker, crane, oras, helm, cosign, and others when they find nothing elsewhere.

Where the user's file names a ``credsStore``, oras and crane ask that instead of ``auths``, crane about each
repository as well. So a store of the gateway's own stands there, which asks the user's about all other hosts.
"""

from __future__ import annotations

import os

from udist_plugin.gateway.clients.reading import config_home, home, read_json, table
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from udist_plugin.gateway.clients.place import Place
    from udist_plugin.gateway.credential import Credential

CONFIG: Final = "config.json"
HELPER: Final = "udist-exec-"
"""Before the id: a gateway within another's command has the helper of each in its PATH."""

_PROGRAM: Final = """\
#!/bin/sh
# A docker credential helper that knows one host, and asks the user's own for all others.
if [ "$1" = get ]; then
    read -r host
    case ${{host#*://}} in
    {host} | {host}/*) printf '%s\\n' {answer} ;;
    *) printf '%s\\n' "$host" | {store} get ;;
    esac
else
    exec {store} "$@"
fi
"""


def variables(place: Place) -> dict[str, str]:
    """The folder, and the path of programs with the store where there is one."""
    import json

    given = place.environ.get("DOCKER_CONFIG") or home(place.environ, ".docker")
    config = _user_config(place, given)
    config["auths"] = usable(config.get("auths")) | login(place)
    found = {}
    if place.credential and (store := config.get("credsStore")):
        config["credsStore"] = f"{HELPER}{place.folder.id}"
        programs = _write_helper(place, place.credential, config["credsStore"], f"docker-credential-{store}")
        found["PATH"] = os.pathsep.join((place.environ.get("PATH", os.defpath), programs))
    path = place.folder.write(f"docker/{CONFIG}", json.dumps(config, indent=2))
    found["DOCKER_CONFIG"] = os.path.dirname(path)
    _link_others(given, found["DOCKER_CONFIG"])
    return found


def login(place: Place) -> dict[str, Any]:
    """The gateway's entry of ``auths``, if it has a credential of its own."""
    return {place.host: {"auth": place.credential.basic}} if place.credential else {}


def usable(auths: object) -> dict[str, Any]:
    """The entries without broken ones: they are of no use, and crane refuses a file with one."""
    return {host: entry for host, entry in table(auths).items() if _is_usable(entry)}


def _is_usable(entry: object) -> bool:
    from binascii import Error, a2b_base64

    if not isinstance(entry, dict):
        return False
    auth = entry.get("auth", "")
    if not isinstance(auth, str):
        return False
    try:
        return not auth or b":" in a2b_base64(auth, strict_mode=True)
    except (Error, ValueError):
        return False


def _user_config(place: Place, folder: str) -> dict[str, Any]:
    """What crane would read: without a file of docker's, the first there is of podman's."""
    own = os.path.join(folder, CONFIG)
    environ = place.environ
    if not os.path.exists(own) and not os.path.exists(home(environ, ".docker", CONFIG)):
        runtime = environ.get("XDG_RUNTIME_DIR")
        others = (
            environ.get("REGISTRY_AUTH_FILE"),
            os.path.join(runtime, "containers/auth.json") if runtime else None,
            config_home(environ, "containers/auth.json"),
        )
        own = next((path for path in others if path and os.path.exists(path)), own)
    return read_json(own, place.note)


def _write_helper(place: Place, credential: Credential, name: str, store: str) -> str:
    """The folder of the program ``name``, which asks the program ``store`` about other hosts."""
    import json
    from shlex import quote

    user, password = credential
    answer = json.dumps({"ServerURL": place.host, "Username": user, "Secret": password})
    program = _PROGRAM.format(host=place.host, answer=quote(answer), store=quote(store))
    return os.path.dirname(place.folder.write(f"bin/docker-credential-{name}", program, 0o700))


def _link_others(source: str, target: str) -> None:
    """Contexts, plugins and all else that docker keeps beside its file."""
    try:
        names = os.listdir(source)
    except OSError:
        return
    for name in names:
        if name != CONFIG:
            os.symlink(os.path.abspath(os.path.join(source, name)), os.path.join(target, name))
