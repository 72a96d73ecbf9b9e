/** Messages: named sets of fields, with decoding that reports every problem at once. */
import { invalidParameter } from "../errors.ts";
import { parseExactJson } from "./exact-json.ts";
import { type Decoding, type Field, missingValue, type Problem, type RequiredField } from "./field.ts";

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
type RequiredKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends RequiredField<unknown> ? K : never;
}[keyof F];

/** The TypeScript shape of a message: camelCase names, optional unless required. */
export type Shape<F extends Fields> = { readonly [K in RequiredKeys<F>]: ValueOf<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: ValueOf<F[K]> | undefined;
};

export interface FieldEntry {
  /** Name in TypeScript. */
  readonly key: string;
  /** Name on the wire. */
  readonly wire: string;
  /** lowerCamelCase name, which proto3-JSON also reads. */
  readonly camel: string;
  readonly field: Field<unknown>;
}

export interface Message<T extends object> {
  readonly name: string;
  readonly entries: readonly FieldEntry[];
  /** Reads an object that was parsed before; adds problems to `decoding`. */
  read(raw: Readonly<Record<string, unknown>>, path: string, decoding: Decoding): T;
  encode(value: T): string;
}

export type TypeOf<M> = M extends Message<infer T> ? T : never;

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Describes a message. `alias` gives other wire names under which a field may arrive (`runUuid` for `runId`). */
export function message<const F extends Fields>(
  name: string,
  fields: F,
  alias: Readonly<Record<string, string>> = {},
): Message<Shape<F>> {
  const entries: readonly FieldEntry[] = Object.entries(fields).map(([key, field]) => ({
    key,
    wire: snakeCase(key),
    camel: key,
    field,
  }));
  const aliases: readonly (string | undefined)[] = entries.map((entry) => alias[entry.key]);
  const prefixes = entries.map((entry) => `"${entry.wire}":`);

  const read: Message<Shape<F>>["read"] = (raw, path, decoding) => {
    const result: Record<string, unknown> = {};
    for (let index = 0; index < entries.length; index++) {
      const { key, wire, camel, field } = entries[index]!;
      let value = raw[wire];
      let sentAs = wire;
      if (camel !== wire && raw[camel] !== undefined) {
        if (value !== undefined) {
          decoding.problems.push({
            path: wire,
            message: `Request specifies both '${wire}' and '${camel}'; provide only one of them.`,
          });
        } else {
          value = raw[camel];
          sentAs = wire;
        }
      }
      const other = aliases[index];
      if ((value === undefined || value === null || value === "") && other !== undefined) {
        const fallback = raw[other];
        if (fallback !== undefined && fallback !== null) value = fallback;
      }
      const fieldPath = path === "" ? sentAs : `${path}.${sentAs}`;
      if (value === undefined || value === null || (field.required && value === "")) {
        if (field.required && !decoding.lenient) {
          decoding.problems.push({ path: fieldPath, message: missingValue(fieldPath) });
        }
        continue;
      }
      const decoded = field.decode(value, fieldPath, decoding);
      if (decoded !== undefined) result[key] = decoded;
    }
    return result as Shape<F>;
  };

  const encode = (value: Shape<F>): string => {
    let text = "";
    for (let index = 0; index < entries.length; index++) {
      const { key, field } = entries[index]!;
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined || item === null) continue;
      if (field.isList && (item as readonly unknown[]).length === 0) continue;
      text += (text === "" ? "" : ",") + prefixes[index] + field.encode(item);
    }
    return `{${text}}`;
  };
  return { name, entries, read, encode };
}

const SHOWN_PROBLEMS_MAX = 20;

function fail(problems: readonly Problem[]): never {
  const shown = problems.slice(0, SHOWN_PROBLEMS_MAX).map((problem) => problem.message);
  const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : "";
  throw invalidParameter(
    `${shown.join(" ")}${more} See the API docs for more information about request parameters.`,
    { paths: problems.slice(0, SHOWN_PROBLEMS_MAX).map((problem) => problem.path) },
  );
}

function strict(fromText: boolean): Decoding {
  return { problems: [], inexactInteger: false, lenient: false, fromText };
}

/**
 * Decodes the JSON text of a request body, merged with the path's parameters.
 * A body that is no JSON counts as empty, as upstream: the error is then about what is missing.
 * @throws PlatformError INVALID_PARAMETER_VALUE that names every bad field.
 */
export function decodeBody<T extends object>(
  type: Message<T>,
  text: string,
  pathParameters: Readonly<Record<string, string>> = {},
): T {
  let decoding = strict(false);
  let value = type.read({ ...asObject(parseLoosely(text)), ...pathParameters }, "", decoding);
  if (decoding.inexactInteger) {
    decoding = strict(false);
    value = type.read({ ...asObject(parseExactJson(text)), ...pathParameters }, "", decoding);
  }
  if (decoding.problems.length > 0) fail(decoding.problems);
  return value;
}

/** Decodes a query string: repeated keys are lists, booleans are text. */
export function decodeQuery<T extends object>(
  type: Message<T>,
  query: URLSearchParams,
  pathParameters: Readonly<Record<string, string>> = {},
): T {
  const raw: Record<string, unknown> = {};
  for (const key of new Set(query.keys())) raw[key] = query.get(key);
  for (const { wire, camel, field } of type.entries) {
    for (const name of [wire, camel]) if (field.isList && query.has(name)) raw[name] = query.getAll(name);
  }
  const decoding = strict(true);
  const value = type.read({ ...raw, ...pathParameters }, "", decoding);
  if (decoding.problems.length > 0) fail(decoding.problems);
  return value;
}

/** Reads a server's answer: nothing is required, unknown enum names are dropped. */
export function decodeAnswer<T extends object>(type: Message<T>, text: string): T {
  const read = (parsed: unknown): { value: T; decoding: Decoding } => {
    const decoding: Decoding = { problems: [], inexactInteger: false, lenient: true, fromText: false };
    return { value: type.read(asObject(parsed), "", decoding), decoding };
  };
  let { value, decoding } = read(text === "" ? {} : parseLoosely(text));
  if (decoding.inexactInteger) ({ value, decoding } = read(parseExactJson(text)));
  if (decoding.problems.length > 0) fail(decoding.problems);
  return value;
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Python's json.dumps writes bare NaN and Infinity, which JSON.parse refuses.
    return parseExactJson(text);
  }
}

function asObject(parsed: unknown): Record<string, unknown> {
  let value = parsed;
  if (typeof parsed === "string") {
    // Old clients send a JSON string that holds the JSON object.
    value = parseLoosely(parsed);
    if (value === undefined)
      throw invalidParameter("The request body must be a JSON object, but it is a text.");
  }
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalidParameter(
      `The request body must be a JSON object, but it is ${Array.isArray(value) ? "a list" : `a ${typeof value}`}.`,
    );
  }
  return value as Record<string, unknown>;
}
