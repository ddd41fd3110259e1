"""A small token server: signs what its user may do, as distribution's registries expect it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.remote.serving import Answer
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.remote.serving import Asked

SERVICE = "registry.test"
ISSUER = "a test"
LOGIN = "Basic " + base64.b64encode(b"me:secret").decode()


class TokenIssuer:
    """Answers requests for tokens, of ``LOGIN`` alone."""

    def __init__(self, folder: Path) -> None:
        self.key, self.certificate = folder / "token.key", folder / "token.crt"
        words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"]
        files = ["-keyout", str(self.key), "-out", str(self.certificate)]
        command = [require_tool("openssl"), *words, *files]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        self.asked = 0

    def answer(self, asked: Asked) -> Answer:
        self.asked += 1
        if asked.headers.get("authorization") != LOGIN:
            return Answer(401)
        query = parse_qs(urlsplit(asked.target).query)
        token = self._signed([_access(scope) for scope in query.get("scope", [])])
        return Answer(body=json.dumps({"token": token, "expires_in": 60}).encode())

    def _signed(self, access: list[dict[str, object]]) -> str:
        lines = self.certificate.read_text().strip().splitlines()[1:-1]
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": SERVICE,
            "sub": "me",
            "jti": "1",
            "iat": now,
            "nbf": now - 5,
            "exp": now + 60,
        }
        head = _encoded(json.dumps({"alg": "RS256", "typ": "JWT", "x5c": ["".join(lines)]}).encode())
        body = f"{head}.{_encoded(json.dumps({**claims, 'access': access}).encode())}"
        signature = subprocess.run(
            [require_tool("openssl"), "dgst", "-sha256", "-sign", self.key],
            input=body.encode(),
            check=True,
            capture_output=True,
            timeout=30,
        ).stdout
        return f"{body}.{_encoded(signature)}"


def _access(scope: str) -> dict[str, object]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
