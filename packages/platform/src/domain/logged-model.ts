/** Rules of logged models: names, params, and the tag that says under which names a model is registered. */
import { invalidParameter } from "@millrace/contract";
import type { NewText, Text } from "./batch.ts";

const NOT_IN_NAMES = ["/", ":", ".", "%", '"', "'"] as const;

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkLoggedModelName(name: string): void {
  if (!NOT_IN_NAMES.some((character) => name.includes(character))) return;
  throw invalidParameter(
    `Invalid model name ('${name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    { name },
  );
}

interface RawText {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
}

/** Keys and values as they are stored; absent ones are empty. */
export function plainTexts(items: readonly RawText[] | undefined): Text[] {
  return (items ?? []).map(({ key = "", value = "" }: Partial<NewText>) => ({ key, value }));
}

/** @throws PlatformError INVALID_PARAMETER_VALUE that names the params given twice */
export function checkDistinctParams(params: readonly Text[]): void {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of params) {
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  if (twice.size === 0) return;
  const keys = [...twice].map((key) => `'${key}'`).join(", ");
  throw invalidParameter(
    `Duplicate parameter keys have been submitted: [${keys}]. Please ensure the request contains only one param value per param key.`,
    { keys: [...twice] },
  );
}

/** The tag of a logged model that lists its versions in the registry, as JSON. */
export const MODEL_VERSIONS_TAG = "mlflow.modelVersions";

interface ListedVersion {
  readonly name: string;
  readonly version: string;
}

/**
 * The tag's value with every version once. Clients append to what they read, and write the version as text where
 * servers wrote a number: both mean the same version. A value of another form is left as it is.
 */
export function distinctVersions(value: string): string {
  const listed = parseVersions(value);
  return listed === undefined ? value : JSON.stringify(listed);
}

/** The tag's value with one more version. */
export function withVersion(value: string | undefined, added: ListedVersion): string {
  const listed = value === undefined ? [] : (parseVersions(value) ?? []);
  return distinctVersions(JSON.stringify([...listed, added]));
}

function parseVersions(value: string): ListedVersion[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const found = new Map<string, ListedVersion>();
  for (const item of parsed as unknown[]) {
    if (typeof item !== "object" || item === null) return undefined;
    const { name, version } = item as { name?: unknown; version?: unknown };
    if (typeof name !== "string" || (typeof version !== "string" && typeof version !== "number")) {
      return undefined;
    }
    // Neither part may hold a slash.
    found.set(`${name}/${version}`, { name, version: String(version) });
  }
  return [...found.values()];
}
