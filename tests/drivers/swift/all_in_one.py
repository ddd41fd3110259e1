"""OpenStack Swift, whole, in this process: proxy, account, container and object server with one replica.

Run by the Python that has Swift, with an empty folder. Says its proxy's port on a line of standard output,
takes commands on standard input and answers each by a line; ends with standard input.

``hold`` has the container server hear nothing of objects, so that its listings lag; ``release`` has the
object server tell it all of that; ``forget`` throws away all tokens.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import eventlet
import eventlet.tpool
import eventlet.wsgi
from swift.common import utils

utils.eventlet_monkey_patch()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PIPELINE: Final = (
    "catch_errors gatekeeper cache listing_formats bulk tempurl tempauth copy container_quotas slo dlo"
)
OPTIONS: Final = {
    "slo": "rate_limit_under_size = 0\nmax_manifest_segments = 20",
    "tempauth": "user_test_tester = testing .admin\nuser_test_other = testing",
}
SERVERS: Final = ("account", "container", "object", "proxy")

held = False


class Memory:
    """What Swift asks of memcached."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str, **_: object) -> Any:
        return self.values.get(key)

    def set(self, key: str, value: object, **_: object) -> None:
        self.values[key] = json.loads(json.dumps(value))

    def delete(self, key: str, **_: object) -> None:
        self.values.pop(key, None)


memory = Memory()


def cache(_: object, **__: object) -> Callable[[Wsgi], Wsgi]:
    """The factory of a filter in place of Swift's, which needs memcached for tempauth's tokens."""

    def factory(app: Wsgi) -> Wsgi:
        def filtered(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            environ["swift.cache"] = memory
            return app(environ, start)

        return filtered

    return factory


def holding(app: Wsgi) -> Wsgi:
    """The container server, which while ``held`` refuses what object servers tell it."""

    def filtered(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        told = environ["PATH_INFO"].count("/") > 4 and environ["REQUEST_METHOD"] in ("PUT", "DELETE")
        if held and told:
            start("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return app(environ, start)

    return filtered


def build_rings(folder: str, ports: dict[str, int]) -> None:
    from swift.common.ring import RingBuilder

    for kind in ("account", "container", "object"):
        builder = RingBuilder(1, 1, 0)
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "disk", "meta": ""}
        for address in ("", "replication_"):
            device |= {f"{address}ip": "127.0.0.1", f"{address}port": ports[kind]}
        builder.add_dev(device)
        builder.rebalance()
        builder.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))


def configure(folder: str, kind: str) -> str:
    """The path of a server's configuration."""
    filters = PIPELINE.split() if kind == "proxy" else []
    lines = [
        "[DEFAULT]",
        f"swift_dir = {folder}",
        f"devices = {folder}/devices",
        "mount_check = false",
        "disable_fallocate = true",
        "fallocate_reserve = 0",
        f"log_address = {folder}/no-log",
        "[pipeline:main]",
        f"pipeline = {' '.join([*filters, kind])}",
        f"[app:{kind}]",
        f"use = egg:swift#{kind}",
        "account_autocreate = true",
    ]
    for each in filters:
        use = "paste.filter_factory = all_in_one:cache" if each == "cache" else f"use = egg:swift#{each}"
        lines += [f"[filter:{each}]", use, OPTIONS.get(each, "")]
    path = os.path.join(folder, f"{kind}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return path


def serve(folder: str) -> int:
    """Starts all servers; the proxy's port."""
    from swift.common.wsgi import loadapp

    os.makedirs(os.path.join(folder, "devices", "disk"))
    with open(os.path.join(folder, "swift.conf"), "w", encoding="utf-8") as file:
        file.write("[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n")
    utils.set_swift_dir(folder)
    utils.validate_configuration()
    sockets = {kind: eventlet.listen(("127.0.0.1", 0), backlog=512) for kind in SERVERS}
    ports = {kind: each.getsockname()[1] for kind, each in sockets.items()}
    build_rings(folder, ports)
    for kind, each in sockets.items():
        app = loadapp(configure(folder, kind), global_conf={"log_name": kind})
        app = holding(app) if kind == "container" else app
        eventlet.spawn(eventlet.wsgi.server, each, app, log_output=False, debug=False, max_size=512)
    port: int = ports["proxy"]
    return port


def obey(folder: str, command: str) -> None:
    global held
    from swift.obj.updater import ObjectUpdater

    match command:
        case "hold":
            held = True
        case "release":
            held = False
            options = {"swift_dir": folder, "devices": f"{folder}/devices", "mount_check": "false"}
            ObjectUpdater(options).object_sweep(f"{folder}/devices/disk")  # run_once forks
        case "forget":
            memory.values.clear()


def main(folder: str) -> None:
    wire = os.dup(1)
    os.dup2(2, 1)
    sys.modules["all_in_one"] = sys.modules["__main__"]
    os.write(wire, b"%d\n" % serve(folder))
    while command := eventlet.tpool.execute(sys.stdin.readline):
        obey(folder, command.strip())
        os.write(wire, b"done\n")


if __name__ == "__main__":
    main(sys.argv[1])
