import type { FileInfo } from "@millrace/contract";
import type { ArtifactEntry } from "../../artifacts/store.ts";
import type { Context } from "../../context.ts";
import { checkArtifactPath } from "../../domain/artifact-path.ts";
import { artifactRoot, inRoot } from "./roots.ts";

/** Files of 0 bytes have no size on the wire, as upstream. */
export function fileInfo(entry: ArtifactEntry, path: string): FileInfo {
  const sized = !entry.isDirectory && entry.sizeBytes > 0;
  return { path, isDir: entry.isDirectory, ...(sized ? { fileSize: entry.sizeBytes } : {}) };
}

/** Lists a directory below an artifact address, with paths relative to that address. */
export async function listBelow(ctx: Context, rootUri: string, path: string): Promise<FileInfo[]> {
  const directory = checkArtifactPath(path);
  const root = await artifactRoot(ctx, rootUri);
  const entries = await root.store.list(inRoot(root, directory));
  const cut = root.prefix === "" ? 0 : root.prefix.length + 1;
  return entries.map((entry) => fileInfo(entry, entry.path.slice(cut)));
}
