/**
 * Field descriptors: one description of a message serves decoding (server and client), encoding and types.
 * They follow proto3-JSON as MLflow's servers and clients practise it: snake_case and lowerCamelCase are both
 * read, snake_case is written, unknown fields are ignored, `null` means unset, int64 are JSON numbers, and
 * NaN and the infinities are strings.
 */
import type { Message } from "./message.ts";

/** An integer of 64 bits: a number where that is exact, else a bigint. */
export type Int64 = number | bigint;

/** What was wrong with one field. `hint` is MLflow's: the type as Python calls it. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Gathers all problems of one message, and whether a number was too long for `JSON.parse`. */
export interface Decoding {
  readonly problems: Problem[];
  /** Set when an int64 was read as an unsafe double: parse again with exact integers. */
  inexactInteger: boolean;
  /** A client reads answers leniently: nothing is required, unknown enum names pass. */
  readonly lenient: boolean;
  /** Query strings carry everything as text. */
  readonly fromText: boolean;
}

export interface Field<T> {
  readonly required: boolean;
  /** A decoded value, or undefined after adding a problem (or for an unknown enum name). */
  decode(value: unknown, path: string, decoding: Decoding): T | undefined;
  /** JSON text. */
  encode(value: T): string;
  readonly isList: boolean;
  /** Descriptor of a nested message or of a list's item, for documentation and checks. */
  readonly message?: Message<object>;
  readonly typeName: string;
}

export type RequiredField<T> = Field<T> & { readonly required: true };
export type ListField<T> = Field<readonly T[]> & { readonly isList: true };

/** Names a JSON value's type as Python does, because MLflow's messages do. */
export function pythonTypeName(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return Array.isArray(value) ? "list" : "dict";
}

const SHOWN_VALUE_LENGTH_MAX = 250;

/** A JSON value as an error message shows it: cut, and never failing. */
export function showValue(value: unknown): string {
  const text =
    typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))
      ? String(value)
      : (JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item)) ??
        "null");
  return text.length > SHOWN_VALUE_LENGTH_MAX ? `${text.slice(0, SHOWN_VALUE_LENGTH_MAX)}…` : text;
}

export function invalidValue(path: string, value: unknown): string {
  return `Invalid value ${showValue(value)} for parameter '${path}' supplied: Hint: Value was of type '${pythonTypeName(value)}'.`;
}

export function missingValue(path: string): string {
  return `Missing value for required parameter '${path}'.`;
}

function reject(value: unknown, path: string, decoding: Decoding): undefined {
  decoding.problems.push({ path, message: invalidValue(path, value) });
  return undefined;
}

function field<T>(typeName: string, decode: Field<T>["decode"], encode: Field<T>["encode"]): Field<T> {
  return { required: false, isList: false, typeName, decode, encode };
}

export function required<T>(inner: Field<T>): RequiredField<T> {
  return { ...inner, required: true };
}

/** Characters that JSON must escape, and lone surrogates, which `JSON.stringify` writes as escapes. */
// oxlint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

