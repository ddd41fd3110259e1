#!/usr/bin/env bash
# botocore's retry mode "standard" rides out an outage of some nine seconds in 1.43, and of half a second in 1.44.
#
# Both make five attempts with an exponential back-off and jitter. Up to 1.43 the waits began near a second; from
# 1.44 on they begin near 50 ms. Nothing else changes, so a program that sets `total_max_attempts` to survive the
# restart of an object store stops surviving it with a minor release. Bound the time yourself, not the attempts.
#
# Seen with boto3 1.43.40 (botocore 1.43.127) and boto3 1.44.5 (botocore 1.44.8), Python 3.11, against a local
# server that answers every request with 503:
#   1.43.127: 5 attempts in 9.3 s
#   1.44.8: 5 attempts in 0.4 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/attempts.py" <<'PROGRAM'
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

seen = []


class Unavailable(BaseHTTPRequestHandler):
    def do_HEAD(self):
        seen.append(time.monotonic())
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Unavailable)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="id",
    aws_secret_access_key="secret",
    config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
)
try:
    client.head_bucket(Bucket="bucket")
except ClientError:
    pass
print(f"{botocore.__version__}: {len(seen)} attempts in {seen[-1] - seen[0]:.1f} s")
PROGRAM

attempts() { # BOTO3 BOTOCORE
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q "boto3==$1" "botocore==$2"
    "$folder/$1/bin/python" "$folder/attempts.py"
}

before=$(attempts 1.43.40 1.43.127)
after=$(attempts 1.44.5 1.44.8)
printf '%s\n%s\n' "$before" "$after"
seconds() { sed 's/.* in \(.*\) s/\1/' <<<"$1"; }
[[ $before == *" 5 attempts "* && $after == *" 5 attempts "* ]]
awk -v before="$(seconds "$before")" -v after="$(seconds "$after")" 'BEGIN { exit !(before > 2 && after < 1.5) }'
