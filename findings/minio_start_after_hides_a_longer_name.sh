#!/usr/bin/env bash
# MinIO ends a list that starts after a key too soon, if another folder's name is longer and sorts before.
#
# By their keys, "a-b/1" comes before "a/1". Asked for what comes after "a/1", MinIO also walks the folder "a-b",
# drops what it finds there, and counts it towards the page. If "a-b" holds some keys more than a page, "a/2" and
# "a/3" are missing, and the list says that it is complete. The old list with a marker does the same. A list from the
# beginning, continued by its tokens, is whole, and so is one with the prefix "a/".
#
# Seen with github.com/minio/minio v0.0.0-20260212201848-7aac2a2c5b7c, Go 1.26, boto3 1.44.5:
#   StartAfter, 8 a page: ['a/2', 'a/3', 'b'] truncated: False
#   StartAfter, 3 a page: ['b'] truncated: False
#   Marker, 3 a page: ['b'] truncated: False
#   tokens, 3 a page: ['a-b/1', 'a-b/2', 'a-b/3', 'a-b/4', 'a-b/5', 'a-b/6', 'a-b/7', 'a-b/8', 'a/1', 'a/2', 'a/3', 'b']
#   StartAfter with the prefix a/, 3 a page: ['a/2', 'a/3'] truncated: False
# Needs go and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN="$folder" go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q boto3==1.44.5

cat >"$folder/list.py" <<'PROGRAM'
import os
import socket
import subprocess
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

folder = sys.argv[1]
with socket.create_server(("127.0.0.1", 0)) as free:
    address = f"127.0.0.1:{free.getsockname()[1]}"
environ = os.environ | {"MINIO_ROOT_USER": "someone", "MINIO_ROOT_PASSWORD": "something"}
command = [f"{folder}/minio", "server", "--quiet", "--address", address, f"{folder}/data"]
server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
try:
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://{address}",
        region_name="us-east-1",
        aws_access_key_id="someone",
        aws_secret_access_key="something",
    )
    for _ in range(60):
        try:
            s3.create_bucket(Bucket="bucket")
            break
        except (BotoCoreError, ClientError):
            time.sleep(0.5)
    for key in (*(f"a-b/{number}" for number in range(1, 9)), "a/1", "a/2", "a/3", "b"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"")

    def show(what, page):
        print(f"{what}: {keys(page)} truncated: {page['IsTruncated']}")

    def keys(page):
        return [each["Key"] for each in page.get("Contents", [])]

    for size in (8, 3):
        show(f"StartAfter, {size} a page", s3.list_objects_v2(Bucket="bucket", StartAfter="a/1", MaxKeys=size))
    show("Marker, 3 a page", s3.list_objects(Bucket="bucket", Marker="a/1", MaxKeys=3))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 3})
    print("tokens, 3 a page:", [key for page in pages for key in keys(page)])
    below = s3.list_objects_v2(Bucket="bucket", Prefix="a/", StartAfter="a/1", MaxKeys=3)
    show("StartAfter with the prefix a/, 3 a page", below)
finally:
    server.kill()
PROGRAM

seen=$("$folder/venv/bin/python" "$folder/list.py" "$folder")
echo "$seen"
[ "$seen" = "StartAfter, 8 a page: ['a/2', 'a/3', 'b'] truncated: False
StartAfter, 3 a page: ['b'] truncated: False
Marker, 3 a page: ['b'] truncated: False
tokens, 3 a page: ['a-b/1', 'a-b/2', 'a-b/3', 'a-b/4', 'a-b/5', 'a-b/6', 'a-b/7', 'a-b/8', 'a/1', 'a/2', 'a/3', 'b']
StartAfter with the prefix a/, 3 a page: ['a/2', 'a/3'] truncated: False" ]
