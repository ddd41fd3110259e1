#!/usr/bin/env bash
# distribution v3 sends a pull event for a manifest that it refuses to hand out, and two for one old client's pull.
#
# The event is sent when the manifest has been read from the store, which is before `Accept` is compared with its
# media type. A client that does not accept OCI manifests is answered 404, and whoever counts pulls by events counts
# one. A Docker list asked for by its tag and without its media type is replaced by its image for linux/amd64: the
# list and the image are each told of as pulled, though one manifest was sent. A HEAD is a pull, too; a 304 is none.
#
# Seen with github.com/distribution/distribution/v3 v3.1.2, Go 1.26:
#   an OCI manifest, accepted: 200, pull
#   an OCI manifest, not accepted: 404, pull
#   HEAD of it: 200, pull
#   a client that has it: 304, none
#   a Docker list, for a client of images only: 200, pull pull
# Needs go and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN="$folder" go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2

cat >"$folder/pull.py" <<'PROGRAM'
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
OCI = "application/vnd.oci.image.manifest.v1+json"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
events = queue.Queue()


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for event in content["events"]:
            events.put((event["action"], event["target"].get("mediaType", "")))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(method, path, content=None, **headers):
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    response.read()
    return response


def push_blob(content):
    place = ask("POST", "/v2/a/blobs/uploads/").headers["Location"].partition(address)[2]
    mark = "&" if "?" in place else "?"
    ask("PUT", f"{place}{mark}digest={digest(content)}", content)


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(media_type, content, **more):
    return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}


def push_manifest(tag, media_type, **fields):
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode()
    assert ask("PUT", f"/v2/a/manifests/{tag}", content, Content_Type=media_type).status == 201
    return content


def show(what, response):
    """The events up to one of a push that ends the row; they come in order."""
    push_blob(what.encode())
    seen = []
    while (event := events.get(timeout=30))[1] != "application/octet-stream":
        seen.append(event[0])
    print(f"{what}: {response.status}, {' '.join(seen) or 'none'}")


endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=endpoint.serve_forever, daemon=True).start()
told = {"name": "told", "url": f"http://127.0.0.1:{endpoint.server_port}/", "timeout": "5s", "threshold": 3, "backoff": "1s"}
with open(f"{folder}/config.yml", "w") as file:
    json.dump(
        {
            "version": "0.1",
            "storage": {"inmemory": {}},
            "http": {"addr": "127.0.0.1:0"},
            "notifications": {"endpoints": [told]},
        },
        file,
    )
registry = subprocess.Popen(
    [f"{folder}/registry", "serve", f"{folder}/config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
)
try:
    address = next(found[1] for line in registry.stderr if (found := re.search(r"listening on (127\.0\.0\.1:\d+)", line)))
    threading.Thread(target=registry.stderr.read, daemon=True).start()
    push_blob(b"{}")
    config = descriptor("application/vnd.oci.image.config.v1+json", b"{}")
    push_manifest("oci", OCI, config=config, layers=[])
    image = push_manifest("image", IMAGE, config={**config, "mediaType": "application/vnd.docker.container.image.v1+json"}, layers=[])
    platform = {"architecture": "amd64", "os": "linux"}
    push_manifest("list", LIST, manifests=[descriptor(IMAGE, image, platform=platform)])
    while events.get(timeout=30)[1] != LIST:
        pass

    oci = "/v2/a/manifests/oci"
    accepted = ask("GET", oci, Accept=OCI)
    show("an OCI manifest, accepted", accepted)
    show("an OCI manifest, not accepted", ask("GET", oci, Accept=IMAGE))
    show("HEAD of it", ask("HEAD", oci, Accept=OCI))
    show("a client that has it", ask("GET", oci, Accept=OCI, If_None_Match=accepted.headers["ETag"]))
    show("a Docker list, for a client of images only", ask("GET", "/v2/a/manifests/list", Accept=IMAGE))
finally:
    registry.kill()
    registry.wait()
PROGRAM

seen=$(python3 "$folder/pull.py" "$folder")
echo "$seen"
[ "$seen" = "an OCI manifest, accepted: 200, pull
an OCI manifest, not accepted: 404, pull
HEAD of it: 200, pull
a client that has it: 304, none
a Docker list, for a client of images only: 200, pull pull" ]
