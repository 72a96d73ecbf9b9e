/** Whose artifacts are meant, and by which way the server gives them. */
import { PlatformError } from "@millrace/contract";
import { present } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import type { Transport } from "../transport.ts";

export type ArtifactLocation =
  | { readonly runId: string }
  | { readonly modelId: string }
  /** A version in the registry: read only. */
  | { readonly name: string; readonly version: string }
  /** An address of the server's own artifact store: `mlflow-artifacts:/…`. */
  | { readonly uri: string };

export type ArtifactRoot =
  /** The server passes the bytes on; `prefix` is below its store, without slashes at its ends. */
  | { readonly kind: "proxy"; readonly prefix: string }
  /** The server only reads and writes single files for us. */
  | { readonly kind: "server"; readonly location: Exclude<ArtifactLocation, { uri: string }> };

/** Path below the proxy's root, or undefined for addresses that the proxy does not serve. */
export function proxiedPath(uri: string): string | undefined {
  const match = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(uri);
  return match?.[1] === undefined ? undefined : trimmed(match[1]);
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}

/** Joins parts of an artifact path; empty ones vanish. */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .map(trimmed)
    .filter((part) => part !== "")
    .join("/");
}

/** A run's or a model's root never changes, so it is asked for once. The memory is bounded. */
const ROOTS_MAX = 1_000;

export type ResolveRoot = (location: ArtifactLocation, options?: CallOptions) => Promise<ArtifactRoot>;

export function createRootResolver({ call }: Transport): ResolveRoot {
  const known = new Map<string, ArtifactRoot>();

  async function uriOf(
    location: Exclude<ArtifactLocation, { uri: string }>,
    options?: CallOptions,
  ): Promise<string> {
    if ("runId" in location) {
      const { run } = await call("getRun", { runId: location.runId }, options);
      return present(run?.info?.artifactUri, "artifact_uri");
    }
    if ("modelId" in location) {
      const { model } = await call("getLoggedModel", { modelId: location.modelId }, options);
      return present(model?.info?.artifactUri, "artifact_uri");
    }
    const { artifactUri } = await call("getModelVersionDownloadUri", location, options);
    return present(artifactUri, "artifact_uri");
  }

  return async (location, options) => {
    if ("uri" in location) {
      const prefix = proxiedPath(location.uri);
      if (prefix !== undefined) return { kind: "proxy", prefix };
      throw new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `'${location.uri}' is not served by the tracking server, whose artifacts begin with mlflow-artifacts:/. Name the run or the model instead.`,
        { uri: location.uri },
      );
    }
    const key = JSON.stringify(location);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const prefix = proxiedPath(await uriOf(location, options));
    const root: ArtifactRoot =
      prefix === undefined ? { kind: "server", location } : { kind: "proxy", prefix };
    // A version's artifacts can move with its source, so only runs and models are remembered.
    if (!("version" in location)) {
      if (known.size >= ROOTS_MAX) known.delete(known.keys().next().value!);
      known.set(key, root);
    }
    return root;
  };
}
