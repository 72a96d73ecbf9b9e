import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Samples } from "./quantiles.ts";

/** What one synced write of 4 KB costs on the disk that holds the data: pwrite and fdatasync, appended. */
export function probeFsync(folder: string, writes = 200): Samples {
  const path = join(folder, "fsync-probe");
  const file = openSync(path, "w");
  const block = Buffer.alloc(4096, 120);
  const samples = new Samples();
  for (let i = 0; i < writes; i++) {
    writeSync(file, block, 0, block.length, i * block.length);
    const start = performance.now();
    fdatasyncSync(file);
    samples.add(performance.now() - start);
  }
  closeSync(file);
  rmSync(path);
  return samples;
}

/** One-row transactions of `node:sqlite` in WAL mode with synchronous=FULL: what no durable server can beat. */
export function bareCommits(folder: string, commits: number): Samples {
  const path = join(folder, "bare-commit.db");
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE point (series, step, ts, value)",
  );
  const insert = database.prepare("INSERT INTO point VALUES (?, ?, ?, ?)");
  const samples = new Samples();
  for (let i = 0; i < commits + 50; i++) {
    const start = performance.now();
    database.exec("BEGIN IMMEDIATE");
    insert.run(1, i, 1_700_000_000_000 + i, i / 7);
    database.exec("COMMIT");
    if (i >= 50) samples.add(performance.now() - start);
  }
  database.close();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  return samples;
}
