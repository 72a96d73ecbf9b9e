/**
 * Indexes that list the runs of one experiment that satisfy a part of a filter. The one with the fewest entries is
 * where a search may start from.
 */
import type { Condition, Filter, Operand } from "@millrace/contract/filter";
import type { Dialect, Reader } from "../database.ts";
import { testOf } from "./compile.ts";
import type { KeyIds } from "./runs.ts";
import { join, list, type Sql, sql, verbatim } from "./sql.ts";

type Test = Exclude<Condition, { kind: "null" }>;

export interface Driver {
  /** `table f` */
  readonly from: Sql;
  /** The entries of the index, within one experiment. */
  readonly range: Sql;
  /** How many entries there are. */
  readonly count: number;
  /** The entries are runs that do not match, and nothing of the filter is settled by them. */
  readonly excludes: boolean;
  /** What of the filter is left to ask of each run. */
  readonly rest: Filter;
}

/** The condition that a run is listed, or not listed where the list excludes. The plus keeps SQLite from looking up each entry of the list. */
export function isListed({ from, range, excludes }: Driver, run: Sql): Sql {
  return sql`+${run} ${verbatim(excludes ? "NOT IN" : "IN")} (SELECT f.run FROM ${from} WHERE ${range})`;
}

interface Candidate {
  readonly from: Sql;
  readonly range: Sql;
  /** The terms of the filter that the entries satisfy. */
  readonly terms: ReadonlySet<Filter>;
  readonly excludes: boolean;
}

/** The driver with the fewest entries, if there is one with `countMax` or fewer. */
export async function cheapestDriver(
  reader: Reader,
  dialect: Dialect,
  experiment: number,
  filter: Filter,
  keys: KeyIds,
  countMax: number,
): Promise<Driver | undefined> {
  const terms = filter.kind === "and" ? filter.terms : [filter];
  let best: Driver | undefined;
  for (const { from, range, terms: covered, excludes } of candidates(dialect, experiment, terms, keys)) {
    const most = (best?.count ?? countMax + 1) - 1;
    const counting = sql`SELECT count(*) FROM (SELECT 1 FROM ${from} WHERE ${range} LIMIT ${most + 1}) counted`;
    const [row] = await reader.rows(counting.text, counting.parameters);
    const count = Number(row![0]);
    if (count > most) continue;
    best = {
      from,
      range,
      count,
      excludes,
      rest: { kind: "and", terms: terms.filter((term) => !covered.has(term)) },
    };
    if (count === 0 && !excludes) break;
  }
  return best;
}

function* candidates(
  dialect: Dialect,
  experiment: number,
  terms: readonly Filter[],
  keys: KeyIds,
): Generator<Candidate> {
  // Several conditions on one metric are one range.
  const ranges = new Map<number, Test[]>();
  for (const term of terms) {
    if (term.kind === "and" || term.kind === "or" || term.kind === "not" || term.kind === "null") continue;
    const { left } = term;
    const key = keys.get(left.key);
    if (key === undefined) continue;
    if (isLatest(left) && isRange(term)) {
      const known = ranges.get(key);
      if (known === undefined) ranges.set(key, [term]);
      else known.push(term);
    } else if ((left.entity === "param" || left.entity === "tag") && isEquality(term)) {
      const values = term.kind === "in" ? term.values : [(term as { value: string }).value];
      const table = left.entity === "param" ? "params f" : "tags f";
      yield {
        from: verbatim(table),
        range: sql`f.experiment = ${experiment} AND f.key = ${key} AND f.value ${values.length === 1 ? sql`= ${values[0]!}` : sql`IN ${list(values)}`}`,
        terms: new Set([term]),
        excludes: false,
      };
    }
  }
  const value = { value: verbatim("f.latest_value"), exists: (test: Sql) => test };
  for (const [key, tests] of ranges) {
    const conditions = tests.map((test) => testOf(test, value, dialect));
    const numbers = sql`f.experiment = ${experiment} AND f.key = ${key} AND f.latest_nan = 0`;
    yield {
      from: verbatim("series f"),
      range: sql`${numbers} AND ${join(conditions, " AND ")}`,
      terms: new Set(tests),
      excludes: false,
    };
    const opposite = tests.length === 1 ? oppositeOf(tests[0]!) : undefined;
    if (opposite !== undefined) {
      yield {
        from: verbatim("series f"),
        range: sql`${numbers} AND ${testOf(opposite, value, dialect)}`,
        terms: new Set(),
        excludes: true,
      };
    }
  }
}

const opposites = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" } as const;

function oppositeOf(test: Test): Test | undefined {
  if (test.kind !== "comparison" || !(test.operator in opposites)) return undefined;
  return { ...test, operator: opposites[test.operator as keyof typeof opposites] };
}

function isLatest(operand: Operand): boolean {
  return operand.entity === "metric" && operand.aggregate === "last";
}

function isRange(term: Test): boolean {
  if (term.kind === "comparison") return term.operator !== "!=";
  return !term.negated;
}

function isEquality(term: Test): boolean {
  return term.kind === "comparison" ? term.operator === "=" : term.kind === "in" && !term.negated;
}
