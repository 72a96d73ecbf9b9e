import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { invalidParameter, PlatformError } from "@millrace/contract";
import {
  closeDescriptor,
  describe,
  etagOf,
  isErrno,
  openDescriptor,
  rename,
  unlink,
} from "./local-descriptors.ts";
import { readDescriptor } from "./local-reading.ts";
import type { StagedFile, Staging } from "./local-staging.ts";
import type { ArtifactBody, MultipartUpload, PartReference, UploadedPart, WriteOptions } from "./store.ts";

/** As many as S3 allows, so that a client meets the same bound everywhere. */
export const PARTS_MAX = 10_000;
const FOLDER_PREFIX = "multipart-";
const MANIFEST = "upload.json";

interface Manifest {
  readonly path: string;
  readonly partCount: number;
}

/**
 * Unfinished uploads: a folder each, a file per part, so that parts arrive at once, in any order, and
 * survive a restart of the server. Joining copies the parts once more, because their sizes and therefore
 * their places in the file are not known before the last has come.
 */
export class MultipartUploads {
  readonly #staging: Staging;

  constructor(staging: Staging) {
    this.#staging = staging;
  }

  async create(path: string, partCount: number): Promise<MultipartUpload> {
    if (!Number.isInteger(partCount) || partCount < 1 || partCount > PARTS_MAX) {
      throw invalidParameter(
        `An upload has 1 to ${PARTS_MAX} parts, not ${partCount}. Choose larger parts.`,
        { partCount, partsMax: PARTS_MAX },
      );
    }
    const uploadId = randomBytes(16).toString("hex");
    await mkdir(this.#folder(uploadId));
    const manifest: Manifest = { path, partCount };
    await writeFile(join(this.#folder(uploadId), MANIFEST), JSON.stringify(manifest));
    return { path, uploadId };
  }

  async writePart(
    upload: MultipartUpload,
    partNumber: number,
    body: ArtifactBody,
    options: WriteOptions,
  ): Promise<UploadedPart> {
    const { partCount } = await this.#manifest(upload);
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > partCount) {
      throw invalidParameter(
        `Part ${partNumber} does not belong to the upload of '${upload.path}', which has parts 1 to ${partCount}.`,
        { partNumber, partCount },
      );
    }
    // Not synced: only the joined file has to survive a power loss.
    const staged = await this.#staging.store(body, options, false);
    try {
      await rename(staged.path, this.#part(upload.uploadId, partNumber));
    } catch (error) {
      await unlink(staged.path).catch(() => undefined);
      if (isErrno(error, "ENOENT")) throw unknownUpload(upload);
      throw error;
    }
    return { partNumber, sizeBytes: staged.sizeBytes, etag: staged.etag };
  }

  /** The joined file, staged and synced; the parts stay until `abort`. */
  async join(upload: MultipartUpload, parts: readonly PartReference[]): Promise<StagedFile> {
    const { partCount } = await this.#manifest(upload);
    const etags = partsByNumber(upload, parts, partCount);
    const missing: number[] = [];
    const changed: number[] = [];
    let sizeBytes = 0;
    for (let number = 1; number <= partCount; number += 1) {
      const found = await this.#describePart(upload.uploadId, number);
      const wanted = etags.get(number);
      if (found === undefined || wanted === undefined) missing.push(number);
      else if (wanted !== "" && wanted !== found.etag) changed.push(number);
      else sizeBytes += found.sizeBytes;
    }
    if (missing.length > 0) {
      throw invalidParameter(
        `The upload of '${upload.path}' lacks ${listed(missing)} of ${partCount}. Send and list every part, then complete it again.`,
        { missingParts: missing.slice(0, 100), partCount },
      );
    }
    if (changed.length > 0) {
      throw invalidParameter(
        `The etag of ${listed(changed)} of '${upload.path}' is not that of the part that was stored. Send it again.`,
        { changedParts: changed.slice(0, 100) },
      );
    }
    return this.#staging.store(this.#allBytes(upload.uploadId, partCount), { sizeBytes });
  }

  /** Removes the upload with its parts, if it is there. */
  async abort(upload: MultipartUpload): Promise<void> {
    if (isUploadId(upload.uploadId)) {
      await rm(this.#folder(upload.uploadId), { recursive: true, force: true });
    }
  }

  async removeExpired(beforeMs: number): Promise<void> {
    for (const name of await readdir(this.#staging.folder)) {
      if (!name.startsWith(FOLDER_PREFIX)) continue;
      const path = join(this.#staging.folder, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats !== undefined && stats.mtimeMs < beforeMs) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }

  async *#allBytes(uploadId: string, partCount: number): AsyncGenerator<Uint8Array> {
    for (let number = 1; number <= partCount; number += 1) {
      const path = this.#part(uploadId, number);
      const fd = await openDescriptor(path, constants.O_RDONLY);
      yield* readDescriptor(fd, path, undefined, { reuseChunks: true }).body;
    }
  }

  async #describePart(uploadId: string, number: number) {
    try {
      const fd = await openDescriptor(this.#part(uploadId, number), constants.O_RDONLY);
      try {
        const stats = describe(fd);
        return { sizeBytes: Number(stats.size), etag: etagOf(stats) };
      } finally {
        closeDescriptor(fd);
      }
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  async #manifest(upload: MultipartUpload): Promise<Manifest> {
    if (!isUploadId(upload.uploadId)) throw unknownUpload(upload);
    try {
      const text = await readFile(join(this.#folder(upload.uploadId), MANIFEST), "utf8");
      const manifest = JSON.parse(text) as Manifest;
      if (manifest.path === upload.path) return manifest;
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    throw unknownUpload(upload);
  }

  #folder(uploadId: string): string {
    return join(this.#staging.folder, FOLDER_PREFIX + uploadId);
  }

  #part(uploadId: string, number: number): string {
    return join(this.#folder(uploadId), `part-${number}`);
  }
}

/** Etags without quotes by part number; "" where the caller named none. */
function partsByNumber(
  upload: MultipartUpload,
  parts: readonly PartReference[],
  partCount: number,
): Map<number, string> {
  const etags = new Map<number, string>();
  for (const { partNumber, etag = "" } of parts) {
    if (etags.has(partNumber) || partNumber < 1 || partNumber > partCount) {
      throw invalidParameter(
        `Part ${partNumber} of '${upload.path}' is listed twice or is not one of 1 to ${partCount}.`,
        { partNumber, partCount },
      );
    }
    etags.set(partNumber, etag.replace(/^(?:W\/)?"(.*)"$/, "$1"));
  }
  return etags;
}

function listed(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 10).join(", ");
  return `${numbers.length === 1 ? "part" : "parts"} ${shown}${numbers.length > 10 ? ", …" : ""}`;
}

function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

function unknownUpload(upload: MultipartUpload): PlatformError {
  return new PlatformError(
    "RESOURCE_DOES_NOT_EXIST",
    `No multipart upload of '${upload.path}' is open under this upload_id: it was completed, aborted, or has expired. Start a new one.`,
    { path: upload.path },
  );
}
