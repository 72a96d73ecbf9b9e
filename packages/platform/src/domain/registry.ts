/** Rules of the model registry: names, versions, aliases, stages, tags, and what makes a model a prompt. */
import { invalidParameter, limits, PlatformError, type Stage, stages } from "@millrace/contract";
import { type Text, lastOfEach } from "./batch.ts";
import { checkKey, checkLength } from "./keys.ts";

/** The stage of versions that were deleted: their numbers stay taken. */
export const DELETED_STAGE = "Deleted_Internal";

export const IS_PROMPT_TAG = "mlflow.prompt.is_prompt";
const PROMPT_TEXT_TAG = "mlflow.prompt.text";
const PROMPT_TYPE_TAG = "_mlflow_prompt_type";

/** Prompts have no files; these say so in the place of a source. */
const PROMPT_SOURCES: ReadonlySet<string> = new Set(["prompt-template", "dummy-source"]);

/**
 * Checks a model's name, in every request that has one.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function checkModelName(name: string, field = "name"): void {
  if (name.trim() === "")
    throw invalidParameter(`Missing value for required parameter '${field}'.`, { field });
  if (/[/:]/.test(name)) {
    throw invalidParameter(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`, { name });
  }
  if (name === "." || name.startsWith("..")) {
    throw invalidParameter(
      `Invalid value "${name}" for parameter 'name' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${name}'`,
      { name },
    );
  }
}

/** Checks the name that a model is to get. */
export function checkNewModelName(name: string, field = "name"): void {
  checkModelName(name, field);
  checkLength(name, field, limits.registeredModelNameLengthMax);
}

/**
 * The number in a request's `version`. One too large to exist becomes -1, which no version has.
 * @throws PlatformError INVALID_PARAMETER_VALUE when it is no whole number
 */
export function versionNumber(version: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(version)) {
    throw invalidParameter(`Parameter 'version' must be an integer, got '${version}'.`, { version });
  }
  const number = Number(version);
  return Number.isSafeInteger(number) ? number : -1;
}

export const LATEST_ALIAS = "latest";

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkAlias(alias: string): void {
  if (!/^[\p{L}\p{N}_-]+$/u.test(alias)) {
    throw invalidParameter(
      alias === ""
        ? "Registered model alias name cannot be empty."
        : `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
      { alias },
    );
  }
  checkLength(alias, "Registered model alias name", limits.aliasLengthMax);
}

/** Checks an alias that is to be set: some names are kept for what they already mean. */
export function checkNewAlias(alias: string): void {
  checkAlias(alias);
  if (alias.toLowerCase() === LATEST_ALIAS) {
    throw invalidParameter("'latest' alias name (case insensitive) is reserved.", { alias });
  }
  if (/^v\d+$/i.test(alias)) {
    throw invalidParameter(`Version alias name '${alias}' is reserved.`, { alias });
  }
}

const stageByFolded = new Map<string, Stage>(stages.map((stage) => [stage.toLowerCase(), stage]));

/**
 * The canonical spelling of a stage.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function canonicalStage(stage: string): Stage {
  const canonical = stageByFolded.get(stage.toLowerCase());
  if (canonical !== undefined) return canonical;
  throw invalidParameter(
    `Invalid Model Version stage: ${stage}. Value must be one of ${stages.join(", ")}.`,
    { stage },
  );
}

const ACTIVE_STAGES: readonly Stage[] = ["Staging", "Production"];

/** @throws PlatformError INVALID_PARAMETER_VALUE when versions in this stage cannot be archived by a transition */
export function checkArchiving(stage: Stage, asked: string): void {
  if (ACTIVE_STAGES.includes(stage)) return;
  throw invalidParameter(
    `Model version transition cannot archive existing model versions because '${asked}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
    { stage },
  );
}

/** A tag of a model or a version as it is stored. Long values are refused, not cut. */
export function checkRegistryTag(key: string, value: string): void {
  checkKey(key);
  if (key === PROMPT_TEXT_TAG && value.length > limits.registryTagValueLengthMax) {
    throw invalidParameter(
      `Prompt text exceeds max length of ${limits.registryTagValueLengthMax} characters.`,
      { key },
    );
  }
  checkLength(value, "value", limits.registryTagValueLengthMax);
}

interface RawTag {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
}

/** Tags given at creation: checked, the last of each key. */
export function newTags(tags: readonly RawTag[] | undefined): readonly Text[] {
  const checked = (tags ?? []).map(({ key = "", value = "" }) => {
    if (key === "") throw invalidParameter("Missing value for required parameter 'key'. A tag needs a name.");
    checkRegistryTag(key, value);
    return { key, value };
  });
  return lastOfEach(checked);
}

/** Whether these tags, one per key, make a model or version a prompt. */
export function isPrompt(tags: readonly Text[]): boolean {
  return tags.some(({ key, value }) => key === IS_PROMPT_TAG && value.toLowerCase() === "true");
}

/** A prompt's text, and its tags without those that only say that it is one. */
export function promptParts(tags: readonly Text[]): { text: string | null; tags: readonly Text[] } {
  const internal: ReadonlySet<string> = new Set([IS_PROMPT_TAG, PROMPT_TYPE_TAG, PROMPT_TEXT_TAG]);
  return {
    text: tags.find(({ key }) => key === PROMPT_TEXT_TAG)?.value ?? null,
    tags: tags.filter(({ key }) => !internal.has(key)),
  };
}

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkPromptSource(source: string): void {
  if (PROMPT_SOURCES.has(source)) return;
  throw invalidParameter(
    `Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`,
    { source },
  );
}

export function noModel(name: string): PlatformError {
  return new PlatformError("RESOURCE_DOES_NOT_EXIST", `Registered Model with name=${name} not found`, {
    name,
  });
}

export function modelExists(name: string): PlatformError {
  return new PlatformError("RESOURCE_ALREADY_EXISTS", `Registered Model (name=${name}) already exists.`, {
    name,
  });
}

/** `version` as the request wrote it. */
export function noVersion(name: string, version: string | number): PlatformError {
  return new PlatformError(
    "RESOURCE_DOES_NOT_EXIST",
    `Model Version (name=${name}, version=${version}) not found`,
    { name, version: String(version) },
  );
}

/** A 400 and not a 404: that is the protocol. */
export function noAlias(name: string, alias: string): PlatformError {
  return invalidParameter(`Registered model alias ${alias} not found.`, { name, alias });
}
