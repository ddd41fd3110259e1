"""Copies many small images from one registry to another, by ``udist sync`` and by ``skopeo sync`` in turn,
and again when nothing differs: ``python tests/bench/repositories.py``.

Both registries are distribution's, on loopback, with their stores on one memory file system. Their processor
time counts, too. The images are spread over ``REPOSITORIES`` repositories.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.copies import Measure, Time
from tests.bench.rows import Row, add_json_option, report
from tests.images.sample import Layout
from tests.images.unjudged import sync_images
from tests.remote.loopback import stock_process
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

UDIST = [sys.executable, "-m", "udist_plugin.cli.main", "sync", "-q", "--insecure-policy"]
SKOPEO = ["skopeo", "--insecure-policy", "sync", "--all", "--preserve-digests", "--dest-tls-verify=false"]
REPOSITORIES = 20
STEPS = {"sync": 3.0, "again": 1.0}
"""What is measured, and how much faster than skopeo it has to be."""


class Images(Layout):
    """A layout of ``count`` images, which writes its index once."""

    def __init__(self, root: Path, count: int) -> None:
        self._filled = False
        super().__init__(root)
        for number in range(count):
            name = f"bench/app{number % REPOSITORIES}:v{number}"
            self.image(name, layers=[b"layer %d" % number, b"shared"], compressed=True)
        self._filled = True
        self.index()

    def index(self, **more: object) -> None:
        if self._filled:
            super().index(**more)


def measured(folder: Path) -> Iterator[tuple[Time, Time]]:
    """Of each step, the times of udist and of skopeo."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(stock_process(folder / each, "registry")) for each in ("one", "two"))
        source, target = f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"
        sync_images(f"oci:{folder / 'layout'}", f"docker://{source}")
        lines = [f"    bench/app{number}: []" for number in range(REPOSITORIES)]
        (folder / "all.yml").write_text("\n".join([f"{source}:", "  tls-verify: false", "  images:", *lines]))
        run = Measure(folder, [one, two])
        for _ in STEPS:
            yield (
                run([*UDIST, f"docker://{source}", f"docker://{target}/ours"]),
                run([*SKOPEO, "--src", "yaml", "--dest", "docker", "all.yml", f"{target}/theirs"]),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--folder", default="/dev/shm", help="a memory file system (/dev/shm)")
    add_json_option(parser)
    arguments = parser.parse_args()
    require_tool("skopeo")
    with TemporaryDirectory(prefix="udist-bench-", dir=arguments.folder) as name:
        Images(Path(name) / "layout", arguments.images)
        rows = [
            Row(
                step,
                f"{ours.wall:.2f} s",
                f"skopeo {theirs.wall:.2f} s",
                theirs.wall / ours.wall,
                f"≥ {bar}",
                theirs.processor / ours.processor,
            )
            for (step, bar), (ours, theirs) in zip(STEPS.items(), measured(Path(name)), strict=True)
        ]
    report(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", rows, arguments.json)


if __name__ == "__main__":
    main()
