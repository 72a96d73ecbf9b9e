import { encodeDouble, snakeCase } from "@millrace/contract";

/**
 * JSON for programs: the names and forms of the wire (snake_case, NaN and infinities as texts, integers of 64 bits
 * exact), but with empty lists present, so that the shape does not depend on the data.
 */
export function toJson(value: unknown, indent = 2): string {
  return write(value, "", " ".repeat(indent));
}

/** Names of fields; other keys are data, such as names of variables. */
const FIELD = /^[a-z][A-Za-z0-9]*$/;

function write(value: unknown, margin: string, step: string): string {
  switch (typeof value) {
    case "number":
      return encodeDouble(value);
    case "bigint":
    case "boolean":
      return String(value);
    case "string":
      return JSON.stringify(value);
  }
  if (value === null || value === undefined) return "null";
  const inner = margin + step;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = (value as unknown[]).map((item) => `${inner}${write(item, inner, step)}`);
    return `[\n${items.join(",\n")}\n${margin}]`;
  }
  const fields = Object.entries(value as object)
    .filter(([, item]) => item !== undefined)
    .map(
      ([key, item]) =>
        `${inner}${JSON.stringify(FIELD.test(key) ? snakeCase(key) : key)}: ${write(item, inner, step)}`,
    );
  return fields.length === 0 ? "{}" : `{\n${fields.join(",\n")}\n${margin}}`;
}
