"""All of the files."""

from __future__ import annotations

from udist_plugin.gateway.clients import containers, docker, regctl, trust
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.gateway.clients.place import Place


def write_files(place: Place) -> dict[str, str]:
    """Writes them, and returns the variables that name them."""
    variables = docker.variables(place) | containers.variables(place) | regctl.variables(place)
    return variables | trust.variables(place) if place.authority else variables
