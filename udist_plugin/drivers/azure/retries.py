"""Requests that fail in passing are sent again by azure-storage-blob, with pauses of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.azure.library import ExponentialRetry
from udist_plugin.drivers.objects.pauses import PATIENCE, Pauses

if TYPE_CHECKING:
    from udist_plugin.drivers.azure.settings import Settings

PATIENCE_OPTION: Final = "udist_patience"
"""The option of a request that is repeated for another time than ``PATIENCE``, in seconds."""

_ANY_NUMBER: Final = 1 << 30


class Retry(ExponentialRetry):
    """The library's choice of what is repeated, for as long as ``Pauses`` has it, and not more often than the
    settings have it."""

    def __init__(self, settings: Settings) -> None:
        number = _ANY_NUMBER if settings.retries is None else settings.retries
        kinds: dict[str, Any] = dict.fromkeys(("retry_connect", "retry_read", "retry_status"), number)
        super().__init__(retry_total=number, **kinds)
        self._delay = settings.retry_delay

    def configure_retries(self, request: Any) -> dict[str, Any]:
        patience = request.context.options.pop(PATIENCE_OPTION, PATIENCE)
        return {**super().configure_retries(request), "pauses": Pauses(patience, self._delay)}

    def increment(self, settings: dict[str, Any], *arguments: Any, **more: Any) -> bool:
        if not super().increment(settings, *arguments, **more):
            return False
        settings["pause"] = settings["pauses"].next()
        return settings["pause"] is not None

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        pause: float = settings["pause"]
        return pause
