import { problemAt, shown, type Span, type TextName } from "./problem.ts";

export type TokenKind = "name" | "quoted" | "number" | "operator" | "punctuation" | "end";

/**
 * A piece of the text.
 * - `name`: a path such as `params.lr`, `` tags.`a b` `` or a word such as AND
 * - `quoted`: text in single or double quotes, or an escaped string `E'…'`
 */
export interface Token extends Span {
  readonly kind: TokenKind;
  /** As it stands in the text. */
  readonly raw: string;
}

// Keys take what MLflow takes without quotes: letters, digits and underscores of any script.
const word = /[\p{L}\p{M}\p{N}_]+/uy;
// For logged models MLflow also takes `val-loss` and `system/cpu` as keys without quotes.
const wideWord = /[-/]?[\p{L}\p{M}\p{N}_]+(?:[-/][\p{L}\p{M}\p{N}_]+)*/uy;
const space = /\s+/uy;
const comparator = /[<>=!~]+/y;
// No plus, no sign before a leading dot with an exponent: MLflow's numbers, no more.
const number = /-?(?:\d+(?:\.\d+)?[eE]-?\d+|(?:\d+\.\d*|\.\d+|\d+)(?![\p{L}\p{M}\p{N}_]))/uy;
const forbidden = /\0|\p{Surrogate}/u;

export interface LexerOptions {
  /** For messages. Default `filter`. */
  readonly textName?: TextName;
  /** Whether keys may hold `-` and `/` without quotes. Default false. */
  readonly wideKeys?: boolean;
}

/**
 * Cuts a filter or an order_by clause into tokens, the last of which has the kind `end`.
 * @throws PlatformError INVALID_PARAMETER_VALUE with the position of what cannot be read.
 */
export function tokenize(text: string, options: LexerOptions = {}): readonly Token[] {
  const { textName = "filter", wideKeys = false } = options;
  const part = wideKeys ? wideWord : word;
  const bad = forbidden.exec(text);
  if (bad !== null) {
    const what = bad[0] === "\0" ? "a NUL character" : "half of a surrogate pair";
    throw problemAt(textName, { position: bad.index, length: 1 }, `found ${what}; remove it.`);
  }
  const tokens: Token[] = [];
  let position = 0;
  const push = (kind: TokenKind, end: number): void => {
    tokens.push({ kind, raw: text.slice(position, end), position, length: end - position });
    position = end;
  };
  for (;;) {
    position = match(space, text, position) ?? position;
    const first = text[position];
    if (first === undefined) break;
    const numberEnd = match(number, text, position);
    if (first === "'" || first === '"' || startsEscaped(text, position)) {
      const end = quotedEnd(text, position, textName);
      const asPath = first === '"' && text[end] === ".";
      push(asPath ? "name" : "quoted", asPath ? pathEnd(text, end, part, textName) : end);
    } else if (numberEnd !== undefined) {
      push("number", numberEnd);
    } else if (first === "`") {
      push("name", pathEnd(text, quotedEnd(text, position, textName), part, textName));
    } else if ("(),".includes(first)) {
      push("punctuation", position + 1);
    } else {
      const wordEnd = match(word, text, position);
      const comparatorEnd = match(comparator, text, position);
      if (wordEnd !== undefined) push("name", pathEnd(text, wordEnd, part, textName));
      else if (comparatorEnd !== undefined) push("operator", comparatorEnd);
      else throw unreadable(text, position, textName);
    }
  }
  push("end", position);
  return tokens;
}

/** The text inside quotes. Doubling a quote does not escape it, as in MLflow; only `E'…'` knows escapes. */
export function unquote(raw: string): string {
  if (!/^[eE]'/.test(raw)) return raw.slice(1, -1);
  return raw.slice(2, -1).replaceAll(/\\(['\\])/g, "$1");
}

/** `E'…'`, which can hold any text: `\'` and `\\` stand for a quote and a backslash. */
export function quoteEscaped(text: string): string {
  return `E'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}

function match(pattern: RegExp, text: string, position: number): number | undefined {
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function startsEscaped(text: string, position: number): boolean {
  return (text[position] === "E" || text[position] === "e") && text[position + 1] === "'";
}

/** Follows the parts of a path: `.b`, `` .`b c` ``, `."b c"`; a dot with nothing behind it ends the path. */
function pathEnd(text: string, start: number, part: RegExp, textName: TextName): number {
  let end = start;
  while (text[end] === ".") {
    const next = end + 1;
    const quoted = "`'\"".includes(text[next] ?? " ") || startsEscaped(text, next);
    end = quoted ? quotedEnd(text, next, textName) : (match(part, text, next) ?? next);
  }
  return end;
}

/**
 * The end of a quoted piece. A doubled quote stays inside, and so does a quote after a backslash; where that
 * leaves the piece without an end, its last such quote is the end, which is how MLflow's tokenizer decides.
 */
function quotedEnd(text: string, start: number, textName: TextName): number {
  if (startsEscaped(text, start)) return escapedEnd(text, start, textName);
  const quote = text[start] ?? "";
  const backslash = quote !== "`";
  let fallback: number | undefined;
  for (let at = start + 1; at < text.length; at++) {
    const isPair = text[at] === quote && text[at + 1] === quote;
    if (isPair) fallback = at;
    else if (backslash && text[at] === "\\" && text[at + 1] === quote) fallback = at + 1;
    else if (text[at] === quote) return at + 1;
    else continue;
    at++;
  }
  if (fallback !== undefined) return fallback + 1;
  throw unterminated(text, start, quote, textName);
}

function escapedEnd(text: string, start: number, textName: TextName): number {
  for (let at = start + 2; at < text.length; at++) {
    if (text[at] === "'") return at + 1;
    if (text[at] === "\\") at++;
  }
  throw unterminated(text, start, "'", textName);
}

function unterminated(text: string, start: number, quote: string, textName: TextName) {
  return problemAt(
    textName,
    { position: start, length: text.length - start },
    `expected a closing ${quote} for ${shown(text.slice(start))}`,
  );
}

const hints: Readonly<Record<string, string>> = {
  ";": "write one expression without a semicolon",
  "+": "numbers have no plus sign",
  "-": "a number has its minus right before a digit, and a key with a dash goes in backticks",
};

function unreadable(text: string, position: number, textName: TextName) {
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
  const hint = hints[character] ?? "a key with special characters goes in backticks";
  return problemAt(
    textName,
    { position, length: character.length },
    `found ${character}, which means nothing here; ${hint}.`,
  );
}
