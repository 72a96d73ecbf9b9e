/** Where the artifacts of a run, a logged model or a model version lie: a store and a path in it. */
import { PlatformError } from "@millrace/contract";
import type { ArtifactStore } from "../../artifacts/store.ts";
import type { Context } from "../../context.ts";
import { checkArtifactPath } from "../../domain/artifact-path.ts";
import { isUriWithin, proxiedArtifactPath, uriScheme } from "../../domain/artifact-uri.ts";

export interface ArtifactRoot {
  readonly store: ArtifactStore;
  /** Path of the root in its store; empty for the store's own root. */
  readonly prefix: string;
}

/**
 * Resolves an artifact address. Local folders are read only inside the server's own roots: anybody may name a folder
 * when creating an experiment, and the server must not hand out its files for that.
 */
export async function artifactRoot(ctx: Context, uri: string): Promise<ArtifactRoot> {
  const proxied = proxiedArtifactPath(uri);
  if (proxied !== undefined) return { store: ctx.artifacts, prefix: checkArtifactPath(proxied) };
  const scheme = uriScheme(uri);
  const isLocal = scheme === "" || scheme === "file";
  const { artifactsDestination, defaultArtifactRoot } = ctx.settings;
  if (isLocal && ![artifactsDestination, defaultArtifactRoot].some((root) => isUriWithin(uri, root))) {
    throw new PlatformError(
      "PERMISSION_DENIED",
      `The artifacts are at '${uri}', outside of this server's artifact folders, so the server does not read them. Read them from a machine that has the folder, or start the server with --artifacts-destination or --default-artifact-root above it.`,
      { uri },
    );
  }
  return { store: await ctx.openArtifacts(uri), prefix: "" };
}

/** Address of a path in the store of a root. */
export function inRoot(root: ArtifactRoot, path: string): string {
  if (root.prefix === "") return path;
  return path === "" ? root.prefix : `${root.prefix}/${path}`;
}