export function encodeString(value: string): string {
  return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** Text. NUL and lone surrogates are refused: no database and no other client could give them back. */
export function string(): Field<string> {
  return field(
    "string",
    (value, path, decoding) => {
      if (typeof value !== "string") return reject(value, path, decoding);
      if (!decoding.lenient && (value.includes("\0") || !value.isWellFormed())) {
        decoding.problems.push({
          path,
          message: `Invalid value ${showValue(value)} for parameter '${path}' supplied: it holds a NUL or half of a surrogate pair, which cannot be stored.`,
        });
        return undefined;
      }
      return value;
    },
    encodeString,
  );
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

function int64FromText(text: string): Int64 | undefined {
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  const exact = BigInt(text);
  return exact >= INT64_MIN && exact <= INT64_MAX ? exact : undefined;
}

/** Any int64; a JSON number, or its text. */
export function int64(): Field<Int64> {
  return field(
    "int64",
    (value, path, decoding) => {
      if (typeof value === "number") {
        if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
        if (Number.isInteger(value) && Math.abs(value) <= 2 ** 63) {
          decoding.inexactInteger = true;
          return value;
        }
        return reject(value, path, decoding);
      }
      if (typeof value === "bigint") {
        return value >= INT64_MIN && value <= INT64_MAX ? value : reject(value, path, decoding);
      }
      const parsed = typeof value === "string" ? int64FromText(value) : undefined;
      return parsed ?? reject(value, path, decoding);
    },
    String,
  );
}

/** An integer that is exact as a double: timestamps, sizes, counts. */
export function integer(): Field<number> {
  const inner = int64();
  return field(
    "int64",
    (value, path, decoding) => {
      const before = decoding.problems.length;
      const parsed = inner.decode(value, path, { ...decoding, inexactInteger: false });
      if (parsed === undefined && decoding.problems.length > before) return undefined;
      if (typeof parsed === "number" && Number.isSafeInteger(parsed)) return parsed;
      return reject(value, path, decoding);
    },
    String,
  );
}

function doubleFromText(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (text === "Infinity") return Number.POSITIVE_INFINITY;
  if (text === "-Infinity") return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

export function encodeDouble(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0.0" : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}

/** A double; booleans count as 1 and 0, as MLflow's REST server takes them. */
export function double(): Field<number> {
  return field(
    "double",
    (value, path, decoding) => {
      if (typeof value === "number") return value;
      if (typeof value === "boolean") return value ? 1 : 0;
      if (typeof value === "bigint") return Number(value);
      const parsed = typeof value === "string" ? doubleFromText(value) : undefined;
      return parsed ?? reject(value, path, decoding);
    },
    encodeDouble,
  );
}

export function boolean(): Field<boolean> {
  return field(
    "bool",
    (value, path, decoding) => {
      if (typeof value === "boolean") return value;
      if (decoding.fromText && typeof value === "string") {
        const folded = value.toLowerCase();
        if (folded === "true" || folded === "false") return folded === "true";
        decoding.problems.push({
          path,
          message: `Invalid boolean value: ${value}, must be 'true' or 'false'.`,
        });
        return undefined;
      }
      return reject(value, path, decoding);
    },
    String,
  );
}

/** A name or its number. An unknown name counts as unset: MLflow ignores it, so a newer client can talk to us. */
export function enumeration<const Names extends Readonly<Record<string, number>>>(
  names: Names,
): Field<keyof Names & string> {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return field<keyof Names & string>(
    Object.keys(names).join(" | "),
    (value, path, decoding) => {
      if (typeof value === "string") {
        if (Object.hasOwn(names, value)) return value;
        return /^-?\d+$/.test(value) ? byNumber.get(Number(value)) : undefined;
      }
      if (typeof value === "number" && Number.isInteger(value)) return byNumber.get(value);
      return reject(value, path, decoding);
    },
    encodeString,
  );
}

/** Text to text, as MLflow's trace headers and presigned answers carry it. */
export function stringMap(): Field<Readonly<Record<string, string>>> {
  return field(
    "map<string, string>",
    (value, path, decoding) => {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        return reject(value, path, decoding);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
    },
    (value) => JSON.stringify(value),
  );
}

/** Any JSON, passed through. */
export function json(): Field<unknown> {
  return field<unknown>(
    "json",
    (value) => value,
    (value) => JSON.stringify(value),
  );
}

/** Descriptor of a nested message. */
export function nested<T extends object>(message: Message<T>): Field<T> {
  return {
    required: false,
    isList: false,
    typeName: message.name,
    message: message as unknown as Message<object>,
    decode: (value, path, decoding) => {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        return reject(value, path, decoding);
      return message.read(value as Record<string, unknown>, path, decoding);
    },
    encode: (value) => message.encode(value),
  };
}

/** A repeated field. Empty lists are not written. */
export function list<T>(item: Field<T>): ListField<T> {
  return {
    required: false,
    isList: true,
    typeName: `${item.typeName}[]`,
    ...(item.message ? { message: item.message } : {}),
    decode: (value, path, decoding) => {
      if (!Array.isArray(value)) return reject(value, path, decoding);
      const items: T[] = [];
      for (let index = 0; index < value.length; index++) {
        const raw: unknown = value[index];
        const itemPath = `${path}[${index}]`;
        if (raw === null || raw === undefined) {
          decoding.problems.push({ path: itemPath, message: invalidValue(itemPath, raw) });
          continue;
        }
        const decoded = item.decode(raw, itemPath, decoding);
        if (decoded !== undefined) items.push(decoded);
      }
      return items;
    },
    encode: (items) => `[${items.map((value) => item.encode(value)).join(",")}]`,
  };
}
