"""Signs images and verifies their signatures with cosign's commands."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

OFFLINE = {
    "COSIGN_USE_SIGNING_CONFIG": "false",
    "COSIGN_TLOG_UPLOAD": "false",
    "COSIGN_INSECURE_IGNORE_TLOG": "true",
}
"""cosign's flags as variables: a key pair is enough, no transparency log or other service is asked."""


class Format(NamedTuple):
    """How a signature is attached: the flags of ``sign`` and of ``verify``."""

    sign: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()


BUNDLE = Format()
"""The default of cosign 3: a bundle, attached as a referrer."""
TAG = Format(("--new-bundle-format=false",))
"""The default of cosign 2: the tag ``sha256-<hex>.sig``."""
REFERRER = Format(
    ("--new-bundle-format=false", "--registry-referrers-mode=oci-1-1"), ("--experimental-oci11",)
)
"""An experiment of cosign 2: a signature of its format, attached as a referrer."""


class Signer:
    """A new key pair in ``folder``, which must not exist, and ``program``: cosign, or one that takes the
    same arguments."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        folder.mkdir()
        own = {"HOME": str(folder), "COSIGN_PASSWORD": "", "COSIGN_EXPERIMENTAL": "1"}
        self._environment = {**os.environ, **OFFLINE, **own}
        self._run("generate-key-pair")

    def sign(self, image: str, form: Format = BUNDLE) -> None:
        """Signs ``image``, a reference with a digest."""
        self._run("sign", "--key", "cosign.key", *form.sign, image)

    def verify(self, image: str, form: Format = BUNDLE) -> None:
        """Fails unless ``image`` has a signature by this key pair."""
        self._run("verify", "--key", "cosign.pub", *form.verify, image)

    def verify_error(self, image: str, form: Format = BUNDLE) -> str:
        """The error with which ``verify`` ends."""
        done = self._start("verify", "--key", "cosign.pub", *form.verify, image)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def _run(self, *arguments: str) -> None:
        done = self._start(*arguments)
        assert done.returncode == 0, done.stderr

    def _start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
