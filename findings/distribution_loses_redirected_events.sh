#!/usr/bin/env bash
# distribution v3 counts a notification as delivered although its content reached nobody.
#
# An endpoint for notifications that has moved and answers 301, 302 or 303 is followed as a browser would: a GET
# without content. The status of that GET is taken for the endpoint's, and any status below 400 ends the event. So
# an endpoint put behind a redirect to https, or given a trailing slash, gets an empty request for each event, and
# the event is not sent again. After 307 and 308 the POST is repeated with its content.
#
# Seen with github.com/distribution/distribution/v3 v3.1.2, Go 1.26:
#   301: GET without content
#   302: GET without content
#   303: GET without content
#   307: POST with push
#   308: POST with push
# Needs go and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN="$folder" go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2

cat >"$folder/notify.py" <<'PROGRAM'
import hashlib
import http.client
import json
import queue
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
received = queue.Queue()


class Endpoint(BaseHTTPRequestHandler):
    def answer(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/moved/"):
            self.send_response(int(self.path.removeprefix("/moved/")))
            self.send_header("Location", "/here")
        else:
            actions = " ".join(event["action"] for event in json.loads(content)["events"]) if content else ""
            received.put(f"{self.command} with {actions}" if content else f"{self.command} without content")
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=endpoint.serve_forever, daemon=True).start()


def push(address):
    content = b"hello"
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", "/v2/a/blobs/uploads/")
    response = connection.getresponse()
    response.read()
    place = response.headers["Location"].partition(address)[2]
    mark = "&" if "?" in place else "?"
    connection.request("PUT", f"{place}{mark}digest=sha256:{hashlib.sha256(content).hexdigest()}", content)
    assert connection.getresponse().status == 201


for status in (301, 302, 303, 307, 308):
    config = f"{folder}/{status}.yml"
    with open(config, "w") as file:
        moved = {
            "name": "moved",
            "url": f"http://127.0.0.1:{endpoint.server_port}/moved/{status}",
            "timeout": "5s",
            "threshold": 3,
            "backoff": "1s",
        }
        json.dump(
            {
                "version": "0.1",
                "storage": {"inmemory": {}},
                "http": {"addr": "127.0.0.1:0"},
                "notifications": {"endpoints": [moved]},
            },
            file,
        )
    registry = subprocess.Popen(
        [f"{folder}/registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        address = next(
            found[1] for line in registry.stderr if (found := re.search(r"listening on (127\.0\.0\.1:\d+)", line))
        )
        threading.Thread(target=registry.stderr.read, daemon=True).start()
        push(address)
        print(f"{status}: {received.get(timeout=30)}")
    finally:
        registry.kill()
        registry.wait()
PROGRAM

seen=$(python3 "$folder/notify.py" "$folder")
echo "$seen"
[ "$seen" = "301: GET without content
302: GET without content
303: GET without content
307: POST with push
308: POST with push" ]
