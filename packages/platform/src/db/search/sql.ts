/**
 * Pieces of SQL with their parameters, so that what is composed stays text with `?` marks and no value is ever
 * spliced into it.
 */
import type { SqlValue } from "../database.ts";

export interface Sql {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/** `` sql`a = ${1} AND ${other}` ``: a piece is inserted as it is, any other value becomes a parameter. */
export function sql(texts: TemplateStringsArray, ...values: readonly (Sql | SqlValue)[]): Sql {
  let text = texts[0]!;
  const parameters: SqlValue[] = [];
  values.forEach((value, index) => {
    if (isSql(value)) {
      text += value.text;
      for (const parameter of value.parameters) parameters.push(parameter);
    } else {
      text += "?";
      parameters.push(value);
    }
    text += texts[index + 1]!;
  });
  return { text, parameters };
}

function isSql(value: Sql | SqlValue): value is Sql {
  return typeof value === "object" && value !== null && "text" in value;
}

/** Text that is no value: a name, a keyword. Never anything that a caller sent. */
export function verbatim(text: string): Sql {
  return { text, parameters: [] };
}

export const nothing = verbatim("");
export const always = verbatim("1 = 1");
export const never = verbatim("1 = 0");

export function join(pieces: readonly Sql[], separator: string): Sql {
  return {
    text: pieces.map(({ text }) => text).join(separator),
    parameters: pieces.flatMap(({ parameters }) => parameters),
  };
}

/** Conditions that must all hold, one at least, without needless parentheses. */
export function allHold(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return always;
  return conditions.length === 1 ? conditions[0]! : sql`(${join(conditions, " AND ")})`;
}

export function anyHolds(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return never;
  return conditions.length === 1 ? conditions[0]! : sql`(${join(conditions, " OR ")})`;
}

/** `(?, ?, …)` */
export function list(values: readonly SqlValue[]): Sql {
  return { text: `(${values.map(() => "?").join(", ")})`, parameters: values };
}
