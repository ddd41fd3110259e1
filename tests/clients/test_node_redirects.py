"""The Node client fetches blobs by the signed URLs of a real bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.node_program import node

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server

PROGRAM: Final = """\
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { spawn } from %(index)s;
import { Registry } from %(oci)s;

const [url, env] = JSON.parse(process.argv[1]);
const content = Buffer.from(Uint8Array.from({ length: 12 << 20 }, (_, i) => i >> 8));
const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
const path = `/v2/signed/blobs/${digest}`;

const plugin = await spawn({ env, followRedirects: true });
const credentials = { authorization: "Bearer refused by the store" };
const registry = new Registry({ fetch: plugin.fetch, headers: credentials });
await registry.pushBlob("signed", digest, content);

const { status, headers } = await plugin.fetch(path, { redirect: "manual" });
const location = new URL(headers.get("location"));
assert.deepEqual([status, location.origin, location.searchParams.has("X-Amz-Signature")], [307, url, true]);

const stream = await registry.openBlob("signed", { digest, size: content.length });
const whole = await new Response(stream).arrayBuffer();
assert.ok(content.equals(Buffer.from(whole)));
const part = await plugin.fetch(path, { headers: { range: "bytes=1000-4999" } });
assert.deepEqual([part.status, part.headers.get("docker-content-digest")], [206, digest]);
assert.ok(content.subarray(1000, 5000).equals(Buffer.from(await part.arrayBuffer())));
await plugin.close();

const unasked = await spawn({ env });
const sent = await unasked.fetch(path, { redirect: "error" });
assert.ok(content.equals(Buffer.from(await sent.arrayBuffer())));
await unasked.close();
console.log("done");
"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("built")]


def test_signed_urls(minio_server: S3Server) -> None:
    parameters = minio_server.parameters(minio_server.bucket())
    variables = {f"REGISTRY_STORAGE_S3_{key.upper()}": value for key, value in parameters.items()}
    assert node(PROGRAM, json.dumps([minio_server.url, variables])) == "done"
