"""Builds ``udist`` as one file for this system: ``.venv/bin/python .ci/onefile``.

The file carries the interpreter that runs this. Go is needed for the launcher, binutils, and uv.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from archive import write_file
from interpreter import LIBRARY, carry_libraries, copy_interpreter
from inventory import write_inventory
from packages import EXTRAS, REPOSITORY, install_packages

PACKAGES = f"{LIBRARY}/site-packages"
EARLIEST = 315532800  # 1980, the first year that every archive can name


def main() -> None:
    parser = argparse.ArgumentParser(prog=".ci/onefile", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "dist" / "udist", metavar="FILE")
    parser.add_argument("--extras", default=",".join(EXTRAS), help="what to carry (default: %(default)s)")
    parser.add_argument("--level", type=int, default=19, help="of compression, to 22 (default: %(default)s)")
    options = parser.parse_args()
    extras = tuple(filter(None, options.extras.split(",")))
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tree = work / "udist"
        libraries = build_tree(tree, extras)
        inventory = write_inventory(tree / PACKAGES, libraries, epoch)
        shutil.copytree(inventory, options.output.parent, dirs_exist_ok=True)
        launcher = build_launcher(work / "launcher")
        write_file(options.output, launcher, tree, options.level)
    print(f"{options.output}: {options.output.stat().st_size / 2**20:.1f} MiB")


def build_tree(tree: Path, extras: tuple[str, ...]) -> dict[str, Path]:
    """What the file unpacks to. Gives the libraries of this system that are in it, by name."""
    copy_interpreter(tree)
    install_packages(tree / PACKAGES, extras)
    libraries = carry_libraries(tree)
    shutil.copyfile(Path(__file__).with_name("start.py"), tree / "start.py")
    compile_tree(tree)
    return libraries


def compile_tree(tree: Path) -> None:
    library = tree / LIBRARY
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("compile.py"))]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*command, str(library), str(tree / PACKAGES)], env=environ, check=True)
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def build_launcher(target: Path) -> bytes:
    command = [
        "go",
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags=-s -w -buildid=",
        "-o",
        str(target),
        ".",
    ]
    environ = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run(command, cwd=Path(__file__).with_name("launcher"), env=environ, check=True)
    return target.read_bytes()


if __name__ == "__main__":
    main()
