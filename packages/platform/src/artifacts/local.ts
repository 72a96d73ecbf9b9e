import { lstat, readdir, rm } from "node:fs/promises";
import type { Dirent } from "node:fs";
import { invalidParameter, PlatformError } from "@millrace/contract";
import { localPathOf } from "../domain/artifact-uri.ts";
import {
  closeDescriptor,
  describe,
  etagOf,
  isErrno,
  rename,
  storeError,
  unlink,
} from "./local-descriptors.ts";
import { OpenDirectories } from "./local-directories.ts";
import type { OpenDirectory } from "./local-directories.ts";
import { MultipartUploads } from "./local-multipart.ts";
import { readDescriptor } from "./local-reading.ts";
import { LocalRoot, STAGING_FOLDER } from "./local-root.ts";
import { Staging } from "./local-staging.ts";
import type { StagedFile } from "./local-staging.ts";
import type {
  ArtifactBody,
  ArtifactEntry,
  ArtifactRead,
  ArtifactStat,
  ArtifactStore,
  ArtifactWritten,
  MultipartCreated,
  MultipartUpload,
  OpenArtifactStore,
  PartReference,
  RangeRequest,
  ReadOptions,
  UploadedPart,
  WriteOptions,
} from "./store.ts";

const MULTIPART_EXPIRY_MS = 7 * 24 * 3_600_000;
/** File sizes asked for at once while listing; the thread pool has few threads. */
const STATS_AT_ONCE = 16;

/** Opens (and creates) a folder of this machine, given as path or `file:` URI. */
export const open: OpenArtifactStore = async (uri, options = {}) => {
  const path = localPathOf(uri);
  if (path === undefined) {
    throw invalidParameter(`'${uri}' is no local path and no file: URI.`, { uri });
  }
  try {
    const root = new LocalRoot(path);
    const staging = new Staging(root.staging);
    const multipart = new MultipartUploads(staging);
    const now = Date.now();
    await staging.removeLeftovers(now);
    await multipart.removeExpired(now - (options.multipartExpiryMs ?? MULTIPART_EXPIRY_MS));
    return new LocalArtifactStore(root, staging, multipart);
  } catch (error) {
    throw storeError(error, path);
  }
};

class LocalArtifactStore implements ArtifactStore {
  readonly supports = {
    signedUpload: false,
    signedDownload: false,
    multipart: true,
    directParts: false,
  } as const;

  readonly #root: LocalRoot;
  readonly #staging: Staging;
  readonly #multipart: MultipartUploads;
  readonly #directories: OpenDirectories;

  constructor(root: LocalRoot, staging: Staging, multipart: MultipartUploads) {
    this.#root = root;
    this.#staging = staging;
    this.#multipart = multipart;
    this.#directories = new OpenDirectories(root);
  }

  async list(directory: string): Promise<readonly ArtifactEntry[]> {
    const segments = this.#root.segments(directory);
    if (segments === undefined) return [];
    const opened = await this.#existingDirectory(segments);
    if (opened === undefined) return [];
    try {
      const children = await readdir(opened.path, { withFileTypes: true });
      const prefix = segments.length === 0 ? "" : `${segments.join("/")}/`;
      const entries = await inGroups(children, STATS_AT_ONCE, (child) =>
        prefix === "" && child.name === STAGING_FOLDER ? undefined : this.#entry(child, opened.path, prefix),
      );
      return entries.filter((entry) => entry !== undefined).sort((a, b) => compareCodePoints(a.path, b.path));
    } catch (error) {
      throw storeError(error, directory);
    } finally {
      closeDescriptor(opened.fd);
    }
  }

