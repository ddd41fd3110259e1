"""A certificate authority, for servers and clients of the tests."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path


class Identity:
    """A certificate authority, and what a server and a client get from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
            "-days",
            "2",
            "-subj",
            "/CN=test",
        )
        for name, extension in (
            ("server", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            ("client", "extendedKeyUsage=clientAuth"),
        ):
            self._run(
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                f"{name}.key",
                "-out",
                f"{name}.csr",
                "-subj",
                f"/CN={name}",
            )
            (folder / "extensions").write_text(extension)
            self._run(
                "x509",
                "-req",
                "-in",
                f"{name}.csr",
                "-CA",
                "ca.crt",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-out",
                f"{name}.cert",
                "-days",
                "2",
                "-extfile",
                "extensions",
            )

    def _run(self, *words: str) -> None:
        subprocess.run(
            [require_tool("openssl"), *words], cwd=self.folder, check=True, capture_output=True, timeout=30
        )

    def server(self, *, wants_client: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "server.cert", self.folder / "server.key")
        if wants_client:
            context.load_verify_locations(self.folder / "ca.crt")
            context.verify_mode = ssl.CERT_REQUIRED
        return context
