import { invalidParameter } from "@millrace/contract";
import { checkArtifactHost } from "./artifact-host-policy.ts";
import type { ArtifactHostPolicy } from "./artifact-host-policy.ts";
import {
  checkQuery,
  isThisHost,
  isProxyUri,
  isUriWithin,
  localPathOf,
  normalisePosixPath,
  percentDecodeFully,
  splitUri,
} from "./artifact-uri.ts";

/** Characters that an artifact_location may have (`MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH`). */
export const ARTIFACT_LOCATION_LENGTH_MAX = 2048;

export interface ArtifactLocationPolicy extends ArtifactHostPolicy {
  /** Absolute; relative local paths are resolved against it. */
  readonly workingDirectory: string;
  readonly lengthMax?: number;
}

/**
 * Checks the `artifact_location` of a new experiment and returns what to store: a relative local path
 * becomes absolute, everything else stays. Throws `INVALID_PARAMETER_VALUE`.
 */
export function checkArtifactLocation(location: string, policy: ArtifactLocationPolicy): string {
  const field = "artifact_location";
  refuseUnprintable(location, field);
  const { scheme, authority, path, params, query, fragment } = splitUri(location);
  if (fragment !== "" || params !== "") {
    throw invalidParameter(
      `'${field}' URL can't include fragments or params. Remove what follows '#' or ';'.`,
      { location },
    );
  }
  checkQuery(query, location);
  checkArtifactHost(location, field, policy);
  if (location.startsWith("runs:")) {
    throw invalidParameter(
      `Artifact location cannot be a runs:/ URI. Given: '${location}'. Name the storage itself.`,
      { location },
    );
  }
  const lengthMax = policy.lengthMax ?? ARTIFACT_LOCATION_LENGTH_MAX;
  if (location.length > lengthMax) {
    throw invalidParameter(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${lengthMax} characters. ` +
        "Use a shorter one, or raise MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH on the server.",
      { lengthMax },
    );
  }
  if (scheme === "file") {
    if (!isThisHost(authority ?? "")) throw remoteFile(location);
    return path.startsWith("/") || authority !== undefined
      ? location
      : `file://${joinWorking(policy, path)}${query && `?${query}`}`;
  }
  const isPlain = scheme === "" || scheme.length === 1;
  return isPlain && !location.startsWith("/") && scheme === "" ? joinWorking(policy, location) : location;
}

/** What the source of a new model version is checked against; absent means unknown or not given. */
export interface ModelVersionSource {
  readonly source: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
  /** Of the run and the logged model that these ids name, when they exist. */
  readonly runArtifactUri?: string | undefined;
  readonly modelArtifactUri?: string | undefined;
}

export interface ModelVersionSourcePolicy extends ArtifactHostPolicy {
  readonly workingDirectory: string;
  /** `MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX`. */
  readonly pattern?: RegExp | undefined;
}

/**
 * Checks where the files of a new model version are said to lie: storage that everyone may name, or the
 * artifacts of the run or logged model that the request names, too. Prompts have no files and are not for
 * this function. Throws `INVALID_PARAMETER_VALUE`.
 */
export function checkModelVersionSource(request: ModelVersionSource, policy: ModelVersionSourcePolicy): void {
  const { source, runId, modelId } = request;
  refuseUnprintable(source, "source");
  if (policy.pattern !== undefined && !policy.pattern.test(source)) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. This server takes only sources that match ${policy.pattern}.`,
      { source },
    );
  }
  checkArtifactHost(source, "source", policy);
  // A logged model is the owner when the request names one, else the run.
  const owner = modelId
    ? { id: modelId, field: "model_id", artifactUri: request.modelArtifactUri }
    : { id: runId, field: "run_id", artifactUri: request.runArtifactUri };
  const { scheme, authority, path } = splitUri(source);
  if (isLocal(source)) {
    checkLocalSource(source, owner, policy.workingDirectory);
    return;
  }
  checkNormalised(source);
  if (scheme === "runs") {
    const namedRun = path.slice(1).split("/")[0];
    if (modelId || !runId || authority || namedRun !== runId) throw notOwned(source, owner.field);
  } else if (scheme === "models") {
    if (authority) throw notOwned(source, "model_id");
    const named = modelIdOf(source);
    if (named !== undefined && named !== modelId) throw notOwned(source, "model_id");
  } else if (isProxyUri(source)) {
    if (owner.artifactUri === undefined || !isUriWithin(source, owner.artifactUri)) {
      throw notOwned(source, owner.field);
    }
  }
}

interface Owner {
  readonly id: string | undefined;
  readonly field: string;
  readonly artifactUri: string | undefined;
}

/** A local path must lie in the artifacts of its owner, which must be local themselves. */
function checkLocalSource(source: string, owner: Owner, workingDirectory: string): void {
  const path = localPathOf(source);
  if (path === undefined) throw remoteFile(source);
  const rootPath =
    owner.artifactUri !== undefined && isLocal(owner.artifactUri)
      ? localPathOf(owner.artifactUri)
      : undefined;
  if (owner.id && rootPath !== undefined && !path.includes("\0")) {
    const root = normalisePosixPath(rootPath, workingDirectory);
    const wanted = normalisePosixPath(path, workingDirectory);
    if (wanted === root || wanted.startsWith(root === "/" ? "/" : `${root}/`)) return;
  }
  throw invalidParameter(
    `Invalid model version source: '${source}'. To use a local path as a model version source, the ` +
      `${owner.field} request parameter has to be specified and the local path has to be contained within ` +
      `the artifact directory of what the ${owner.field} names.`,
    { source },
  );
}

/** Storage is named by its absolute path; a bucket alone, `.` and `..` segments and NUL are refused. */
function checkNormalised(source: string): void {
  const decoded = percentDecodeFully(source);
  const path = splitUri(decoded)
    .path.replace(/\/+$/, "")
    .replace(/\/{2,}/g, "/");
  const climbs = decoded.split("/").includes("..") || path.split("/").includes(".");
  if (!climbs && path.startsWith("/") && !decoded.includes("\0")) return;
  throw invalidParameter(
    `Invalid model version source: '${source}'. Give an absolute path without relative path references, ` +
      "such as s3://bucket/folder/model.",
    { source },
  );
}

/** The id in `models:/m-…`; undefined for `models:/name/1`, `models:/name@alias`. Throws for other forms. */
function modelIdOf(source: string): string | undefined {
  const rest = source.replace(/^[^:]*:/, "");
  const parts = rest.replace(/^\/+/, "").split("/");
  const [first = "", second] = parts;
  const isForm = rest.startsWith("/") && parts.length <= 2 && first.trim() !== "";
  if (!isForm || second?.trim() === "") throw notOwned(source, "model_id");
  if (second !== undefined) return undefined;
  if (!first.includes("@")) return first;
  if (first.slice(first.lastIndexOf("@") + 1).trim() === "") throw notOwned(source, "model_id");
  return undefined;
}

function isLocal(uri: string): boolean {
  const { scheme } = splitUri(uri);
  return scheme === "" || scheme === "file";
}

function joinWorking(policy: ArtifactLocationPolicy, path: string): string {
  // Only a leading `./` is dropped: `..` stays visible to whoever reads the location.
  return `${policy.workingDirectory.replace(/\/+$/, "")}/${path.replace(/^(?:\.\/+)+/, "").replace(/^\.$/, "")}`.replace(
    /(.)\/$/,
    "$1",
  );
}

function refuseUnprintable(uri: string, field: string): void {
  if (uri.isWellFormed() && !uri.includes("\0")) return;
  throw invalidParameter(
    `Invalid value for '${field}': it holds a NUL or half a surrogate pair. Use plain text.`,
    { field },
  );
}

function remoteFile(uri: string) {
  return invalidParameter(
    `'${uri}' is not a valid file URI: a file: URI names a file of the server, so it cannot name another host.`,
    { uri },
  );
}

function notOwned(source: string, field: string) {
  return invalidParameter(
    `Invalid model version source: '${source}'. The ${field} request parameter must identify the resource ` +
      "that contains the source.",
    { source, field },
  );
}
