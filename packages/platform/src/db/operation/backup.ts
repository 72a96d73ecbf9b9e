/**
 * Backup and restore of an SQLite database. A backup is a database file of its own, with a manifest beside it that says
 * when and from what it was made, and what its bytes must be.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PlatformError } from "@millrace/contract";
import type { BackendAddress } from "../../options.ts";
import { ServerLock } from "../dialects/sqlite/lock.ts";
import { schemaVersion } from "../migrate.ts";
import { openDatabase, requireDatabase } from "./open.ts";

export type Progress = (done: number, total: number) => void;

export interface Manifest {
  readonly format: 1;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly millrace: string;
  readonly source: string;
  readonly schemaVersion: number;
  readonly databaseBytes: number;
  /** SHA-256 of the database file, hexadecimal. */
  readonly sha256: string;
  readonly counts: Readonly<Record<string, number>>;
  /** What lies in the folder `FILE.artifacts`, when artifacts were copied too. */
  readonly artifacts?: { readonly files: number; readonly bytes: number };
}

export function manifestPath(file: string): string {
  return `${file}.manifest.json`;
}

const mainTables = ["experiments", "runs", "series", "logged_models", "registered_models", "model_versions"];

/**
 * Copies the database into a new file and proves that the copy is whole.
 * @throws PlatformError RESOURCE_ALREADY_EXISTS when the file is there, DATA_LOSS when the copy is not sound
 */
export async function backupDatabase(
  backend: BackendAddress,
  file: string,
  facts: { readonly millrace: string; readonly now: number },
  onProgress?: Progress,
): Promise<Manifest> {
  if (existsSync(file)) {
    throw new PlatformError(
      "RESOURCE_ALREADY_EXISTS",
      `${file} exists already. Backups are never written over: choose another name, or remove it first.`,
      { file },
    );
  }
  const source = await openDatabase(backend, { readOnly: true, anySchema: true });
  await mkdir(dirname(resolve(file)), { recursive: true });
  const partial = `${file}.partial`;
  try {
    await rm(partial, { force: true });
    await source.copyTo(partial, onProgress);
    await verifyFile(partial);
    await syncFile(partial);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    source.close();
  }
  const copy = await openDatabase({ kind: "sqlite", path: partial }, { readOnly: true, anySchema: true });
  const counts: Record<string, number> = {};
  let version: number;
  try {
    version = await copy.read(async (reader) => {
      for (const table of mainTables) {
        counts[table] = (await reader.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))!.n;
      }
      return schemaVersion(reader);
    });
  } finally {
    copy.close();
  }
  const manifest: Manifest = {
    format: 1,
    createdAt: new Date(facts.now).toISOString(),
    millrace: facts.millrace,
    source: resolve(backend.path),
    schemaVersion: version,
    databaseBytes: (await stat(partial)).size,
    sha256: await sha256Of(partial),
    counts,
  };
  await rename(partial, file);
  await dropSideFiles(partial);
  await writeManifest(file, manifest);
  return manifest;
}

export async function writeManifest(file: string, manifest: Manifest): Promise<void> {
  const path = manifestPath(file);
  await writeFile(`${path}.partial`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  await rename(`${path}.partial`, path);
  await syncFile(dirname(resolve(file)));
}

export interface RestoreResult {
  readonly path: string;
  /** Where the database went that was there before. */
  readonly kept: string | undefined;
  readonly manifest: Manifest | undefined;
}

/**
 * Puts a backup in the place of a database. What was there is kept aside.
 * @throws PlatformError RESOURCE_CONFLICT while a process has the database open, DATA_LOSS for a damaged backup
 */
export async function restoreDatabase(
  backend: BackendAddress,
  file: string,
  now: number,
): Promise<RestoreResult> {
  const { path } = backend;
  await mkdir(dirname(resolve(path)), { recursive: true });
  const lock = ServerLock.take(path);
  const incoming = `${path}.restoring`;
  try {
    requireDatabase(file);
    const manifest = await readManifest(file);
    await copyFile(file, incoming);
    if (manifest !== undefined && (await sha256Of(incoming)) !== manifest.sha256) {
      throw new PlatformError(
        "DATA_LOSS",
        `${file} is not what its manifest says: its SHA-256 differs. Nothing was changed. Use another backup, or remove ${manifestPath(file)} if you changed the file yourself.`,
        { file },
      );
    }
    await verifyFile(incoming);
    // Refuses a schema that is newer than this release before anything is moved.
    (await openDatabase({ kind: "sqlite", path: incoming }, { readOnly: true })).close();
    await dropSideFiles(incoming);
    await syncFile(incoming);
    const kept = existsSync(path) ? `${path}.before-restore-${stamp(now)}` : undefined;
    if (kept !== undefined) {
      for (const suffix of ["-wal", "-shm", ""]) {
        if (existsSync(path + suffix)) await rename(path + suffix, kept + suffix);
      }
    }
    await rename(incoming, path);
    await syncFile(dirname(resolve(path)));
    return { path, kept, manifest };
  } finally {
    await rm(incoming, { force: true });
    await dropSideFiles(incoming);
    lock.release();
  }
}

async function readManifest(file: string): Promise<Manifest | undefined> {
  const path = manifestPath(file);
  if (!existsSync(path)) return undefined;
  const manifest = JSON.parse(await readFile(path, "utf8")) as Partial<Manifest>;
  if (manifest.format === 1 && typeof manifest.sha256 === "string") return manifest as Manifest;
  throw new PlatformError("INVALID_PARAMETER_VALUE", `${path} is no manifest that this release can read.`);
}

/** @throws PlatformError DATA_LOSS */
async function verifyFile(path: string): Promise<void> {
  const db = await openDatabase({ kind: "sqlite", path }, { readOnly: true, anySchema: true });
  try {
    const rows = await db.read((reader) => reader.all<{ integrity_check: string }>("PRAGMA integrity_check"));
    if (rows[0]?.integrity_check === "ok") return;
    throw new PlatformError(
      "DATA_LOSS",
      `${path} is damaged: ${rows[0]?.integrity_check ?? "it cannot be read"}.`,
      { path },
    );
  } finally {
    db.close();
  }
}

/** A closed database has no log; what is left of reading one goes. */
async function dropSideFiles(path: string): Promise<void> {
  for (const suffix of ["-wal", "-shm", "-journal"]) await rm(path + suffix, { force: true });
}

/** Makes a file or a folder's entries survive a power loss. */
async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** `20261121T101500Z` */
function stamp(now: number): string {
  return new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
}
