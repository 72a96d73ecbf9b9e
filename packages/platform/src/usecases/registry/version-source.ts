/** Where the files of a new version lie, and which run made them. */
import { invalidParameter, type PlatformError } from "@millrace/contract";
import type { Context } from "../../context.ts";
import type { Reader } from "../../db/database.ts";
import { findLoggedModel, getActiveLoggedModel } from "../../db/queries/logged-models.ts";
import {
  findAliased,
  findHighestVersion,
  getVersion,
  latestVersionsOf,
  type ModelVersionRow,
} from "../../db/queries/model-versions.ts";
import { getRegisteredModel, isPromptModel } from "../../db/queries/registered-models.ts";
import { checkModelVersionSource } from "../../domain/artifact-location.ts";
import { canonicalStage, checkPromptSource, noAlias, noVersion } from "../../domain/registry.ts";
import { type ModelReference, modelReference } from "../../domain/registry-uri.ts";

export interface SourceRequest {
  readonly source: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
}

export interface ResolvedSource {
  /** As it is stored: a `models:` address names the version by its number. */
  readonly source: string;
  readonly storageLocation: string;
  /** Empty when there is none. */
  readonly runId: string;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE unless the source is one of the two words that stand for none */
export function resolvePromptSource(ctx: Context, request: SourceRequest): ResolvedSource {
  const { source, runId = "" } = request;
  checkPattern(sourcePattern(ctx), source);
  checkPromptSource(source);
  return { source, storageLocation: source, runId };
}

/** Checks a source, follows `models:` addresses, and inherits the run. */
export async function resolveSource(
  ctx: Context,
  reader: Reader,
  request: SourceRequest,
): Promise<ResolvedSource> {
  const pattern = sourcePattern(ctx);
  checkPattern(pattern, request.source);
  const reference = modelReference(request.source);
  const origin =
    reference === undefined || reference.kind === "logged-model"
      ? undefined
      : await referencedVersion(reader, reference, request);
  const source = origin === undefined ? request.source : `models:/${origin.name}/${origin.version}`;
  const runId = request.runId ?? origin?.run_id ?? "";
  const { modelId } = request;

  const run = runId
    ? await reader.get<{ artifact_uri: string }>("SELECT artifact_uri FROM runs WHERE run_id = ?", [runId])
    : undefined;
  const model = modelId ? await findLoggedModel(reader, modelId) : undefined;
  checkModelVersionSource(
    {
      source,
      runId,
      modelId,
      runArtifactUri: run?.artifact_uri,
      modelArtifactUri: model?.artifact_location,
    },
    { ...ctx.settings.artifactHosts, workingDirectory: ctx.settings.workingDirectory },
  );

  const owner = modelId ? await getActiveLoggedModel(reader, modelId) : undefined;
  return {
    source,
    storageLocation:
      reference?.kind === "logged-model"
        ? (await getActiveLoggedModel(reader, reference.modelId)).artifact_location
        : (origin?.storage_location ?? origin?.source ?? source),
    runId: runId || (owner?.source_run_id ?? ""),
  };
}

type VersionReference = Exclude<ModelReference, { readonly kind: "logged-model" }>;

async function referencedVersion(
  reader: Reader,
  reference: VersionReference,
  request: SourceRequest,
): Promise<ModelVersionRow> {
  const { id, name } = await getRegisteredModel(reader, reference.name);
  const { source, runId, modelId } = request;
  if (await isPromptModel(reader, id)) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. Prompt versions cannot be used as model version sources.`,
      { source },
    );
  }
  const row = await pointedTo(reader, id, reference);
  if (row === undefined) throw nothingThere(name, reference, source);
  if ((runId !== undefined && runId !== (row.run_id ?? "")) || modelId) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. The run_id and model_id request parameters must match the referenced model version.`,
      { source },
    );
  }
  return row;
}

function nothingThere(name: string, reference: VersionReference, source: string): PlatformError {
  switch (reference.kind) {
    case "version":
      return noVersion(name, reference.version);
    case "alias":
      return noAlias(name, reference.alias);
    default:
      return invalidParameter(
        `Invalid model version source: '${source}'. The model '${name}' has no such version.`,
        { source },
      );
  }
}

async function pointedTo(
  reader: Reader,
  model: number,
  reference: VersionReference,
): Promise<ModelVersionRow | undefined> {
  switch (reference.kind) {
    case "version":
      return getVersion(reader, reference.name, reference.version);
    case "latest":
      return findHighestVersion(reader, model);
    case "alias":
      return (await findAliased(reader, reference.name, reference.alias))?.row;
    case "stage":
      return (await latestVersionsOf(reader, [model], [canonicalStage(reference.stage)]))[0];
  }
}

/** @throws PlatformError INVALID_PARAMETER_VALUE when the server was given a pattern that cannot be read */
function sourcePattern(ctx: Context): RegExp | undefined {
  const { modelVersionSourcePattern: text } = ctx.settings;
  if (text === undefined || text === "") return undefined;
  try {
    return new RegExp(text, "u");
  } catch (cause) {
    throw invalidParameter(
      `The server's MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX, '${text}', is no regular expression (${(cause as Error).message}), so it takes no model version. Correct it and start the server again.`,
      { pattern: text },
    );
  }
}

function checkPattern(pattern: RegExp | undefined, source: string): void {
  if (pattern === undefined || pattern.test(source)) return;
  throw invalidParameter(
    `Invalid model version source: '${source}'. This server takes only sources that match ${pattern}.`,
    { source },
  );
}
