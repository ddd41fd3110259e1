#!/usr/bin/env bash
# google-cloud-storage publishes a half-written object when its writer is dropped without being closed.
#
# `blob.open("wb")` gives a file-like writer. Within `with`, an exception leaves the object alone. But a writer that
# is only dropped, because the function that filled it raised, is closed by the garbage collector like any Python
# file, and closing ends the upload: what was written so far becomes the object, whole as far as any reader can
# tell. Only `with`, or an explicit terminate(), keeps a failed write from replacing good content.
#
# Seen with google-cloud-storage 3.17.1, Python 3.11, against a local stand-in that notes each upload's end:
#   dropped: PUT bytes 0-13/14
#   with: nothing was sent
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q google-cloud-storage==3.17.1

cat >"$folder/drop.py" <<'PROGRAM'
import gc
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sent = []


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, content, **fields):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        self.answer(b"{}", Location=f"http://127.0.0.1:{self.server.server_port}/session")

    def do_PUT(self):
        sent.append(f"PUT {self.headers['Content-Range']}")
        self.answer(json.dumps({"name": "a", "bucket": "b", "generation": "1"}).encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{server.server_port}"

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

bucket = Client(project="p", credentials=AnonymousCredentials()).bucket("b")


def fail():
    writer = bucket.blob("a").open("wb", checksum=None)
    writer.write(b"the first half")
    raise ValueError("the second half is missing")


def fail_within():
    with bucket.blob("a").open("wb", checksum=None) as writer:
        writer.write(b"the first half")
        raise ValueError("the second half is missing")


for name, write in (("dropped", fail), ("with", fail_within)):
    sent.clear()
    try:
        write()
    except ValueError:
        pass
    gc.collect()
    print(f"{name}: {', '.join(sent) or 'nothing was sent'}")
PROGRAM

seen=$("$folder/venv/bin/python" "$folder/drop.py")
echo "$seen"
[ "$seen" = $'dropped: PUT bytes 0-13/14\nwith: nothing was sent' ]
