"""Programs that gevent or eventlet has patched: they work, or are told what to patch."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from udist_plugin import Plugin
from udist_plugin.errors import TransportError
from udist_plugin.oci.digest import Digest

CONTENT = bytes(range(256)) * 20000
BLOB = f"/v2/a/blobs/{Digest.of(CONTENT)}"
PUSH = BLOB.replace("blobs/", "blobs/uploads/?digest=")

def push(plugin):
    with plugin.request("POST", PUSH, body=CONTENT, timeout=60) as response:
        assert response.status == 201
    with plugin.request("GET", BLOB, timeout=60) as response:
        assert response.read() == CONTENT

try:
    plugin = Plugin("version: 0.1\\nstorage: {inmemory: {}}", {})
except TransportError as error:
    raise SystemExit(str(error)) from None
"""

GEVENT = """
from gevent import joinall, spawn
jobs = [spawn(push, plugin) for _ in range(10)]
joinall(jobs, timeout=60, raise_error=True)
plugin.close()
print(plugin.status, sum(job.successful() for job in jobs))
"""

EVENTLET = """
from eventlet import GreenPool, tpool
pool = GreenPool()
jobs = [pool.spawn(tpool.execute, push, plugin) for _ in range(10)]
done = [job.wait() for job in jobs]
plugin.close()
print(plugin.status, len(done))
"""


def run(*parts: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", "\n".join(parts)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("patch", "use"),
    [
        ("import gevent.monkey; gevent.monkey.patch_all()", GEVENT),
        ("import eventlet; eventlet.monkey_patch(all=False, socket=True)", EVENTLET),
    ],
    ids=["gevent", "eventlet"],
)
def test_greenlets_use_a_plugin_at_once(patch: str, use: str) -> None:
    ran = run(patch, PROGRAM, use)
    assert (ran.stdout, ran.stderr) == ("0 10\n", "")


@pytest.mark.parametrize(
    ("patch", "advice"),
    [
        ("import eventlet; eventlet.monkey_patch()", "eventlet.monkey_patch(all=False, socket=True)"),
        ("import eventlet; eventlet.monkey_patch(select=False)", "eventlet.tpool.execute"),
        ("import gevent.monkey; gevent.monkey.patch_thread()", "gevent.monkey.patch_all()"),
    ],
    ids=["eventlet", "eventlet without select", "gevent without select"],
)
def test_a_patch_that_cannot_work_is_refused(patch: str, advice: str) -> None:
    ran = run(patch, PROGRAM, GEVENT if "gevent" in patch else EVENTLET)
    assert ran.returncode == 1
    assert advice in ran.stderr
    assert "Traceback" not in ran.stderr
