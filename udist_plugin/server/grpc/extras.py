"""The health service and reflection, of grpcio's own packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, ReflectionServicer
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

from udist_plugin.wire.generated import plugin_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVICE: Final = plugin_pb2.DESCRIPTOR.services_by_name["PluginService"].full_name
HEALTHY: Final = ("", "plugin", SERVICE)
"""The server as a whole, what go-plugin asks for, and the service."""


def handlers() -> dict[str, Any]:
    """Their methods by path."""
    collected = _Collected()
    servicer = health.HealthServicer()
    for name in HEALTHY:
        servicer.set(name, HealthCheckResponse.SERVING)
    add_HealthServicer_to_server(servicer, collected)
    add_ServerReflectionServicer_to_server(
        ReflectionServicer([SERVICE, health.SERVICE_NAME, SERVICE_NAME]), collected
    )
    return collected.methods


class _Collected:
    """What the generated code takes for a server: it keeps the methods."""

    def __init__(self) -> None:
        self.methods: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """The same methods as below, in the form of older generated code."""

    def add_registered_method_handlers(self, service: str, methods: dict[str, Any]) -> None:
        self.methods |= {f"/{service}/{name}": method for name, method in methods.items()}
