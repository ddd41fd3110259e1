import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { linksIn, pathOf, placeIn } from "../src/model/documents.js";
import type { Place } from "../src/model/documents.js";
import { fileIn, listingOf, PreviewError, textOf, wholeOf } from "../src/model/layers.js";
import { archive } from "./filled.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const AT = { store: "my store", name: "layers/manifests/blobs" };

test("a path names what it was made of, whatever the repository is called", () => {
  const places: Place[] = [
    { ...AT, kind: "manifest", reference: "v1.json" },
    { ...AT, kind: "manifest", reference: DIGEST },
    { ...AT, kind: "blob", digest: DIGEST, file: "a/b.txt" },
    { ...AT, kind: "contents", digest: DIGEST },
    { ...AT, kind: "file", digest: DIGEST, path: "etc/contents.txt" },
  ];
  for (const place of places) assert.deepEqual(placeIn(pathOf(place)), place);
});

test("other paths name nothing", () => {
  for (const path of ["/", "/store", "/store/name", `/store/a/layers/${DIGEST}/other`, "/store/manifests/v1.json"]) {
    assert.equal(placeIn(path), undefined, path);
  }
});

test("a digest in a manifest is a link to what it names", () => {
  const digests = ["1", "2", "3", "4", "5"].map((digit) => `sha256:${digit.repeat(64)}`);
  const [config, layer, file, subject, unknown] = digests;
  const title = { "org.opencontainers.image.title": "a.txt" };
  const layers = [{ digest: layer }, { digest: file, annotations: title }];
  const text = JSON.stringify({ config: { digest: config }, layers, subject: { digest: subject }, other: { digest: unknown } });
  const links = linksIn(text, { ...AT, kind: "manifest", reference: "v1" });
  assert.deepEqual(
    links.map(({ start, end, place }) => [text.slice(start, end), place.kind]),
    [
      [config, "blob"],
      [layer, "contents"],
      [file, "blob"],
      [subject, "manifest"],
    ],
  );
});

test("a file in a layer's listing is a link to its content", () => {
  const text = "directory 0755    0 etc\nfile      0644    6 etc/a file\nsymlink   0777    0 b -> etc/a\n";
  const [link, ...more] = linksIn(text, { ...AT, kind: "contents", digest: DIGEST });
  assert.ok(link);
  assert.equal(text.slice(link.start, link.end), "etc/a file");
  assert.deepEqual(link.place, { ...AT, kind: "file", digest: DIGEST, path: "etc/a file" });
  assert.deepEqual(more, []);
});

test("what others wrote into a manifest breaks no links", () => {
  const place: Place = { ...AT, kind: "manifest", reference: "v1" };
  for (const text of ["", "null", "[]", '{"layers": 5, "manifests": [null, 7, {"digest": 5}], "config": "x"}', '{"digest": "']) {
    assert.deepEqual(linksIn(text, place), [], text);
  }
});

test("archives are listed and files read from them, however they are compressed", async () => {
  const tar = await archive({ "./etc/motd": "hello\n", "bin/tool": "x".repeat(5000) });
  for (const content of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
    const listing = await listingOf(pieces(content));
    assert.deepEqual(
      listing.entries.map(({ path, type, size }) => [path, type, size]),
      [
        ["etc/motd", "file", 6],
        ["bin/tool", "file", 5000],
      ],
    );
    assert.equal(textOf(listing), "file      0644    6 etc/motd\nfile      0644 5000 bin/tool\n");
    assert.equal(Buffer.from(await fileIn(pieces(content), "etc/motd", 100)).toString(), "hello\n");
  }
});

test("what cannot be shown is an error that says why", async () => {
  const tar = await archive({ "etc/motd": "hello\n", large: "x".repeat(5000) });
  await assert.rejects(fileIn(pieces(tar), "etc/passwd", 100), /no file etc\/passwd/);
  await assert.rejects(fileIn(pieces(tar), "large", 100), PreviewError);
  await assert.rejects(listingOf(pieces(Buffer.from("no archive".repeat(100)))), /tar/i);
  await assert.rejects(listingOf(pieces(gzipSync(tar).subarray(0, 60))), /end of file/);
  await assert.rejects(wholeOf(pieces(tar), 100), PreviewError);
});

/** Content as a network brings it. */
async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < content.length; at += 700) yield await Promise.resolve(content.subarray(at, at + 700));
}
