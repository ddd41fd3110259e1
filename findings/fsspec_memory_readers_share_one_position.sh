#!/usr/bin/env bash
# Two readers of one file in fsspec's memory file system move each other's position.
#
# `open(path, "rb")` does not make a reader: it rewinds and hands out the very object that holds the file's content.
# A second `open` of the path therefore sets the first one back to the start, and a read by either moves both.
# A test that swaps a real store for `memory` gets mixed content from any two overlapping reads of a path, though each
# has a handle of its own, with threads or without. `cat_file` with a range is safe: it takes a slice of the content.
#
# Seen with fsspec 2026.9.0, Python 3.11:
#   one object: memory True, file False
#   the first reads: memory b'0123' b'0123', file b'0123' b'4567'
#   a cat_file in between: memory b'0123' b'4567', file b'0123' b'4567'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q fsspec==2026.9.0

cat >"$folder/read.py" <<'PROGRAM'
import sys

import fsspec

same, twice, ranged = [], [], []
for protocol in ("memory", "file"):
    system = fsspec.filesystem(protocol)
    path = f"{sys.argv[1]}/a"
    system.makedirs(sys.argv[1], exist_ok=True)
    system.pipe_file(path, b"0123456789")

    first = system.open(path, "rb")
    start = first.read(4)
    second = system.open(path, "rb")
    same.append(f"{protocol} {first is second}")
    twice.append(f"{protocol} {start} {first.read(4)}")

    reader = system.open(path, "rb")
    start = reader.read(4)
    system.cat_file(path, 2, 8)
    ranged.append(f"{protocol} {start} {reader.read(4)}")

print("one object:", ", ".join(same))
print("the first reads:", ", ".join(twice))
print("a cat_file in between:", ", ".join(ranged))
PROGRAM

seen=$("$folder/venv/bin/python" "$folder/read.py" "$folder/files")
echo "$seen"
[ "$seen" = "one object: memory True, file False
the first reads: memory b'0123' b'0123', file b'0123' b'4567'
a cat_file in between: memory b'0123' b'4567', file b'0123' b'4567'" ]
