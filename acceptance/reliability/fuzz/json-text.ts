/** JSON as a tree that may also hold what `JSON.stringify` would never write. */

/** Text that stands in the document as it is. */
export class Token {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object whose keys may repeat. */
export class Members {
  readonly entries: [string, JsonLike][];

  constructor(entries: [string, JsonLike][]) {
    this.entries = entries;
  }
}

export type JsonLike = null | boolean | number | string | JsonLike[] | Members | Token;

export function fromJson(value: unknown): JsonLike {
  if (
    value === null ||
    typeof value === "boolean" ||
    typeof value === "number" ||
    typeof value === "string"
  ) {
    return value;
  }
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === "object") {
    return new Members(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
  }
  return null;
}

export function writeJson(value: JsonLike): string {
  if (value instanceof Token) return value.text;
  if (value instanceof Members) {
    return `{${value.entries.map(([key, item]) => `${JSON.stringify(key)}:${writeJson(item)}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  return JSON.stringify(value);
}

/** A place in the tree that can be read, replaced, removed or doubled. */
export interface Place {
  readonly key: string;
  readonly value: JsonLike;
  replace(value: JsonLike): void;
  remove(): void;
  double(): void;
}

/** Every place in the tree below the root, parents first. */
export function places(root: JsonLike, found: Place[] = []): Place[] {
  if (Array.isArray(root)) {
    for (const [index, value] of root.entries()) {
      found.push({
        key: String(index),
        value,
        replace: (other) => void (root[index] = other),
        remove: () => void root.splice(index, 1),
        double: () => void root.push(value),
      });
      places(value, found);
    }
  } else if (root instanceof Members) {
    for (const entry of root.entries) {
      const [key, value] = entry;
      found.push({
        key,
        value,
        replace: (other) => void (entry[1] = other),
        remove: () => void root.entries.splice(root.entries.indexOf(entry), 1),
        double: () => void root.entries.push([key, value]),
      });
      places(value, found);
    }
  }
  return found;
}
