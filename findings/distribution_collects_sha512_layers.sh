#!/usr/bin/env bash
# distribution v3's `garbage-collect` deletes the layers of a tagged image whose descriptors are of sha512.
#
# distribution accepts a blob pushed with a sha512 digest, and serves it. It stores the data below blobs/sha256, by
# the digest that it computes itself, and the link that bears the sha512 digest holds the sha256 one. The collector
# marks the digests that stand in manifests, here sha512 ones, and sweeps data whose own digest is not marked, here
# all of it. The image can no longer be pulled. (The collector then ends with status 1, because it deletes one link
# twice; by that time the layers are gone.)
#
# Seen with github.com/distribution/distribution/v3 v3.1.2, Go 1.26:
#   before: blob 200
#   3 blobs marked, 2 blobs and 0 manifests eligible for deletion
#   after: blob 404
# Needs go and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN="$folder" go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2

cat >"$folder/collect.py" <<'PROGRAM'
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys

folder = sys.argv[1]
registry, config = f"{folder}/registry", f"{folder}/config.yml"
with open(config, "w") as file:
    json.dump(
        {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": f"{folder}/store"}, "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0"},
        },
        file,
    )


class Server:
    def __enter__(self):
        self.process = subprocess.Popen(
            [registry, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
                self.address = found[1]
                return self
        raise SystemExit("the registry did not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, method, target, content=b"", kind="application/octet-stream"):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request(method, target, content, {"Content-Type": kind, "Accept": "*/*"})
        response = connection.getresponse()
        response.read()
        return response


def digest(content):
    return "sha512:" + hashlib.sha512(content).hexdigest()


def push(server, content):
    location = server.ask("POST", "/v2/demo/blobs/uploads/").headers["Location"].partition(server.address)[2]
    assert server.ask("PUT", f"{location}&digest={digest(content)}", content).status == 201
    return {"digest": digest(content), "size": len(content)}


image = "application/vnd.oci.image.manifest.v1+json"
with Server() as server:
    manifest = {
        "schemaVersion": 2,
        "mediaType": image,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **push(server, b"{}")},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **push(server, b"a layer")}],
    }
    assert server.ask("PUT", "/v2/demo/manifests/v1", json.dumps(manifest).encode(), image).status == 201
    layer = f"/v2/demo/blobs/{digest(b'a layer')}"
    print("before: blob", server.ask("GET", layer).status)
done = subprocess.run([registry, "garbage-collect", config], capture_output=True, text=True)
print(re.search(r"^\d+ blobs marked.*$", done.stdout, re.M)[0])
with Server() as server:
    print("after: blob", server.ask("GET", layer).status)
PROGRAM

seen=$(python3 "$folder/collect.py" "$folder")
echo "$seen"
[ "$seen" = $'before: blob 200\n3 blobs marked, 2 blobs and 0 manifests eligible for deletion\nafter: blob 404' ]
