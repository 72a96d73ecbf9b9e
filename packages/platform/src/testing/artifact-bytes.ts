import { createHash } from "node:crypto";
import type { ArtifactRead, ArtifactStore } from "../artifacts/store.ts";

/** Everything that a read gives. */
export async function collect(read: ArtifactRead): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of read.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The whole file. */
export async function bytesOf(store: ArtifactStore, path: string): Promise<Uint8Array> {
  return collect(await store.read(path));
}

/** A body as it comes from a network. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Two large buffers are compared by this: a failure then prints a line, not megabytes. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
