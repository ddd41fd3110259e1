"""go-plugin's handshake, from the plugin's side: variables of the environment, and a line on standard output.

``PLUGIN_PROTOCOL_VERSIONS`` is not looked at: there is one version, and a host that has another says so, to
its user, when it reads the line.
"""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE: Final = ("UDIST_PLUGIN_COOKIE", "7c1c1e0b5d1f4f0e8a4b9f6e2d3a5c7091b8e6f4d2c0a3957e1b4d6f8a2c5e30")
"""The magic cookie's variable and value: they tell a host from a user who runs the plugin by hand."""

CORE_VERSION: Final = 1
VERSION: Final = 1

NOT_BY_HAND: Final = """\
This binary is a plugin. These are not meant to be executed directly.
Please execute the program that consumes these plugins, which will
load any plugins automatically
"""
"""go-plugin's own words."""

MAX_LINE: Final = 4096
"""Characters of the line: a host stops reading at one of 64 KiB."""


def was_spawned(environ: Mapping[str, str]) -> bool:
    """Whether a host started this process."""
    name, value = COOKIE
    return environ.get(name) == value


def refusal(environ: Mapping[str, str]) -> str | None:
    """What the host asks for and cannot have."""
    if environ.get("PLUGIN_CLIENT_CERT"):
        return "AutoMTLS is not supported: turn it off in the host; the socket is open to its user alone"
    if environ.get("PLUGIN_UNIX_SOCKET_GROUP"):
        return "a group for the socket is not supported: the socket is open to its user alone"
    return None


def handshake_line(path: str, environ: Mapping[str, str]) -> str:
    """Where the server is: versions, network, address, protocol and no certificate. A host that asks for the
    broker's multiplexing is told that there is none."""
    line = f"{CORE_VERSION}|{VERSION}|unix|{path}|grpc|"
    return line + ("|false\n" if environ.get("PLUGIN_MULTIPLEX_GRPC") else "\n")


def refusal_line(problem: str) -> str:
    """The same place for a message: go-plugin shows a line that it does not recognize to its user."""
    first = problem.strip().replace("\n", "; ").replace("|", "/")
    return f"udist-plugin: {first[:MAX_LINE]}\n"
