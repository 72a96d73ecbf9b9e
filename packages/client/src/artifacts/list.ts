import { PlatformError } from "@millrace/contract";
import { type FileInfo, fileInfoOf } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { type ArtifactLocation, joinPath, type ResolveRoot } from "./location.ts";

/** Direct children of a folder, with paths relative to the location's root. Nothing for a file or a missing path. */
export function listArtifacts(
  transport: Transport,
  resolveRoot: ResolveRoot,
  location: ArtifactLocation,
  path: string,
  options?: CallOptions,
): Listing<FileInfo> {
  const { call } = transport;
  const folder = joinPath(path);
  return listing(async (pageToken) => {
    if ("runId" in location) {
      const request = { runId: location.runId, path: folder === "" ? undefined : folder, pageToken };
      const { files, nextPageToken } = await call("listArtifacts", request, options);
      return { items: (files ?? []).map(fileInfoOf), nextPageToken };
    }
    if ("modelId" in location) {
      const artifactDirectoryPath = folder === "" ? undefined : folder;
      const { files, nextPageToken } = await call(
        "listLoggedModelArtifacts",
        { modelId: location.modelId, artifactDirectoryPath, pageToken },
        options,
      );
      return { items: (files ?? []).map(fileInfoOf), nextPageToken };
    }
    const root = await resolveRoot(location, options);
    if (root.kind !== "proxy") {
      throw new PlatformError(
        "NOT_IMPLEMENTED",
        "The artifacts of this version are not served by the tracking server, so they cannot be listed. List those of its run or its logged model.",
        { ...location },
      );
    }
    const { files } = await call("listProxiedArtifacts", { path: joinPath(root.prefix, folder) }, options);
    // The proxy tells names only.
    return {
      items: (files ?? []).map(fileInfoOf).map((file) => ({ ...file, path: joinPath(folder, file.path) })),
    };
  });
}

/** All files below a folder, depth first; folders themselves are left out. */
export async function* walkArtifacts(
  list: (path: string) => AsyncIterable<FileInfo>,
  path: string,
): AsyncGenerator<FileInfo, void, undefined> {
  const folders: string[] = [];
  for await (const entry of list(path)) {
    if (entry.isDir) folders.push(entry.path);
    else yield entry;
  }
  for (const folder of folders) yield* walkArtifacts(list, folder);
}