  async stat(path: string): Promise<ArtifactStat | undefined> {
    const segments = this.#root.segments(path);
    const fd = segments && (await this.#root.openForReading(segments));
    if (fd === undefined) return undefined;
    try {
      const stats = describe(fd);
      const isDirectory = stats.isDirectory();
      if (!isDirectory && !stats.isFile()) return undefined;
      return {
        sizeBytes: isDirectory ? 0 : Number(stats.size),
        modifiedAtMs: Number(stats.mtimeMs),
        etag: isDirectory ? "" : etagOf(stats),
        isDirectory,
      };
    } finally {
      closeDescriptor(fd);
    }
  }

  async read(path: string, range?: RangeRequest, options: ReadOptions = {}): Promise<ArtifactRead> {
    const segments = this.#root.segments(path);
    const fd = segments && (await this.#root.openForReading(segments));
    if (fd === undefined) {
      throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'.`, { path });
    }
    return readDescriptor(fd, path, range, options);
  }

  async write(path: string, body: ArtifactBody, options: WriteOptions = {}): Promise<ArtifactWritten> {
    const target = this.#root.segmentsToChange(path);
    try {
      return await this.#publish(path, target, await this.#staging.store(body, options));
    } catch (error) {
      throw storeError(error, path);
    }
  }

  async remove(path: string): Promise<void> {
    const { folders, name } = this.#root.segmentsToChange(path);
    const opened = await this.#existingDirectory(folders);
    if (opened === undefined) return;
    closeDescriptor(opened.fd);
    try {
      await this.#directories.within(folders, async (directory) => {
        if (await this.#unlink(directory, name)) await directory.sync();
      });
    } catch (error) {
      throw storeError(error, path);
    }
  }

  async createMultipart(path: string, partCount: number): Promise<MultipartCreated> {
    this.#root.segmentsToChange(path);
    try {
      return await this.#multipart.create(path, partCount);
    } catch (error) {
      throw storeError(error, path);
    }
  }

  async writePart(
    upload: MultipartUpload,
    partNumber: number,
    body: ArtifactBody,
    options: WriteOptions = {},
  ): Promise<UploadedPart> {
    try {
      return await this.#multipart.writePart(upload, partNumber, body, options);
    } catch (error) {
      throw storeError(error, upload.path);
    }
  }

  async completeMultipart(
    upload: MultipartUpload,
    parts: readonly PartReference[],
  ): Promise<ArtifactWritten> {
    const target = this.#root.segmentsToChange(upload.path);
    try {
      const joined = await this.#multipart.join(upload, parts);
      const written = await this.#publish(upload.path, target, joined);
      await this.#multipart.abort(upload);
      return written;
    } catch (error) {
      throw storeError(error, upload.path);
    }
  }

  async abortMultipart(upload: MultipartUpload): Promise<void> {
    try {
      await this.#multipart.abort(upload);
    } catch (error) {
      throw storeError(error, upload.path);
    }
  }

  signUpload(path: string): Promise<never> {
    return Promise.reject(cannotSign(path));
  }

  signDownload(path: string): Promise<never> {
    return Promise.reject(cannotSign(path));
  }

  async close(): Promise<void> {
    this.#staging.close();
  }

  /** Puts a staged file in its place. Folders are made only now, so that a failed upload leaves none. */
  async #publish(
    path: string,
    target: { folders: string[]; name: string },
    staged: StagedFile,
  ): Promise<ArtifactWritten> {
    try {
      await this.#directories.within(target.folders, async (directory) => {
        await rename(staged.path, directory.child(target.name));
        await directory.sync();
      });
      return { sizeBytes: staged.sizeBytes, etag: staged.etag };
    } catch (error) {
      await unlink(staged.path).catch(() => undefined);
      if (!isErrno(error, "EISDIR", "ENOTEMPTY", "EEXIST")) throw error;
      throw new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `'${path}' is a directory, so no file can be stored under that name. Choose another path.`,
        { path },
        error,
      );
    }
  }

  /** A tree disappears at once, by renaming, and is deleted out of sight. False when nothing was there. */
  async #unlink(directory: OpenDirectory, name: string): Promise<boolean> {
    try {
      await unlink(directory.child(name));
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENAMETOOLONG")) return false;
      if (!isErrno(error, "EISDIR", "EPERM")) throw error;
    }
    const doomed = this.#staging.temporaryPath();
    await rename(directory.child(name), doomed);
    // A writer that held the folder open may still add to it: then deleting begins anew.
    await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
    return true;
  }

  /** Undefined as well when the path is that of a file, or lies below one. */
  async #existingDirectory(segments: readonly string[]) {
    try {
      return await this.#root.openDirectory(segments);
    } catch (error) {
      if (isErrno(error, "ENOTDIR")) return undefined;
      throw storeError(error, segments.join("/"));
    }
  }

  async #entry(child: Dirent, parentPath: string, prefix: string): Promise<ArtifactEntry | undefined> {
    const path = prefix + child.name;
    if (child.isDirectory()) return { path, isDirectory: true, sizeBytes: 0 };
    if (!child.isFile() && !child.isSymbolicLink()) return undefined;
    const wanted = `${parentPath}/${child.name}`;
    const real = child.isSymbolicLink() ? await this.#root.realPathInside(wanted) : wanted;
    if (real === undefined) return undefined;
    try {
      const stats = await lstat(real);
      if (stats.isDirectory()) return { path, isDirectory: true, sizeBytes: 0 };
      return stats.isFile() ? { path, isDirectory: false, sizeBytes: stats.size } : undefined;
    } catch (error) {
      // Removed since the directory was read.
      if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  }
}

function cannotSign(path: string): PlatformError {
  return new PlatformError(
    "NOT_IMPLEMENTED",
    `Local files have no signed addresses: transfer '${path}' through the server.`,
    { path },
  );
}

async function inGroups<T, R>(
  items: readonly T[],
  size: number,
  map: (item: T) => R | Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += size) {
    results.push(...(await Promise.all(items.slice(start, start + size).map(map))));
  }
  return results;
}

/** As Python and databases order text; JavaScript's own order differs beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const ofA = a[Symbol.iterator]();
  const ofB = b[Symbol.iterator]();
  for (;;) {
    const x = ofA.next();
    const y = ofB.next();
    if (x.done || y.done) return (x.done ? 0 : 1) - (y.done ? 0 : 1);
    const difference = (x.value.codePointAt(0) ?? 0) - (y.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
}
