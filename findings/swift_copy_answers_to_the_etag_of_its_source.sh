#!/usr/bin/env bash
# A copy that Swift makes of a static large object answers conditions by the ETag of its source, and shows another.
#
# The copy is a whole object with an MD5 of its own, which HEAD shows. But Swift copies the source's system metadata
# along, also with X-Fresh-Metadata, and in it the large object's ETag (X-Object-Sysmeta-Slo-Etag). Conditions are
# compared with that. So a client that sends the ETag it was shown is told that the object has changed, and a copy
# of the copy on the condition that it is still the same never succeeds.
#
# Seen with swift 2.38.0, Python 3.11:
#   shown: 336311a016184326ddbdd61edd4eeb52
#   If-Match, the ETag shown: 412
#   If-Match, the ETag of the source: 200
#   If-None-Match, the ETag shown: 200
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)/tests/drivers/swift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps -r "$here/requirements.txt"

cat >"$folder/ask.py" <<'PROGRAM'
import json
import subprocess
import sys

import requests

program, folder = sys.argv[1:]
server = subprocess.Popen(
    [sys.executable, "-W", "ignore", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
try:
    url = f"http://127.0.0.1:{int(server.stdout.readline())}"
    login = {"X-Auth-User": "test:tester", "X-Auth-Key": "testing"}
    found = requests.get(f"{url}/auth/v1.0", headers=login).headers
    container = found["X-Storage-Url"] + "/c"

    def ask(method, name, content=None, **fields):
        headers = {"X-Auth-Token": found["X-Auth-Token"]} | {k.replace("_", "-"): v for k, v in fields.items()}
        return requests.request(method, container + name, data=content, headers=headers)

    ask("PUT", "")
    ask("PUT", "/1", b"x" * 10)
    ask("PUT", "/large?multipart-manifest=put", json.dumps([{"path": "/c/1"}]))
    ask("PUT", "/copy", X_Copy_From="c/large", X_Fresh_Metadata="true").raise_for_status()
    shown, source = ask("HEAD", "/copy").headers["Etag"], ask("HEAD", "/large").headers["Etag"]
    print("shown:", shown)
    print("If-Match, the ETag shown:", ask("GET", "/copy", If_Match=shown).status_code)
    print("If-Match, the ETag of the source:", ask("GET", "/copy", If_Match=source).status_code)
    print("If-None-Match, the ETag shown:", ask("GET", "/copy", If_None_Match=shown).status_code)
finally:
    server.kill()
PROGRAM

mkdir "$folder/swift"
seen=$("$folder/venv/bin/python" "$folder/ask.py" "$here/all_in_one.py" "$folder/swift")
echo "$seen"
[ "$(tail -n +2 <<<"$seen")" = "If-Match, the ETag shown: 412
If-Match, the ETag of the source: 200
If-None-Match, the ETag shown: 200" ]
