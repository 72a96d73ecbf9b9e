/** Artifacts as whole folders: removing those of a run, and copying a store for a backup. */
import { PlatformError } from "@millrace/contract";
import type { ArtifactStore } from "../../artifacts/store.ts";
import { isUriWithin, proxiedArtifactPath, uriScheme } from "../../domain/artifact-uri.ts";

export interface ArtifactPlaces {
  /** The store behind the proxy. */
  readonly store: ArtifactStore;
  readonly open: (uri: string) => Promise<ArtifactStore>;
  /** Folders of the server: local artifacts elsewhere are left alone. */
  readonly roots: readonly string[];
}

/**
 * Removes what lies at the artifact address of a run or a logged model, with the folder named after it.
 * @throws PlatformError PERMISSION_DENIED for local folders outside of the server's
 */
export async function removeArtifactFolder(places: ArtifactPlaces, uri: string): Promise<void> {
  // Addresses end in `<id>/artifacts`; the id's folder holds nothing else.
  const folder = uri.replace(/\/+$/, "").replace(/(\/[0-9a-f]{32}|\/m-[0-9a-f]{32})\/artifacts$/, "$1");
  const proxied = proxiedArtifactPath(folder);
  if (proxied !== undefined) {
    if (proxied !== "") await places.store.remove(proxied);
    return;
  }
  const at = folder.lastIndexOf("/");
  const scheme = uriScheme(folder);
  const isLocal = scheme === "" || scheme === "file";
  if (at <= 0 || (isLocal && !places.roots.some((root) => isUriWithin(folder, root) && folder !== root))) {
    throw new PlatformError(
      "PERMISSION_DENIED",
      `'${uri}' is outside of the server's artifact folders, so it was left alone. Name its root with --artifacts-destination, or remove it yourself.`,
      { uri },
    );
  }
  const store = await places.open(folder.slice(0, at));
  try {
    await store.remove(folder.slice(at + 1));
  } finally {
    await store.close();
  }
}

/** Copies every file of a store. What is removed meanwhile is left out. */
export async function copyArtifacts(
  from: ArtifactStore,
  to: ArtifactStore,
  onProgress: (files: number, bytes: number) => void = () => undefined,
): Promise<{ readonly files: number; readonly bytes: number }> {
  let files = 0;
  let bytes = 0;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await from.list(folder)) {
      if (entry.isDirectory) {
        folders.push(entry.path);
        continue;
      }
      try {
        const read = await from.read(entry.path, undefined, { reuseChunks: true });
        await to.write(entry.path, read.body, { sizeBytes: read.sizeBytes });
        bytes += read.sizeBytes;
      } catch (error) {
        if (error instanceof PlatformError && error.code === "RESOURCE_DOES_NOT_EXIST") continue;
        throw error;
      }
      onProgress(++files, bytes);
    }
  }
  return { files, bytes };
}
