"""A plugin whose application prints, as a careless library would, and logs."""

import os

from udist_plugin.server.grpc.serving import Host, serve


class Service:
    drain_timeout = 5.0
    max_streams = 64
    spin = 0.0
    warnings = ()

    def __call__(self, environ, start_response):
        print("printed " + environ["PATH_INFO"], flush=True)  # noqa: T201
        os.write(1, b"x" * 100_000 + b"\n")
        environ["wsgi.errors"].write("logged " + environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def start(self, record):
        record("info", "started")

    def warm_up(self):
        pass

    def wait_within(self, context):  # noqa: ARG002
        return False

    def close(self):
        pass


def build(log):
    log.configure("info", "hclog", {})
    return Service()


serve(Host(os.environ, os.getppid(), float(os.environ.get("KEEP", 0))), build)
