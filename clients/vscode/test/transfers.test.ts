import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { RegistryError } from "udist-plugin/oci";

import { filesOf, namedIn, pull, push, remove } from "../src/model/transfers.js";
import { temporary, watched } from "./stores.js";

const signal = AbortSignal.timeout(120_000);

test("files go there and back, with progress that ends whole", async () => {
  const [sources, out] = [temporary(), temporary()];
  const { store } = watched(temporary());
  const files = [];
  for (const title of ["a.txt", "b/c.txt"]) {
    const path = join(sources, title.replace("/", "-"));
    await writeFile(path, title);
    files.push({ path, title });
  }
  const target = { store, name: "demo", reference: "v1" };
  const seen: number[][] = [];
  const progress = (done: number, total: number) => void seen.push([done, total]);
  await push(target, files, { signal, progress });
  assert.deepEqual(
    seen,
    [0, 1, 2, 3, 4].map((done) => [done, 4]),
  );
  const again: number[][] = [];
  await push(target, files, { signal, progress: (...step) => void again.push(step) });
  assert.deepEqual(again, seen, "what is there already is done, too");

  assert.deepEqual((await filesOf(target, out, signal)).existing, []);
  const pulled: number[][] = [];
  const paths = await pull(target, out, { signal, files: 2, progress: (...step) => void pulled.push(step) });
  assert.deepEqual(
    paths,
    ["a.txt", "b/c.txt"].map((title) => join(out, title)),
  );
  assert.equal(await readFile(join(out, "b/c.txt"), "utf8"), "b/c.txt");
  assert.deepEqual(pulled.at(-1), [2, 2]);
  assert.deepEqual((await filesOf(target, out, signal)).existing, ["a.txt", "b/c.txt"]);

  await remove(target, signal);
  await assert.rejects(filesOf(target, out, signal), RegistryError);
});

test("a push that is cancelled leaves no tag", async () => {
  const path = join(temporary(), "a.bin");
  await writeFile(path, Buffer.alloc(8 << 20));
  const { store } = watched(temporary());
  const controller = new AbortController();
  const progress = (done: number) => done === 1 && controller.abort();
  const target = { store, name: "demo", reference: "v1" };
  await assert.rejects(push(target, [{ path, title: "a.bin" }], { signal: controller.signal, progress }), {
    name: "AbortError",
  });
  await assert.rejects(store.registry(signal).resolveManifest("demo", "v1"), RegistryError);
});

test("a pull that is cancelled leaves no file", async () => {
  const [sources, out] = [temporary(), temporary()];
  const path = join(sources, "a.bin");
  await writeFile(path, Buffer.alloc(8 << 20));
  const { store } = watched(temporary());
  const target = { store, name: "demo", reference: "v1" };
  await push(target, [{ path, title: "a.bin" }], { signal, progress: () => undefined });
  const controller = new AbortController();
  const progress = () => controller.abort();
  await assert.rejects(pull(target, out, { signal: controller.signal, progress, files: 1 }), { name: "AbortError" });
  assert.deepEqual(await readdir(out), []);
});

test("a name has a repository and a tag", () => {
  assert.deepEqual(namedIn("a/b-c:v1"), { name: "a/b-c", tag: "v1" });
  for (const text of ["", "a", "a:", ":v1", "A:v1", "a:v1:2", "a//b:v1", "a:-"]) assert.equal(namedIn(text), undefined, text);
});
