/** Artifacts addressed by what they belong to: a run, a logged model, a model version. */
import { invalidParameter, PlatformError } from "@millrace/contract";
import type { Context } from "../../context.ts";
import { checkArtifactPath, checkArtifactUploadPath } from "../../domain/artifact-path.ts";
import { isProxyUri, uriScheme } from "../../domain/artifact-uri.ts";
import { getActiveRun, getRun } from "../../db/queries/runs.ts";
import type { RawAnswer, RawRequest, UseCase } from "../handler.ts";
import { sendArtifact } from "./content.ts";
import { listBelow } from "./listing.ts";
import { artifactRoot, inRoot } from "./roots.ts";

async function rootOfRun(ctx: Context, runId: string): Promise<string> {
  const run = await ctx.db.read((reader) => getRun(reader, runId));
  return run.artifact_uri;
}

/** Sends a file below an artifact address. */
export async function sendBelow(
  ctx: Context,
  rootUri: string,
  path: string,
  raw: RawRequest,
): Promise<RawAnswer> {
  const file = checkArtifactPath(path);
  const root = await artifactRoot(ctx, rootUri);
  return sendArtifact(root.store, inRoot(root, file), raw);
}

/** The path of a file, and a missing one, list nothing; the root is told all the same. */
export const listArtifacts: UseCase<"listArtifacts"> = async (ctx, { runId, path = "" }) => {
  const rootUri = await rootOfRun(ctx, runId);
  return { rootUri, files: await listBelow(ctx, rootUri, path) };
};

export const getRunArtifact: UseCase<"getRunArtifact"> = async (ctx, { runId, path }, raw) =>
  sendBelow(ctx, await rootOfRun(ctx, runId), path, raw);

export const uploadArtifact: UseCase<"uploadArtifact"> = async (ctx, { runUuid, path }, raw) => {
  const name = checkArtifactUploadPath(path);
  const { uploadArtifactBytesMax } = ctx.limits;
  if ((raw.bodyBytes ?? 0) > uploadArtifactBytesMax) {
    throw invalidParameter(
      `Artifact size is too large. Max size is ${uploadArtifactBytesMax} bytes; use the artifact proxy for larger files.`,
      {
        bytes: raw.bodyBytes,
      },
    );
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of raw.body) {
    bytes += part.byteLength;
    if (bytes > uploadArtifactBytesMax) {
      throw invalidParameter(`Artifact size is too large. Max size is ${uploadArtifactBytesMax} bytes.`, {
        bytes,
      });
    }
    parts.push(Uint8Array.from(part));
  }
  if (bytes === 0) throw invalidParameter("Request must specify data.");
  const run = await ctx.db.read(async (reader) => {
    await getActiveRun(reader, runUuid);
    return getRun(reader, runUuid);
  });
  const root = await artifactRoot(ctx, run.artifact_uri);
  await root.store.write(inRoot(root, name), Buffer.concat(parts), { signal: raw.signal });
  return { headers: {}, body: "" };
};

export const createPresignedUploadUrl: UseCase<"createPresignedUploadUrl"> = async (ctx, request) => {
  const { runId, modelId } = request;
  if (!runId === !modelId) throw invalidParameter("Exactly one of run_id and model_id must be provided.");
  const uri = runId ? await rootOfRun(ctx, runId) : await rootOfModel(ctx, modelId!);
  refuseProxied(uri, "upload", "");
  const root = await artifactRoot(ctx, uri);
  const signed = await root.store.signUpload(inRoot(root, checkArtifactUploadPath(request.path)), {
    expiresInSeconds: request.expiration ?? 900,
  });
  return { presignedUrl: signed.url.href, headers: signed.headers };
};

export const createPresignedDownloadUrl: UseCase<"createPresignedDownloadUrl"> = async (ctx, request) => {
  const uri = await rootOfRun(ctx, request.runId);
  refuseProxied(uri, "download", " runs with");
  const root = await artifactRoot(ctx, uri);
  const path = inRoot(root, checkArtifactPath(request.path));
  const stat = await root.store.stat(path);
  if (stat === undefined)
    throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'`, { path });
  const signed = await root.store.signDownload(path, { expiresInSeconds: request.expiration ?? 300 });
  return { presignedUrl: signed.url.href, headers: signed.headers, fileSize: stat.sizeBytes };
};

async function rootOfModel(ctx: Context, modelId: string): Promise<string> {
  const row = await ctx.db.read((reader) =>
    reader.get<{ artifact_location: string }>(
      "SELECT artifact_location FROM logged_models WHERE model_id = ? AND deleted = 0",
      [modelId],
    ),
  );
  if (row === undefined) {
    throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `Logged model with ID '${modelId}' not found`, {
      modelId,
    });
  }
  return row.artifact_location;
}

function refuseProxied(uri: string, direction: "upload" | "download", of: string): void {
  if (!isProxyUri(uri)) return;
  throw invalidParameter(
    `Presigned ${direction} is not supported for${of} proxied artifact storage (artifact URI scheme: ${uriScheme(uri)}). This endpoint requires a direct cloud storage artifact URI.`,
    { uri },
  );
}

export const listLoggedModelArtifacts: UseCase<"listLoggedModelArtifacts"> = async (ctx, request) => {
  const rootUri = await rootOfModel(ctx, request.modelId);
  return { rootUri, files: await listBelow(ctx, rootUri, request.artifactDirectoryPath ?? "") };
};

export const getLoggedModelArtifact: UseCase<"getLoggedModelArtifact"> = async (ctx, request, raw) =>
  sendBelow(ctx, await rootOfModel(ctx, request.modelId), request.artifactFilePath, raw);

export const getVersionArtifact: UseCase<"getVersionArtifact"> = async (
  ctx,
  { name, version, path },
  raw,
) => {
  const row = await ctx.db.read((reader) =>
    reader.get<{ source: string | null; storage_location: string | null }>(
      "SELECT v.source, v.storage_location FROM model_versions v JOIN registered_models m ON m.id = v.model WHERE m.name = ? AND v.version = ? AND v.stage <> 'Deleted_Internal'",
      [name, /^\d{1,15}$/.test(version) ? Number(version) : -1],
    ),
  );
  const root = row?.storage_location ?? row?.source;
  if (!root) {
    throw new PlatformError(
      "RESOURCE_DOES_NOT_EXIST",
      `Model Version (name=${name}, version=${version}) not found`,
      {
        name,
        version,
      },
    );
  }
  return sendBelow(ctx, root, path, raw);
};
