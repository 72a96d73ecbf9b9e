/** The tag in which clients before logged models, and clients in R, keep what models a run has. */
import { invalidParameter } from "@millrace/contract";

export const MODEL_HISTORY_TAG = "mlflow.log-model.history";

const MANDATORY = ["artifact_path", "flavors", "run_id", "utc_time_created"] as const;
const KEPT = ["run_id", "artifact_path", "utc_time_created", "model_uuid"] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * What the history keeps of an MLmodel in JSON: its identity and its flavors without their configuration.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function historyEntry(modelJson: string): Json {
  let model: unknown;
  try {
    model = JSON.parse(modelJson);
  } catch {
    throw invalidParameter(`Malformed model info. \n ${modelJson} \n is not a valid JSON.`);
  }
  if (!isObject(model)) {
    throw invalidParameter(
      `Malformed model info. \n ${modelJson} \n is not a JSON object. Send the MLmodel's fields.`,
    );
  }
  const missing = MANDATORY.filter((field) => !(field in model));
  if (missing.length > 0) {
    const fields = missing.map((field) => `'${field}'`).join(", ");
    throw invalidParameter(`Model json is missing mandatory fields: {${fields}}`, { missing });
  }
  const entry: Record<string, unknown> = {};
  for (const field of KEPT) if (field in model) entry[field] = model[field];
  const flavors = model["flavors"];
  entry["flavors"] = isObject(flavors)
    ? Object.fromEntries(Object.entries(flavors).map(([name, flavor]) => [name, withoutConfig(flavor)]))
    : flavors;
  return entry;
}

function withoutConfig(flavor: unknown): unknown {
  if (!isObject(flavor)) return flavor;
  const { config: _, ...rest } = flavor;
  return rest;
}

/** The tag's value with one more entry. What cannot be read as a list is not thrown away but refused. */
export function appendToHistory(value: string | undefined, entry: Json): string {
  if (value === undefined || value === "") return JSON.stringify([entry]);
  let history: unknown;
  try {
    history = JSON.parse(value);
  } catch {
    history = undefined;
  }
  if (!Array.isArray(history)) {
    throw invalidParameter(
      `The run's tag '${MODEL_HISTORY_TAG}' holds no list in JSON, so the model cannot be added to it. Delete or repair the tag, then log the model again.`,
    );
  }
  return JSON.stringify([...(history as unknown[]), entry]);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
