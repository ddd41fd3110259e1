"""From a configuration to the bridge and its queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.notifications.bridge import Bridge
from udist_plugin.notifications.endpoints import CallbackEndpoint, endpoint
from udist_plugin.notifications.events import FORMATS
from udist_plugin.notifications.queue import Notifications, Queue, Rules
from udist_plugin.notifications.spool import Spool
from udist_plugin.redaction import without_login, without_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from udist_plugin.config.model import Configuration
    from udist_plugin.notifications.queue import Endpoint, Meter

    Callback = Callable[[dict[str, Any]], object]

CALLBACK = "on_event"
"""What the endpoint is called that is a function of Python."""


def open_bridge(
    configuration: Configuration,
    environ: Mapping[str, str],
    callback: Callback | None = None,
    meter: Callable[[str], Meter] | None = None,
) -> Bridge | None:
    """The bridge to all endpoints, not yet started; ``None`` if there are none.

    ``environ`` names proxies. ``callback`` is one more endpoint. ``meter`` makes what counts for the metrics
    of an endpoint.
    """
    own, spool = configuration.udist.notifications, configuration.udist.notifications.spool
    queues = [
        Queue(
            f"notifications to {name}",
            sink,
            rules._replace(limit=own.queue),
            meter and meter(name),
            Spool(spool, name) if spool else None,
        )
        for name, sink, rules in _endpoints(configuration, environ, callback)
    ]
    if not queues:
        return None
    http = configuration.http
    # Requests may have used the other half already.
    job = Notifications(queues, http.draintimeout / 2)
    base = http.host.rstrip("/") or http.prefix[:-1]
    return Bridge(job, FORMATS[own.format], base, relative=http.relativeurls)


def _endpoints(
    configuration: Configuration, environ: Mapping[str, str], callback: Callback | None
) -> Iterator[tuple[str, Endpoint, Rules]]:
    """Each with its name and its rules."""
    if callback is not None:
        yield CALLBACK, CallbackEndpoint(callback), Rules()
    media_type = FORMATS[configuration.udist.notifications.format].media_type
    for each in configuration.notifications.endpoints if configuration.notifications else ():
        ignored = {*each.ignoredmediatypes, *each.ignore.mediatypes, *each.ignore.actions}
        yield (
            each.name or without_query(without_login(each.url)),
            endpoint(each.url, media_type, each.headers, each.timeout, environ),
            Rules(each.threshold, each.backoff, ignored=frozenset(ignored)),
        )
