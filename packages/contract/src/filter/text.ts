import type { FilterValue } from "./tree.ts";

/**
 * Compares text by code point, which is what every database here is told to do. UTF-16 order differs from it
 * only where a surrogate meets a unit above the surrogates.
 * @returns negative, zero or positive
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return aboveSurrogates(left) - aboveSurrogates(right);
  }
  return a.length - b.length;
}

/** Moves the units from U+E000 below the surrogates, which stand for code points above them. */
function aboveSurrogates(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Lower case for ASCII letters only: the one folding that all databases can share. */
export function foldAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * SQL's LIKE over code points: `%` is any number of characters, `_` exactly one, and nothing escapes them.
 * Remembers only the last `%`, so that no pattern takes more than text × pattern steps.
 */
export function like(text: string, pattern: string): boolean {
  const characters = Array.from(text);
  const wanted = Array.from(pattern);
  let at = 0;
  let next = 0;
  let retry: { readonly at: number; readonly next: number } | undefined;
  while (at < characters.length) {
    if (wanted[next] === "%") {
      retry = { at, next: next + 1 };
      next++;
    } else if (next < wanted.length && (wanted[next] === "_" || wanted[next] === characters[at])) {
      at++;
      next++;
    } else if (retry === undefined) {
      return false;
    } else {
      retry = { at: retry.at + 1, next: retry.next };
      ({ at, next } = retry);
    }
  }
  return wanted.slice(next).every((character) => character === "%");
}

/** Compares numbers as numbers and text by code point. Not for NaN. */
export function compareValues(left: FilterValue, right: FilterValue): number {
  if (typeof left === "number" && typeof right === "number") {
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }
  return compareText(String(left), String(right));
}
