import { PlatformError } from "@millrace/contract";
import { type Download, openDownload } from "../artifacts/download.ts";
import { listArtifacts, walkArtifacts } from "../artifacts/list.ts";
import { type ArtifactLocation, createRootResolver, joinPath } from "../artifacts/location.ts";
import type { Progress, ProgressOptions } from "../artifacts/progress.ts";
import { byteSourceOf, type Uploadable } from "../artifacts/source.ts";
import { type Upload, uploadArtifact, type UploadOptions } from "../artifacts/upload.ts";
import { present, type FileInfo } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import type { Listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields } from "./request.ts";
import type { Server } from "./server.ts";

/** Files of runs, logged models and model versions. Paths are relative to the location's root. */
export interface Artifacts {
  /** Direct children of a folder; nothing for a file or a missing path. */
  list(location: ArtifactLocation, path?: string, options?: CallOptions): Listing<FileInfo>;
  /** All files below a folder. */
  walk(location: ArtifactLocation, path?: string, options?: CallOptions): AsyncIterable<FileInfo>;
  upload(
    location: ArtifactLocation,
    path: string,
    content: Uploadable,
    options?: UploadOptions & ProgressOptions,
  ): Promise<void>;
  /** Opens a file. The stream goes on by itself after a broken connection. */
  download(
    location: ArtifactLocation,
    path: string,
    options?: CallOptions & ProgressOptions,
  ): Promise<Download>;
  bytes(
    location: ArtifactLocation,
    path: string,
    options?: CallOptions & ProgressOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  text(location: ArtifactLocation, path: string, options?: CallOptions & ProgressOptions): Promise<string>;
  /** Deletes a file or a folder with all that is in it, where the server serves the artifacts. */
  delete(location: ArtifactLocation, path: string, options?: CallOptions): Promise<void>;
  /** An address for an upload beside the server. Refused where the server serves the artifacts itself. */
  presignUpload(request: Fields<"createPresignedUploadUrl">, options?: CallOptions): Promise<Presigned>;
  /** An address for a download beside the server. Refused where the server serves the artifacts itself. */
  presignDownload(request: Fields<"createPresignedDownloadUrl">, options?: CallOptions): Promise<Presigned>;
  /** An address for a download beside the server, of a path in its artifact store. */
  presignProxied(artifactPath: string, options?: CallOptions): Promise<Presigned>;
}

export interface Presigned {
  readonly url: string;
  /** To be sent along. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fileSize?: number | undefined;
}

export function createArtifacts(transport: Transport, server: Server): Artifacts {
  const { call } = transport;
  const resolveRoot = createRootResolver(transport);
  let multipart: Promise<boolean> | undefined;
  const upload: Upload = {
    transport,
    resolveRoot,
    supportsMultipart: (options) => {
      multipart ??= server.info(options).then((info) => info.multipartUploadsEnabled === true);
      // A failed question is asked again at the next file.
      return multipart.catch((error: unknown) => {
        multipart = undefined;
        throw error;
      });
    },
  };

  const list: Artifacts["list"] = (location, path = "", options) =>
    listArtifacts(transport, resolveRoot, location, path, options);
  const download: Artifacts["download"] = async (location, path, { onProgress, ...options } = {}) => {
    let doneBytes = 0;
    const opened: Download = await openDownload(transport, resolveRoot, location, path, options, (bytes) => {
      doneBytes += bytes;
      onProgress?.(progressOf(path, doneBytes, opened.sizeBytes));
    });
    return opened;
  };
  const response = async (...args: Parameters<Artifacts["download"]>): Promise<Response> =>
    new Response((await download(...args)).stream);

  return {
    list,
    walk: (location, path = "", options) => walkArtifacts((folder) => list(location, folder, options), path),
    upload: async (location, path, content, { onProgress, ...options } = {}) => {
      const source = byteSourceOf(content);
      let doneBytes = 0;
      await uploadArtifact(upload, location, path, source, options, (bytes) => {
        doneBytes += bytes;
        onProgress?.(progressOf(path, doneBytes, source.sizeBytes));
      });
    },
    download,
    bytes: async (...args) => new Uint8Array(await (await response(...args)).arrayBuffer()),
    text: async (...args) => (await response(...args)).text(),
    delete: async (location, path, options) => {
      const root = await resolveRoot(location, options);
      if (root.kind === "proxy") {
        await call("deleteArtifact", { artifactPath: joinPath(root.prefix, path) }, options);
        return;
      }
      throw new PlatformError(
        "NOT_IMPLEMENTED",
        "The server does not serve these artifacts itself, so they cannot be deleted through it.",
        { ...location },
      );
    },
    presignUpload: async (request, options) =>
      presignedOf(await call("createPresignedUploadUrl", request, options)),
    presignDownload: async (request, options) =>
      presignedOf(await call("createPresignedDownloadUrl", request, options)),
    presignProxied: async (artifactPath, options) => {
      const { url, ...rest } = await call("getProxiedPresignedUrl", { artifactPath }, options);
      return presignedOf({ presignedUrl: url, ...rest });
    },
  };
}

function presignedOf(answer: {
  readonly presignedUrl?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fileSize?: number | undefined;
}): Presigned {
  const { presignedUrl, headers, fileSize } = answer;
  return { url: present(presignedUrl, "presigned_url"), headers: headers ?? {}, fileSize };
}

function progressOf(path: string, doneBytes: number, totalBytes: number | undefined): Progress {
  const filesDone = totalBytes !== undefined && doneBytes >= totalBytes ? 1 : 0;
  return { doneBytes, totalBytes, filesDone, filesTotal: 1, path };
}
