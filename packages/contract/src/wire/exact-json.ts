/**
 * A JSON reader for the cases `JSON.parse` gets wrong: integers beyond 2^53 become bigint, and the bare tokens
 * NaN, Infinity and -Infinity (which Python writes) become numbers. Slower; used only when needed.
 */

const NESTING_MAX = 200;
const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;

/** The parsed value, or undefined when the text is no JSON. */
export function parseExactJson(text: string): unknown {
  const reader = new Reader(text);
  try {
    const value = reader.value(0);
    return reader.atEnd() ? value : undefined;
  } catch (error) {
    if (error === NOT_JSON) return undefined;
    throw error;
  }
}

const NOT_JSON = new Error("not JSON");

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#position === this.#text.length;
  }

  value(depth: number): unknown {
    if (depth > NESTING_MAX) throw NOT_JSON;
    this.#skipSpace();
    const character = this.#text[this.#position];
    if (character === "{") return this.#object(depth);
    if (character === "[") return this.#array(depth);
    if (character === '"') return this.#string();
    for (const [token, value] of TOKENS) {
      if (this.#text.startsWith(token, this.#position)) {
        this.#position += token.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#position++;
    if (this.#take("}")) return result;
    do {
      this.#skipSpace();
      const key = this.#string();
      if (!this.#take(":")) throw NOT_JSON;
      const value = this.value(depth + 1);
      // Like JSON.parse: an own property even for the name __proto__.
      Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true });
    } while (this.#take(","));
    if (!this.#take("}")) throw NOT_JSON;
    return result;
  }

  #array(depth: number): unknown[] {
    const result: unknown[] = [];
    this.#position++;
    if (this.#take("]")) return result;
    do result.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw NOT_JSON;
    return result;
  }

  #string(): string {
    return JSON.parse(this.#match(STRING)) as string;
  }

  #number(): number | bigint {
    const text = this.#match(NUMBER);
    if (text === "") throw NOT_JSON;
    const number = Number(text);
    const isInteger = /^-?\d+$/.test(text);
    return isInteger && !Number.isSafeInteger(number) ? BigInt(text) : number;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (!found) throw NOT_JSON;
    this.#position = pattern.lastIndex;
    return found[0];
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#position;
    SPACE.exec(this.#text);
    this.#position = SPACE.lastIndex;
  }
}

const TOKENS: readonly (readonly [string, unknown])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
];
