"""OSS in front of a bucket of MinIO: it refuses what OSS's documentation refuses, and translates the rest.

There is no server of OSS to be had but Alibaba's own.
"""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import crcmod
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.drivers.oss.signature import signature
from tests.drivers.s3.server import ACCESS_KEY, REGION, SECRET_KEY
from tests.drivers.scripted import quiet_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.drivers.s3.server import S3Server

ID, SECRET = "udist-oss", "udist-oss-secret"
OSS_REGION: Final = "oss-cn-hangzhou"
SCOPE: Final = "/cn-hangzhou/oss/aliyun_v4_request"
DENIALS: Final = 100
"""How often MinIO is asked. It denies even its root user a put that meets a deletion in the same folder."""
SKEW: Final = 15 * 60
"""Seconds that a request's time may differ from the service's."""

KNOWN: Final = re.compile(
    r"x-oss-(content-sha256|date|meta-\w+|forbid-overwrite|range-behavior|server-side-encryption(-key-id)?"
    r"|copy-source(-range|-if-match)?)"
)
"""OSS's own headers as the driver may send them."""
RENAMED: Final = {
    "x-oss-copy-source": "x-amz-copy-source",
    "x-oss-copy-source-range": "x-amz-copy-source-range",
    "x-oss-copy-source-if-match": "x-amz-copy-source-if-match",
    "range": "Range",
    "if-match": "If-Match",
    "content-type": "Content-Type",
    "content-md5": "Content-MD5",
}
_CRC = crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=(1 << 64) - 1, rev=True)


