/**
 * Multipart uploads through the proxy. A store that signs addresses takes the parts itself; for others the server
 * hands out signed addresses of its own, because clients send parts without their credentials.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { invalidParameter, PlatformError } from "@millrace/contract";
import type { Context } from "../../context.ts";
import { checkArtifactUploadPath } from "../../domain/artifact-path.ts";
import type { UseCase } from "../handler.ts";

const PARTS_MAX = 10_000;

function requireMultipart(ctx: Context): void {
  if (!ctx.artifacts.supports.multipart) {
    throw new PlatformError(
      "NOT_IMPLEMENTED",
      "Multipart upload is not supported for the current artifact repository",
    );
  }
}

function signature(ctx: Context, uploadId: string, partNumber: number, path: string): string {
  return createHmac("sha256", ctx.tokenKey)
    .update(JSON.stringify(["part", uploadId, partNumber, path]))
    .digest("base64url");
}

/**
 * The client sends the folder in the address and the file's name in the body, or the whole path in both.
 */
function uploadPath(artifactPath: string, path: string | undefined): string {
  const address = checkArtifactUploadPath(artifactPath);
  if (path === undefined || path === "") return address;
  const named = checkArtifactUploadPath(path);
  return address === named || address.endsWith(`/${named}`) ? address : `${address}/${named}`;
}

export const createMultipartUpload: UseCase<"createMultipartUpload"> = async (ctx, request, raw) => {
  requireMultipart(ctx);
  const path = uploadPath(request.artifactPath, request.path);
  const partCount = request.numParts ?? 0;
  if (partCount < 1 || partCount > PARTS_MAX) {
    throw invalidParameter(
      `Invalid value ${partCount} for parameter 'num_parts' supplied: it must be from 1 to ${PARTS_MAX}.`,
    );
  }
  const { uploadId, signedParts } = await ctx.artifacts.createMultipart(path, partCount);
  const credentials =
    signedParts?.map(({ url, headers, partNumber }) => ({ url: url.href, headers, partNumber })) ??
    Array.from({ length: partCount }, (_, index) => {
      const partNumber = index + 1;
      const query = new URLSearchParams({ path, signature: signature(ctx, uploadId, partNumber, path) });
      return {
        url: `${raw.origin}/api/1.0/millrace/artifact-parts/${encodeURIComponent(uploadId)}/${partNumber}?${query}`,
        partNumber,
        headers: {},
      };
    });
  return { uploadId, credentials };
};

export const uploadPart: UseCase<"uploadPart"> = async (
  ctx,
  { uploadId, partNumber, path, signature: given },
  raw,
) => {
  const expected = Buffer.from(signature(ctx, uploadId, partNumber, path));
  const actual = Buffer.from(given);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw new PlatformError(
      "PERMISSION_DENIED",
      "The address of this part was not made by this server. Start the upload again.",
    );
  }
  const { etag } = await ctx.artifacts.writePart({ path, uploadId }, partNumber, raw.body, {
    ...(raw.bodyBytes === undefined ? {} : { sizeBytes: raw.bodyBytes }),
    signal: raw.signal,
  });
  return { headers: { ETag: `"${etag}"` }, body: "" };
};

export const completeMultipartUpload: UseCase<"completeMultipartUpload"> = async (ctx, request) => {
  requireMultipart(ctx);
  const path = uploadPath(request.artifactPath, request.path);
  const parts = (request.parts ?? []).map(({ partNumber, etag }, index) => {
    if (partNumber === undefined)
      throw invalidParameter(`Missing value for required parameter 'parts[${index}].part_number'.`);
    return { partNumber, ...(etag === undefined ? {} : { etag }) };
  });
  await ctx.artifacts.completeMultipart({ path, uploadId: request.uploadId }, parts);
  return {};
};

export const abortMultipartUpload: UseCase<"abortMultipartUpload"> = async (ctx, request) => {
  requireMultipart(ctx);
  await ctx.artifacts.abortMultipart({
    path: uploadPath(request.artifactPath, request.path),
    uploadId: request.uploadId,
  });
  return {};
};
