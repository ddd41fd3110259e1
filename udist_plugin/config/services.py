"""Variables that Kubernetes sets in every container for each service, as Docker's links did: a service called
``registry-auth`` gives ``REGISTRY_AUTH_PORT``, which is none of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Compiled on first use.
_ADDRESS = r"(?:tcp|udp|sctp)://\S+:[0-9]+"
_PORT = r"\w+_PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?"
_PART = r"(\w+)_PORT_[0-9]+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR)"
_SERVICE = r"(\w+)_SERVICE_(?:HOST|PORT(?:_\w+)?)"


def service_variables(variables: Mapping[str, str]) -> list[str]:
    """The names of those that describe a service, in order."""
    return sorted(name for name, value in variables.items() if _describes_service(name, value, variables))


def _describes_service(name: str, value: str, variables: Mapping[str, str]) -> bool:
    if re.fullmatch(_PORT, name) and re.fullmatch(_ADDRESS, value):
        return True
    if match := re.fullmatch(_PART, name):
        return f"{match[1]}_PORT" in variables
    match = re.fullmatch(_SERVICE, name)
    return match is not None and {f"{match[1]}_SERVICE_HOST", f"{match[1]}_SERVICE_PORT"} <= variables.keys()
