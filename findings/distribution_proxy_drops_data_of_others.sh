#!/usr/bin/env bash
# distribution v3, as a pull-through cache, removes the data of a blob that another repository still has.
#
# When a blob's time to live is over in one repository, its data is removed, whoever else links to it. A repository
# that pulled the same blob later keeps a link to nothing. While the upstream is away, or no longer has the blob,
# it is lost before its time; else it is fetched again.
#
# Seen with github.com/distribution/distribution/v3 v3.1.2, Go 1.26, ttl 6s:
#   a pulls at 0 s: 200
#   b pulls at 3 s: 200
#   b pulls at 7.5 s, without the upstream: 500
# Needs go and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN="$folder" go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2

cat >"$folder/pull.py" <<'PROGRAM'
import hashlib
import http.client
import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

program, folder = sys.argv[1:]
blob = b"hello" * 1000
digest = hashlib.sha256(blob).hexdigest()


class Upstream(BaseHTTPRequestHandler):
    def do_GET(self):
        content = blob if "/blobs/" in self.path else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=upstream.serve_forever, daemon=True).start()


def pull(address, name, hexadecimal):
    connection = http.client.HTTPConnection(address)
    connection.request("GET", f"/v2/{name}/blobs/sha256:{hexadecimal}")
    response = connection.getresponse()
    response.read()
    return response.status


with open(f"{folder}/config.yml", "w") as file:
    json.dump(
        {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": f"{folder}/store"}, "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0"},
            "proxy": {"remoteurl": f"http://127.0.0.1:{upstream.server_port}", "ttl": "6s"},
        },
        file,
    )
server = subprocess.Popen(
    [program, "serve", f"{folder}/config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
)
try:
    for line in server.stderr:
        if found := re.search(r"listening on ([^\s\"]+)", line):
            break
    threading.Thread(target=server.stderr.read, daemon=True).start()
    address, began = found[1], time.monotonic()
    print("a pulls at 0 s:", pull(address, "a", digest))
    time.sleep(3)
    print("b pulls at 3 s:", pull(address, "b", digest))
    time.sleep(7.5 - (time.monotonic() - began))
    upstream.shutdown()
    upstream.server_close()
    print("b pulls at 7.5 s, without the upstream:", pull(address, "b", digest))
finally:
    server.kill()
    server.wait()
PROGRAM

seen=$(python3 "$folder/pull.py" "$folder/registry" "$folder")
echo "$seen"
[ "$seen" = "a pulls at 0 s: 200
b pulls at 3 s: 200
b pulls at 7.5 s, without the upstream: 500" ]
