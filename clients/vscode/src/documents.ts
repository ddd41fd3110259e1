import * as vscode from "vscode";

import { contentOf, linksIn, pathOf, placeIn } from "./model/documents.js";
import { failureOf } from "./model/failures.js";
import type { Stores } from "./stores.js";

export const SCHEME = "udist";

/** How many bytes of documents that never change are kept; VS Code asks for each several times. */
const KEPT_MAX = 32 << 20;

export function uriOf(path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path });
}

/** The read-only documents of `udist:` URIs. */
export class Documents implements vscode.FileSystemProvider {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;
  readonly #kept = new Map<string, Uint8Array>();

  constructor(private readonly stores: Stores) {}

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { length } = await this.readFile(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: length, permissions: vscode.FilePermission.Readonly };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const kept = this.#kept.get(uri.path);
    if (kept) return kept;
    const place = placeIn(uri.path);
    if (!place) throw vscode.FileSystemError.FileNotFound(uri);
    try {
      const registry = this.stores.named(place.store).registry(AbortSignal.timeout(this.stores.timeout));
      const content = await contentOf(registry, place);
      if (place.kind !== "manifest" || place.reference.includes(":")) this.#keep(uri.path, content);
      return content;
    } catch (error) {
      this.stores.log.error(`${uri.path}: ${String(error)}`);
      throw vscode.FileSystemError.Unavailable(failureOf(error, place.store).message);
    }
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  #keep(path: string, content: Uint8Array): void {
    this.#kept.set(path, content);
    let size = [...this.#kept.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#kept) {
      if (size <= KEPT_MAX) return;
      this.#kept.delete(oldest);
      size -= length;
    }
  }
}

/** Links from digests, and from the files of a layer, to their documents. */
export class Links implements vscode.DocumentLinkProvider {
  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    const place = placeIn(document.uri.path);
    if (!place) return [];
    return linksIn(document.getText(), place).map(({ start, end, place: target }) => {
      const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
      const link = new vscode.DocumentLink(range, uriOf(pathOf(target)));
      link.tooltip = `Open ${target.kind}`;
      return link;
    });
  }
}
