/**
 * Orders with pages by key: every order term is a class (value, NaN, missing) and a value, and a page begins after
 * the position where the one before it ended.
 */
import { compareValues } from "@millrace/contract/filter";
import type { SqlValue } from "../database.ts";
import { allHold, anyHolds, join, never, type Sql, sql, verbatim } from "./sql.ts";

/** Classes of a sort key: they stand in this order for ASC and for DESC. */
export const sortClasses = { value: 0, nan: 1, missing: 2 } as const;

export interface SortKey {
  /** 0, 1 or 2; left out where every row has a value. */
  readonly sortClass?: Sql;
  readonly value: Sql;
  readonly ascending: boolean;
}

/** Class and value of each key. */
export type SortPosition = readonly (string | number | null)[];

/** Columns to select, so that `positionAt` can read them. */
export function keyColumns(keys: readonly SortKey[]): Sql {
  return join(
    keys.flatMap(({ sortClass, value }) => [sortClass ?? verbatim("0"), value]),
    ", ",
  );
}

/** Reads a position from a row of `keyColumns`. */
export function positionAt(row: readonly SqlValue[], start: number, keys: number): SortPosition {
  return Array.from({ length: keys }, (_, index): SortPosition => {
    const sortClass = Number(row[start + 2 * index]);
    const value = row[start + 2 * index + 1];
    return [sortClass, sortClass === sortClasses.value ? portable(value!) : null];
  }).flat();
}

/** A value as tokens carry it. */
function portable(value: SqlValue): string | number | null {
  return typeof value === "string" || typeof value === "number" ? value : Number(value);
}

export function orderBy(keys: readonly SortKey[]): Sql {
  return join(
    keys.flatMap(({ sortClass, value, ascending }) => [
      ...(sortClass === undefined ? [] : [sortClass]),
      ascending ? value : sql`${value} DESC`,
    ]),
    ", ",
  );
}

/** Compares two positions as the database does, to merge what several searches found. */
export function comparePositions(keys: readonly SortKey[]): (a: SortPosition, b: SortPosition) => number {
  return (a, b) => {
    for (const [index, { ascending }] of keys.entries()) {
      const classes = (a[2 * index] as number) - (b[2 * index] as number);
      if (classes !== 0) return classes;
      const left = a[2 * index + 1]!;
      if (left === null) continue;
      const compared = compareValues(left, b[2 * index + 1]!);
      if (compared !== 0) return ascending ? compared : -compared;
    }
    return 0;
  };
}

/** Holds for rows that come after the position. Never NULL: values are looked at where the class says there is one. */
export function after(keys: readonly SortKey[], position: SortPosition): Sql {
  const [key, ...rest] = keys;
  if (key === undefined) return never;
  const [sortClass, value, ...others] = position;
  const hasValue = sortClass === sortClasses.value;
  const operator = verbatim(key.ascending ? ">" : "<");
  const follows: Sql[] = [];
  const same: Sql[] = [];
  if (key.sortClass !== undefined) {
    follows.push(sql`${key.sortClass} > ${sortClass!}`);
    same.push(sql`${key.sortClass} = ${sortClass!}`);
  }
  if (hasValue) {
    follows.push(allHold([...same, sql`${key.value} ${operator} ${value!}`]));
    same.push(sql`${key.value} = ${value!}`);
  }
  const condition = anyHolds([
    ...follows,
    ...(rest.length === 0 ? [] : [allHold([...same, after(rest, others)])]),
  ]);
  // A plain range in front lets an index begin at the position.
  const range = key.sortClass === undefined && hasValue;
  return range && rest.length > 0 ? sql`(${key.value} ${operator}= ${value!} AND ${condition})` : condition;
}
