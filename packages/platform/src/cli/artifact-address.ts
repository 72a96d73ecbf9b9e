/** The addresses of artifacts that people write: `runs:/…`, `models:/…`, `mlflow-artifacts:/…`. */
import type { ArtifactLocation, NodeClient as Client } from "@millrace/client/node";
import { UsageError } from "./errors.ts";

export interface ArtifactAddress {
  readonly location: ArtifactLocation;
  /** Below the location's root; empty for all of it. */
  readonly path: string;
}

/** Understands an address; aliases, stages and `latest` are looked up in the registry. @throws UsageError */
export async function resolveArtifactUri(client: Client, uri: string): Promise<ArtifactAddress> {
  const run = /^runs:\/*([^/]+)(?:\/(.*))?$/.exec(uri);
  if (run !== null) return { location: { runId: run[1]! }, path: trimmed(run[2]) };
  const logged = /^models:\/*(m-[0-9a-f]{32})(?:\/(.*))?$/.exec(uri);
  if (logged !== null) return { location: { modelId: logged[1]! }, path: trimmed(logged[2]) };
  const aliased = /^models:\/*([^/@]+)@([^/]+)(?:\/(.*))?$/.exec(uri);
  if (aliased !== null) {
    const { name, version } = await client.models.aliases.get(aliased[1]!, aliased[2]!);
    return { location: { name, version }, path: trimmed(aliased[3]) };
  }
  const registered = /^models:\/*([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(uri);
  if (registered !== null) {
    const name = registered[1]!;
    const version = await versionOf(client, name, registered[2]!);
    return { location: { name, version }, path: trimmed(registered[3]) };
  }
  const proxied = /^(mlflow-artifacts:(?:\/\/[^/]*)?\/)(.*)$/.exec(uri);
  if (proxied !== null) {
    const path = trimmed(proxied[2]);
    const at = path.lastIndexOf("/");
    return { location: { uri: proxied[1]! + path.slice(0, Math.max(at, 0)) }, path: path.slice(at + 1) };
  }
  throw new UsageError(
    `'${uri}' is no address that this command knows: write runs:/ID/path, models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or mlflow-artifacts:/path.`,
  );
}

async function versionOf(client: Client, name: string, text: string): Promise<string> {
  if (/^\d+$/.test(text)) return text;
  const latest = await client.models.latestVersions(
    text.toLowerCase() === "latest" ? { name } : { name, stages: [text] },
  );
  const newest = latest.toSorted((a, b) => Number(b.version) - Number(a.version))[0];
  if (newest !== undefined) return newest.version;
  throw new UsageError(`The model '${name}' has no version '${text}'.`);
}

function trimmed(path: string | undefined): string {
  return (path ?? "").replace(/^\/+|\/+$/g, "");
}