class Refused(Exception):
    """An error of OSS."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.status, self.code, self.said = status, code, said


class Asked(NamedTuple):
    """A request to OSS: names of headers in lower case, ``query`` decoded."""

    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes


@dataclass
class OssServer:
    """One bucket at ``url``, the bucket's own host; ``asked`` is what was asked and not refused."""

    bucket: str
    s3: S3Server
    url: str = ""
    versioned: bool = False
    """Whether the bucket keeps versions: then overwriting is not forbidden to anyone."""
    asked: list[Asked] = field(default_factory=list)

    def parameters(self, **more: Any) -> dict[str, Any]:
        """``storage.oss`` for it."""
        return {
            "accesskeyid": ID,
            "accesskeysecret": SECRET,
            "region": OSS_REGION,
            "bucket": self.bucket,
            "endpoint": self.url.partition("://")[2],
            "secure": False,
            **more,
        }

    def answer(self, method: str, target: str, headers: dict[str, str], content: bytes) -> Answered:
        """Raises ``Refused``."""
        asked = self._accept(method, target, headers, content)
        self.asked.append(asked)
        answer = self._forward(asked)
        if answer.status == 416 and asked.headers.get("x-oss-range-behavior") != "standard":
            whole = {name: value for name, value in asked.headers.items() if name != "range"}
            answer = self._forward(asked._replace(headers=whole))
        if "partNumber" in asked.query or (method == "PUT" and "x-oss-copy-source" not in asked.headers):
            answer.headers["x-oss-hash-crc64ecma"] = str(_CRC(content))
        return answer

    def _accept(self, method: str, target: str, headers: dict[str, str], content: bytes) -> Asked:
        parts = urlsplit(target)  # a proxy is asked for a whole URL
        query = parse_qsl(parts.query, keep_blank_values=True)
        key = unquote(parts.path[1:])
        if key == self.bucket or key.startswith(f"{self.bucket}/"):
            raise Refused(403, "SecondLevelDomainForbidden", "address the bucket by its host")
        self._check_signature(method, f"/{self.bucket}/{key}", query, headers)
        found = dict(query)
        self._check_headers(method, headers, found, content)
        if not key and method == "GET" and "uploads" not in found and found.get("list-type") != "2":
            raise Refused(400, "InvalidArgument", "list-type must be 2 here")
        return Asked(method, key, found, headers, content)

    def _check_signature(
        self, method: str, resource: str, query: list[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        given = dict(query)
        if "x-oss-signature" in given:
            credential, said = given["x-oss-credential"], given["x-oss-signature"]
            moment = given["x-oss-date"]
            query = [pair for pair in query if pair[0] != "x-oss-signature"]
            headers, lifetime = {}, int(given["x-oss-expires"])
        else:
            pattern = r"OSS4-HMAC-SHA256 Credential=(.+),Signature=([0-9a-f]{64})"
            if (found := re.fullmatch(pattern, headers.get("authorization", ""))) is None:
                raise Refused(403, "AccessDenied", "a signature of version 4 is needed")
            credential, said = found.groups()
            moment, lifetime = headers.get("x-oss-date", ""), SKEW
        user, _, scope = credential.partition("/")
        if user != ID:
            raise Refused(403, "InvalidAccessKeyId", "the access key id does not exist")
        age = (datetime.now(UTC) - datetime.strptime(f"{moment}+0000", "%Y%m%dT%H%M%SZ%z")).total_seconds()
        if not -SKEW < age < lifetime:
            raise Refused(403, "RequestTimeTooSkewed", "the request's time differs too much")
        right = signature(SECRET, scope, moment, method, resource, query, headers)
        if scope != moment[:8] + SCOPE or said != right:
            raise Refused(403, "SignatureDoesNotMatch", "the signature is not the one calculated here")

    def _check_headers(
        self, method: str, headers: Mapping[str, str], query: Mapping[str, str], content: bytes
    ) -> None:
        for name in headers:
            if name.startswith("x-amz-") or (name.startswith("x-oss-") and not KNOWN.fullmatch(name)):
                raise Refused(400, "InvalidArgument", f"{name} is not known")
        if "aws-chunked" in headers.get("content-encoding", ""):
            raise Refused(400, "InvalidArgument", "aws-chunked encoding is not supported")
        if method in ("PUT", "POST", "DELETE") and {"if-match", "if-none-match"} & headers.keys():
            raise Refused(501, "NotImplemented", "a header implies what is not implemented")
        if headers.get("x-oss-forbid-overwrite", "true") not in ("true", "false"):
            raise Refused(400, "InvalidArgument", "x-oss-forbid-overwrite is true or false")
        if method in ("PUT", "POST") and "content-length" not in headers:
            raise Refused(411, "MissingContentLength", "a length is needed")
        if "delete" in query:
            digest = base64.b64encode(md5(content, usedforsecurity=False).digest()).decode()
            if headers.get("content-md5") != digest:
                raise Refused(400, "InvalidDigest", "Content-MD5 is missing or wrong")
        if int(query.get("max-keys", 1)) > 1000:
            raise Refused(400, "InvalidArgument", "max-keys is 1000 at most")

    def _forward(self, asked: Asked) -> Answered:
        query = {name: value for name, value in asked.query.items() if not name.startswith("x-oss-")}
        if "list-type" in query:
            query.setdefault("max-keys", "100")
        if "uploads" in query and asked.method == "GET":
            query.pop("prefix", "")  # MinIO tells of the uploads of one key, or of all
        headers = {RENAMED[name]: value for name, value in asked.headers.items() if name in RENAMED}
        for name, value in asked.headers.items():
            if name.startswith("x-oss-meta-"):
                headers[name.replace("x-oss-", "x-amz-")] = value
        if "x-oss-forbid-overwrite" in asked.headers and not self.versioned:
            headers["If-None-Match"] = "*"
        url = f"{self.s3.url}/{self.bucket}/{quote(asked.key)}" + (f"?{urlencode(query)}" if query else "")
        for _ in range(DENIALS):
            status, found, content = self._send(asked, url, headers)
            if status != 403:
                break
        return self._translate(asked, status, found, content)

    def _send(self, asked: Asked, url: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        request = AWSRequest(asked.method, url, headers, asked.content)
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION).add_auth(request)
        connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        try:
            target = url.removeprefix(self.s3.url)
            connection.request(asked.method, target, asked.content, dict(request.headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _translate(self, asked: Asked, status: int, headers: dict[str, str], content: bytes) -> Answered:
        if status == 412 and "x-oss-forbid-overwrite" in asked.headers:
            raise Refused(409, "FileAlreadyExists", "the object you specified already exists")
        if status >= 400 and status != 416:
            code = re.search(rb"<Code>(\w+)", content)
            raise Refused(status, code[1].decode() if code else "NoSuchKey", f"status {status}")
        kept = {
            name.lower().replace("x-amz-meta-", "x-oss-meta-"): value
            for name, value in headers.items()
            if name.lower() in ("etag", "last-modified", "content-type", "content-range", "content-length")
            or name.lower().startswith("x-amz-meta-")
        }
        if "delete" in asked.query and b"<Quiet>true" in asked.content:
            content = b""
        if content.startswith(b"<?xml"):
            content = re.sub(rb' xmlns="[^"]*"', b"", content)
            if "uploads" in asked.query and asked.method == "GET":
                content = _uploads_below(content, asked.query.get("prefix", ""))
        if asked.method != "HEAD":
            kept["content-length"] = str(len(content))
        return Answered(status, kept, content)


def _uploads_below(content: bytes, prefix: str) -> bytes:
    def kept(found: re.Match[bytes]) -> bytes:
        return found[0] if unquote(found[1].decode()).startswith(prefix) else b""

    return re.sub(rb"<Upload><Key>(.*?)</Key>.*?</Upload>", kept, content)


@contextmanager
def oss(s3: S3Server, bucket: str = "") -> Iterator[OssServer]:
    """A new bucket unless one is given."""
    server = OssServer(bucket or s3.bucket(), s3)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer's head would wait for the client's acknowledgement

        def serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                answer = server.answer(self.command, self.path, headers, content)
            except Refused as error:
                said = f"<Error><Code>{error.code}</Code><Message>{error.said}</Message></Error>".encode()
                more = {"content-length": str(len(said)), "x-oss-err": base64.b64encode(said).decode()}
                answer = Answered(error.status, {"content-type": "application/xml", **more}, said)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with quiet_server(Handler) as port:
        server.url = f"http://localhost:{port}"
        yield server
