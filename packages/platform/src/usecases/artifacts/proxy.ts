/** The artifact proxy: clients read and write the server's store by path. */
import { PlatformError } from "@millrace/contract";
import { checkArtifactPath, checkArtifactUploadPath } from "../../domain/artifact-path.ts";
import type { UseCase } from "../handler.ts";
import { sendArtifact } from "./content.ts";
import { fileInfo } from "./listing.ts";

/** Names only, not paths: the directory is the caller's. */
export const listProxiedArtifacts: UseCase<"listProxiedArtifacts"> = async (ctx, { path = "" }) => {
  const entries = await ctx.artifacts.list(checkArtifactPath(path));
  return {
    files: entries.map((entry) => fileInfo(entry, entry.path.slice(entry.path.lastIndexOf("/") + 1))),
  };
};

export const downloadArtifact: UseCase<"downloadArtifact"> = (ctx, { artifactPath }, raw) =>
  sendArtifact(ctx.artifacts, checkArtifactPath(artifactPath), raw);

export const writeArtifact: UseCase<"writeArtifact"> = async (ctx, { artifactPath }, raw) => {
  const path = checkArtifactUploadPath(artifactPath);
  await ctx.artifacts.write(path, raw.body, {
    ...(raw.bodyBytes === undefined ? {} : { sizeBytes: raw.bodyBytes }),
    signal: raw.signal,
  });
  return { headers: {}, body: "" };
};

/** A missing path is fine. */
export const deleteArtifact: UseCase<"deleteArtifact"> = async (ctx, { artifactPath }) => {
  await ctx.artifacts.remove(checkArtifactPath(artifactPath));
  return {};
};

export const getProxiedPresignedUrl: UseCase<"getProxiedPresignedUrl"> = async (ctx, { artifactPath }) => {
  const path = checkArtifactPath(artifactPath);
  if (!ctx.artifacts.supports.signedDownload) {
    throw new PlatformError(
      "NOT_IMPLEMENTED",
      "Multipart download is not supported for the current artifact repository",
    );
  }
  const stat = await ctx.artifacts.stat(path);
  if (stat === undefined || stat.isDirectory) {
    throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'`, { path });
  }
  const { url, headers } = await ctx.artifacts.signDownload(path, { expiresInSeconds: 900 });
  return { url: url.href, headers, fileSize: stat.sizeBytes };
};
