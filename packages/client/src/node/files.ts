/** Artifacts from and to the local file system. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { PlatformError } from "@millrace/contract";
import { type ArtifactLocation, joinPath } from "../artifacts/location.ts";
import { forEachParallel } from "../artifacts/parallel.ts";
import type { ProgressOptions } from "../artifacts/progress.ts";
import type { ByteSource } from "../artifacts/source.ts";
import type { UploadOptions } from "../artifacts/upload.ts";
import type { FileInfo } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import type { Artifacts } from "../nouns/artifacts.ts";
import { createTally } from "./tally.ts";

export interface FolderOptions {
  /** Files under way at the same time; 4 by default. */
  readonly filesAtOnce?: number | undefined;
}

export interface NodeArtifacts extends Artifacts {
  /** Uploads a file below its own name, or as `artifactPath`. */
  uploadFile(
    location: ArtifactLocation,
    file: string,
    artifactPath?: string,
    options?: UploadOptions & ProgressOptions,
  ): Promise<void>;
  /** Uploads what a folder holds to `artifactPath`. Symbolic links are followed. Gives the number of files. */
  uploadFolder(
    location: ArtifactLocation,
    folder: string,
    artifactPath?: string,
    options?: UploadOptions & ProgressOptions & FolderOptions,
  ): Promise<number>;
  /** Downloads one artifact to a file, which appears only when it is complete. */
  downloadFile(
    location: ArtifactLocation,
    artifactPath: string,
    file: string,
    options?: CallOptions & ProgressOptions,
  ): Promise<void>;
  /**
   * Downloads an artifact, or a folder with all that is in it, into a local folder, where it keeps its path below
   * the location's root. Gives the number of files. @throws MillraceError RESOURCE_DOES_NOT_EXIST
   */
  downloadTo(
    location: ArtifactLocation,
    artifactPath: string,
    folder: string,
    options?: CallOptions & ProgressOptions & FolderOptions,
  ): Promise<number>;
}

const FILES_AT_ONCE = 4;
const PIECE_BYTES = 1024 * 1024;

export function withFiles(artifacts: Artifacts): NodeArtifacts {
  const uploadFile: NodeArtifacts["uploadFile"] = async (location, file, artifactPath, options) => {
    await artifacts.upload(location, artifactPath ?? path.basename(file), await fileSource(file), options);
  };
  const downloadFile: NodeArtifacts["downloadFile"] = async (location, artifactPath, file, options) => {
    const { stream } = await artifacts.download(location, artifactPath, options);
    await writeWhole(file, stream);
  };
  return {
    ...artifacts,
    uploadFile,
    downloadFile,
    uploadFolder: async (
      location,
      folder,
      artifactPath = "",
      { onProgress, filesAtOnce, ...options } = {},
    ) => {
      const files = await filesBelow(folder);
      const tally = createTally(onProgress, files);
      await forEachParallel(files, filesAtOnce ?? FILES_AT_ONCE, async (file) => {
        const target = joinPath(artifactPath, file.path);
        await uploadFile(location, path.join(folder, file.path), target, {
          ...options,
          onProgress: tally.follow(target),
        });
        tally.finish(target);
      });
      return files.length;
    },
    downloadTo: async (location, artifactPath, folder, { onProgress, filesAtOnce, ...options } = {}) => {
      const found: FileInfo[] = [];
      for await (const file of artifacts.walk(location, artifactPath, options)) found.push(file);
      // The listing of a file is as empty as that of a folder that is missing.
      const files =
        found.length === 0 && joinPath(artifactPath) !== ""
          ? [{ path: joinPath(artifactPath), isDir: false }]
          : found;
      const tally = createTally(onProgress, files);
      await forEachParallel(files, filesAtOnce ?? FILES_AT_ONCE, async (file) => {
        const target = inside(folder, file.path);
        await downloadFile(location, file.path, target, { ...options, onProgress: tally.follow(file.path) });
        tally.finish(file.path);
      });
      return files.length;
    },
  };
}

/** A path that a server names must not lead out of the folder that the user named. */
function inside(folder: string, artifactPath: string): string {
  const root = path.resolve(folder);
  const target = path.resolve(root, artifactPath);
  if (target.startsWith(root + path.sep)) return target;
  throw new PlatformError(
    "INVALID_PARAMETER_VALUE",
    `The server names an artifact '${artifactPath}', which would be written outside of ${root}.`,
    { artifactPath, folder },
  );
}

/** A file as the bytes of an upload. Its size is fixed here: a file that shrinks meanwhile fails the upload. */
export async function fileSource(file: string): Promise<ByteSource> {
  const { size } = await requireFile(file);
  return {
    sizeBytes: size,
    repeatable: true,
    open: (startByte = 0, endByte = size) =>
      startByte === endByte ? new Uint8Array(0) : readRange(file, startByte, endByte),
  };
}

async function requireFile(file: string): Promise<{ readonly size: number }> {
  const found = await stat(file);
  if (found.isFile()) return found;
  throw new PlatformError("INVALID_PARAMETER_VALUE", `${file} is no file. Use uploadFolder for a folder.`, {
    file,
  });
}

function readRange(
  file: string,
  startByte: number,
  endByte: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let handle: FileHandle | undefined;
  let position = startByte;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        handle ??= await open(file, constants.O_RDONLY);
        const piece = new Uint8Array(Math.min(PIECE_BYTES, endByte - position));
        const { bytesRead } = await handle.read(piece, 0, piece.byteLength, position);
        position += bytesRead;
        if (bytesRead > 0) controller.enqueue(piece.subarray(0, bytesRead));
        if (bytesRead === 0 || position === endByte) {
          await handle.close();
          if (position === endByte) controller.close();
          else controller.error(new Error(`${file} ended at byte ${position} while it was uploaded.`));
        }
      },
      cancel: async () => {
        await handle?.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Writes beside the target and renames, so that nobody ever sees half a file. */
async function writeWhole(file: string, stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${randomBytes(6).toString("hex")}.part`;
  try {
    const handle = await open(temporary, "wx");
    try {
      for await (const piece of stream) await writeAll(handle, piece);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let offset = 0; offset < piece.byteLength;) {
    offset += (await handle.write(piece, offset)).bytesWritten;
  }
}

async function filesBelow(folder: string): Promise<FileInfo[]> {
  const files: FileInfo[] = [];
  const visit = async (below: string): Promise<void> => {
    for await (const entry of await opendir(path.join(folder, below))) {
      const inner = joinPath(below, entry.name);
      const found = await stat(path.join(folder, inner));
      if (found.isDirectory()) await visit(inner);
      else if (found.isFile()) files.push({ path: inner, isDir: false, fileSize: found.size });
    }
  };
  await visit("");
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
