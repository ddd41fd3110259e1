#!/usr/bin/env bash
# fsspec replaces a whole file with half of one when the block that writes it raises.
#
# `with fs.open(path, "wb")` closes the file on the way out, whatever the reason, and closing is what publishes it:
# the last part is sent, the upload is completed. The exception is not looked at, so the good content that stood
# there is gone. It holds for the file system in memory as for the local one, which writes to the path itself. Only
# a transaction throws the half away.
#
# Seen with fsspec 2026.9.0, Python 3.11:
#   memory: b'the first half'
#   memory, in a transaction: b'whole content'
#   file: b'the first half'
#   file, in a transaction: b'whole content'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q fsspec==2026.9.0

cat >"$folder/write.py" <<'PROGRAM'
import contextlib
import sys

import fsspec


def fail(system, path):
    with system.open(path, "wb") as file:
        file.write(b"the first half")
        raise ValueError("the second half is missing")


for protocol in ("memory", "file"):
    system = fsspec.filesystem(protocol)
    path = f"{sys.argv[1]}/a"
    for name, around in ((protocol, contextlib.nullcontext()), (f"{protocol}, in a transaction", system.transaction)):
        system.makedirs(sys.argv[1], exist_ok=True)
        system.pipe_file(path, b"whole content")
        with contextlib.suppress(ValueError), around:
            fail(system, path)
        print(f"{name}: {system.cat_file(path)}")
PROGRAM

seen=$("$folder/venv/bin/python" "$folder/write.py" "$folder/files")
echo "$seen"
[ "$seen" = "memory: b'the first half'
memory, in a transaction: b'whole content'
file: b'the first half'
file, in a transaction: b'whole content'" ]
