import { PlatformError } from "@millrace/contract";
import { present } from "../entities.ts";
import { MillraceError } from "../error.ts";
import type { CallOptions } from "../exchange.ts";
import type { Transport } from "../transport.ts";
import { forEachParallel } from "./parallel.ts";
import type { Moved } from "./progress.ts";
import type { ByteSource } from "./source.ts";
import { streamOptionsOf } from "./upload.ts";

/** Object stores take parts of 5 MiB to 5 GiB, and at most 10,000 of them. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_MAX = 10_000;
const PARTS_AT_ONCE = 4;

export function multipartWanted(source: ByteSource, artifactPath: string, bytesMin: number): boolean {
  // The address names the folder, so a file at the top of the store cannot be sent in parts.
  return (
    source.repeatable &&
    source.sizeBytes !== undefined &&
    source.sizeBytes >= bytesMin &&
    artifactPath.includes("/")
  );
}

/**
 * Sends a file in parts, several at once, each repeated by itself when it fails.
 * False when the server turns out to be unable to take parts.
 */
export async function uploadInParts(
  transport: Transport,
  artifactPath: string,
  source: ByteSource,
  options: CallOptions,
  moved: Moved,
): Promise<boolean> {
  const { call } = transport;
  const sizeBytes = present(source.sizeBytes, "size");
  const partBytes = Math.max(PART_BYTES, Math.ceil(sizeBytes / PARTS_MAX));
  const slash = artifactPath.lastIndexOf("/");
  const target = { artifactPath: artifactPath.slice(0, slash), path: artifactPath.slice(slash + 1) };
  let created;
  try {
    const numParts = Math.ceil(sizeBytes / partBytes);
    created = await call("createMultipartUpload", { ...target, numParts }, options);
  } catch (error) {
    if (error instanceof MillraceError && (error.status === 501 || error.status === 404)) return false;
    throw error;
  }
  const uploadId = present(created.uploadId, "upload_id");
  const parts: { partNumber: number; etag: string; url: string }[] = [];
  try {
    await forEachParallel(created.credentials ?? [], PARTS_AT_ONCE, async ({ url, partNumber, headers }) => {
      const number = present(partNumber, "part_number");
      const address = present(url, "url");
      const startByte = (number - 1) * partBytes;
      const streaming = streamOptionsOf(source, options, moved, [
        startByte,
        Math.min(sizeBytes, startByte + partBytes),
      ]);
      using answered = await transport.openUrl("PUT", address, {
        ...streaming.options,
        headers: { ...streaming.options.headers, ...headers },
      });
      await answered.response.text();
      streaming.finish();
      parts.push({ partNumber: number, etag: answered.response.headers.get("etag") ?? "", url: address });
    });
    if (parts.length !== Math.ceil(sizeBytes / partBytes)) {
      throw new PlatformError(
        "INTERNAL_ERROR",
        `The server gave addresses for ${parts.length} parts of ${artifactPath} only.`,
      );
    }
    parts.sort((a, b) => a.partNumber - b.partNumber);
    await call("completeMultipartUpload", { ...target, uploadId, parts }, options);
  } catch (error) {
    // The first error is the one to tell; what is left of the upload is the server's to clean up.
    await call("abortMultipartUpload", { ...target, uploadId }, { retries: 1 }).catch(() => undefined);
    throw error;
  }
  return true;
}
