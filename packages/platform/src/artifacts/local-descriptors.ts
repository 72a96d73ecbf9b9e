import * as fs from "node:fs";
import type { BigIntStats } from "node:fs";
import { promisify } from "node:util";
import { PlatformError } from "@millrace/contract";

/**
 * File descriptors as numbers: about half the cost per call of `FileHandle`, and a descriptor can be asked
 * where it really points.
 */
export const openDescriptor = promisify(fs.open) as (
  path: string,
  flags: number,
  mode?: number,
) => Promise<number>;
export const dataSync = promisify(fs.fdatasync);
export const fullSync = promisify(fs.fsync);
export const rename = promisify(fs.rename);
export const unlink = promisify(fs.unlink);
export const mkdir = promisify(fs.mkdir) as (path: string) => Promise<void>;

const writeAt = promisify(fs.write) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesWritten: number }>;
const readAt = promisify(fs.read) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

/** Writes all of `bytes`; the system may take less at a time. */
export async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Fills `target` from `position`; returns fewer bytes only at the end of the file. */
export async function readFully(fd: number, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await readAt(fd, target, done, target.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Facts of an open file. Synchronous on purpose: the inode is in memory, a thread hop would cost more. */
export function describe(fd: number): BigIntStats {
  return fs.fstatSync(fd, { bigint: true });
}

/** Closing after a sync or a read has nothing left to write, so it does not wait for the disk. */
export function closeDescriptor(fd: number): void {
  fs.closeSync(fd);
}

/** New bytes are a new inode with a new time: uploads are renamed into place, never written in place. */
export function etagOf(stats: BigIntStats): string {
  return `${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}-${stats.size.toString(36)}`;
}

export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function isErrno(error: unknown, ...codes: string[]): boolean {
  const code = errnoOf(error);
  return code !== undefined && codes.includes(code);
}

/** What a failed system call means to the caller; errors that already have a platform code stay as they are. */
export function storeError(error: unknown, path: string): unknown {
  if (error instanceof PlatformError || errnoOf(error) === undefined) return error;
  const details = { path, errno: errnoOf(error) };
  switch (errnoOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new PlatformError(
        "TEMPORARILY_UNAVAILABLE",
        `The artifact store is full: '${path}' was not stored. Free some space, then try again.`,
        details,
        error,
      );
    case "EMFILE":
    case "ENFILE":
      return new PlatformError(
        "TEMPORARILY_UNAVAILABLE",
        `Too many files are open to reach '${path}'. Try again, or raise the limit (ulimit -n).`,
        details,
        error,
      );
    case "ENOTDIR":
      return new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `'${path}' lies below a file, so nothing can be stored there. Choose another path.`,
        details,
        error,
      );
    case "ENAMETOOLONG":
      return new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `Invalid path: a name in '${path.slice(0, 200)}' is longer than the file system allows (usually 255 bytes).`,
        { errno: "ENAMETOOLONG" },
        error,
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new PlatformError(
        "INTERNAL_ERROR",
        `The server may not access '${path}' in the artifact store (${String(errnoOf(error))}). Check the owner and mode of the artifact folder.`,
        details,
        error,
      );
    default:
      return new PlatformError(
        "INTERNAL_ERROR",
        `The artifact store failed on '${path}': ${(error as Error).message}.`,
        details,
        error,
      );
  }
}
