#!/usr/bin/env bash
# botocore sends Expect: 100-continue with every put_object, however small, and waits for the answer.
#
# The field is meant to spare a large body that will be refused, so one would look for it on large bodies. botocore
# adds it for 16 bytes as well. So each small object costs two round trips, and with a service that sends no interim
# response (RFC 9110 allows that) each costs a second, which is the time botocore waits before it sends the body
# unasked. No retry and no log above debug tells of it. The event before-send.s3.PutObject can take the field away.
#
# Seen with boto3 1.44.5 (botocore 1.44.5), Python 3.11, against a local server, 16 bytes:
#   answered: asked, more than a second: False
#   silent: asked, more than a second: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q boto3==1.44.5 botocore==1.44.5

cat >"$folder/put.py" <<'PROGRAM'
import socket
import threading
import time

import boto3

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "a"\r\n\r\n'
asked = []


def serve(listener, interim):
    connection, _ = listener.accept()
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, data = data.partition(b"\r\n\r\n")
    asked.append(b"expect: 100-continue" in head.lower())
    if asked[-1] and interim:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(data) < int(lines[0].partition(b":")[2]):
        data += connection.recv(65536)
    connection.sendall(ANSWER)


def put(interim):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, interim), daemon=True).start()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
    start = time.monotonic()
    client.put_object(Bucket="bucket", Key="key", Body=b"sixteen bytes...")
    return time.monotonic() - start


for name, interim in (("answered", True), ("silent", False)):
    seconds = put(interim)
    print(f"{name}: {'asked' if asked[-1] else 'not asked'}, more than a second: {seconds > 1}")
PROGRAM

seen=$("$folder/venv/bin/python" "$folder/put.py")
echo "$seen"
[ "$seen" = "answered: asked, more than a second: False
silent: asked, more than a second: True" ]
