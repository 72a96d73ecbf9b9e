import { invalidParameter, type PlatformError } from "../errors.ts";

/** A stretch of the text: offset of the first UTF-16 unit, from 0, and the number of units. */
export interface Span {
  readonly position: number;
  readonly length: number;
}

/** What a text is called in messages. */
export type TextName = "filter" | "order_by";

/**
 * An error about one place in a text. The message names the column, counted from 1, because people count so;
 * `details.position` is the offset from 0, because programs do.
 */
export function problemAt(text: TextName, span: Span, sentence: string): PlatformError {
  return invalidParameter(`Column ${span.position + 1} of the ${text}: ${sentence}`, {
    position: span.position,
    length: span.length,
  });
}

const shownMax = 60;

/** A piece of the caller's text as messages show it. */
export function shown(raw: string): string {
  const points = Array.from(raw);
  return points.length > shownMax ? `${points.slice(0, shownMax).join("")}…` : raw;
}
