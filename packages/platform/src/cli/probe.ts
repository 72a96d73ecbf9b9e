/** Measures what the disk below a folder gives. */
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";

export interface DiskFacts {
  readonly folder: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Time of one synced write of 4 KiB: the price of a commit. Undefined where the folder cannot be written. */
  readonly syncMs?: { readonly median: number; readonly p95: number };
}

const PROBES = 60;
const BLOCK_BYTES = 4_096;

/** Writes and syncs one block again and again, in a file that is removed. */
export async function probeDisk(folder: string): Promise<DiskFacts> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  const { bavail, blocks, bsize } = await statfs(path);
  const facts = { folder: path, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  const file = join(path, `.millrace-probe-${process.pid}`);
  try {
    const handle = await open(file, "wx");
    const timesMs: number[] = [];
    try {
      const block = new Uint8Array(BLOCK_BYTES);
      for (let number = 0; number < PROBES; number++) {
        const startedAt = performance.now();
        await handle.write(block, 0, BLOCK_BYTES, 0);
        await handle.datasync();
        timesMs.push(performance.now() - startedAt);
      }
    } finally {
      await handle.close();
    }
    timesMs.sort((a, b) => a - b);
    return { ...facts, syncMs: { median: timesMs[PROBES >> 1]!, p95: timesMs[Math.floor(PROBES * 0.95)]! } };
  } catch {
    return facts;
  } finally {
    await rm(file, { force: true });
  }
}
