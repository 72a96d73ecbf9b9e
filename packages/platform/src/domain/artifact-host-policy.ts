import { invalidParameter } from "@millrace/contract";
import { splitUri } from "./artifact-uri.ts";

/** Which hosts the server may be sent to by an address that a client gives. */
export interface ArtifactHostPolicy {
  /** The server's own artifact root and destination: their hosts are trusted. */
  readonly trustedUris: readonly string[];
  /** `MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES`. */
  readonly allowedSchemes: readonly string[];
}

/**
 * Schemes whose address names the host to connect to, with the ports that an omitted port stands for.
 * Without a known port (hdfs) an address without port matches only another without.
 */
const HOST_SCHEMES: Readonly<
  Record<string, { family: string; defaultPorts: readonly (number | undefined)[] }>
> = {
  ftp: { family: "ftp", defaultPorts: [21] },
  sftp: { family: "sftp", defaultPorts: [22] },
  hdfs: { family: "hdfs", defaultPorts: [undefined] },
  viewfs: { family: "hdfs", defaultPorts: [undefined] },
  http: { family: "http", defaultPorts: [80] },
  https: { family: "http", defaultPorts: [443] },
  "mlflow-artifacts": { family: "http", defaultPorts: [80, 443] },
  r2: { family: "r2", defaultPorts: [443] },
  b2: { family: "b2", defaultPorts: [443] },
  abfss: { family: "abfss", defaultPorts: [443] },
};

/**
 * Refuses an address that would make a server connect to a host of the client's choosing (GHSA-mr9f-g8qf-4w4j).
 * Throws `INVALID_PARAMETER_VALUE`; `fieldName` is the request field for the message.
 */
export function checkArtifactHost(uri: string, fieldName: string, policy: ArtifactHostPolicy): void {
  const { scheme } = splitUri(uri);
  const targets = hostTargets(uri);
  if (targets === undefined) return;
  if (policy.allowedSchemes.some((allowed) => allowed.toLowerCase() === scheme)) return;
  const trusted = new Set(policy.trustedUris.flatMap((root) => hostTargets(root) ?? []));
  if (targets.some((target) => trusted.has(target))) return;
  throw invalidParameter(
    `'${fieldName}' cannot use the '${scheme}' scheme: it names a host other than that of the server's ` +
      "own artifact storage, and the server would connect to it. Use the server's artifact root, or set " +
      "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES on the server to allow the scheme.",
    { field: fieldName, scheme },
  );
}

/** What the address connects to, as comparable texts; undefined when it names no host. */
function hostTargets(uri: string): string[] | undefined {
  const { scheme, authority } = splitUri(uri);
  const known = Object.hasOwn(HOST_SCHEMES, scheme) ? HOST_SCHEMES[scheme] : undefined;
  if (known === undefined) return undefined;
  // `mlflow-artifacts:/path` is this server itself.
  if (scheme === "mlflow-artifacts" && !authority) return undefined;
  const text = authority ?? "";
  // Clients disagree where such a host ends: it is trusted under no circumstances.
  const match = /[\\\s]/.test(text) ? null : /^(?:.*@)?(\[[0-9a-f:.]+\]|[^:@[\]]*)(?::(\d*))?$/i.exec(text);
  const port = match?.[2] ? Number(match[2]) : undefined;
  if (match === null || (port !== undefined && port > 65_535)) return [`malformed ${text}`];
  const host = (match[1] ?? "").toLowerCase();
  const ports = port === undefined ? known.defaultPorts : [port];
  return ports.map((each) => `${known.family} ${host} ${each ?? ""}`);
}
