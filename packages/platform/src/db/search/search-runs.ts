/**
 * Finds the rows of one page of runs. A search drives from an index that lists the few matches of a part of the filter,
 * or walks an index that has the runs in the wanted order, or looks at all runs. While walking, a run is looked up by
 * the primary key of what the filter names; that is best when matches are frequent. When they turn out not to be, a
 * list of the matches of one part of the filter is made first and asked instead.
 */
import type { Filter, OrderTerm } from "@millrace/contract/filter";
import type { Dialect, Reader, SqlValue } from "../database.ts";
import type { KeyCache } from "../queries/keys.ts";
import { compileFilter } from "./compile.ts";
import {
  after,
  comparePositions,
  keyColumns,
  orderBy,
  positionAt,
  sortClasses,
  type SortKey,
  type SortPosition,
} from "./order.ts";
import { cheapestDriver, type Driver, isListed } from "./run-drivers.ts";
import { type KeyIds, keysOfSearch, runOperands, type RunOrder, runOrder } from "./runs.ts";
import { join, list, nothing, type Sql, sql, verbatim } from "./sql.ts";

/** Where one way to search gives way to another. Every choice finds the same runs. */
export interface SearchThresholds {
  /** Up to so many (experiment, stage) pairs are searched one by one and merged; more are scanned together. */
  readonly scopesMergedMax: number;
  /** With so few matches, each is looked up and all are sorted. */
  readonly drivenMax: number;
  /** Lists up to here are made at once, longer ones after a short walk has failed. */
  readonly listedAtOnceMax: number;
  /** Longer lists are never made: they cost more than they save. */
  readonly listedMax: number;
  /** Rows of an index, and those that tie with the last of them, that are walked to see whether matches are frequent. */
  readonly shortWalkRows: number;
}

export const searchThresholds: SearchThresholds = {
  scopesMergedMax: 16,
  drivenMax: 300,
  listedAtOnceMax: 3_000,
  listedMax: 20_000,
  shortWalkRows: 2_000,
};

export interface RunSearch {
  /** Row ids of experiments. */
  readonly experiments: readonly number[];
  readonly filter: Filter;
  readonly order: readonly OrderTerm[];
  /** 0 and 1: active and deleted runs. */
  readonly deleted: readonly number[];
  /** Rows wanted. */
  readonly limit: number;
  /** Where the page before ended. */
  readonly position?: SortPosition | undefined;
}

export interface FoundRuns {
  /** Row ids in order. */
  readonly ids: readonly number[];
  /** Where the page ended; undefined when nothing follows. */
  readonly end?: SortPosition | undefined;
}

export async function findRuns(
  reader: Reader,
  dialect: Dialect,
  cache: KeyCache,
  search: RunSearch,
  thresholds = searchThresholds,
): Promise<FoundRuns> {
  const { experiments, deleted, filter, limit, position } = search;
  const keys = await keysOfSearch(reader, cache, filter, search.order);
  const order = runOrder(search.order, keys);
  const plan: Plan = {
    reader,
    dialect,
    thresholds,
    keys,
    order,

    filter,
    limit: limit + 1,
    position,
  };
  const scopes = experiments.flatMap((experiment) =>
    deleted.map((stage) => ({ experiment, deleted: stage })),
  );
  let rows: SqlValue[][] = [];
  if (scopes.length > thresholds.scopesMergedMax) {
    rows = await scan(
      plan,
      sql`r.experiment IN ${list(experiments)} AND r.deleted IN ${list(deleted)}`,
      limit + 1,
    );
  } else {
    for (const scope of scopes) rows = rows.concat(await inScope(plan, scope));
    if (scopes.length > 1) rows = merged(rows, order.keys);
  }
  const found = rows.slice(0, limit);
  const last = rows.length > limit ? found.at(-1) : undefined;
  return {
    ids: found.map(([id]) => id as number),
    end: last === undefined ? undefined : positionAt(last, 1, order.keys.length),
  };
}

function merged(rows: readonly SqlValue[][], keys: readonly SortKey[]): SqlValue[][] {
  const compare = comparePositions(keys);
  return rows
    .map((row) => ({ row, position: positionAt(row, 1, keys.length) }))
    .toSorted((a, b) => compare(a.position, b.position))
    .map(({ row }) => row);
}

interface Plan {
  readonly reader: Reader;
  readonly dialect: Dialect;
  readonly thresholds: SearchThresholds;
  readonly keys: KeyIds;
  readonly order: RunOrder;
  readonly filter: Filter;
  /** Rows wanted, with the one that tells whether more follow. */
  readonly limit: number;
  readonly position: SortPosition | undefined;
  /** A list that runs must be in, or must not be in, beside the filter. */
  readonly listed?: Driver;
}

interface Scope {
  readonly experiment: number;
  readonly deleted: number;
}

/** Rows (id, class and value of each key) in order, up to the limit. */
async function inScope(plan: Plan, scope: Scope): Promise<SqlValue[][]> {
  const { order, filter, limit, position, reader, dialect, keys, thresholds } = plan;
  const here = sql`r.experiment = ${scope.experiment} AND r.deleted = ${scope.deleted}`;
  if (namesRuns(filter)) return scan(plan, here, limit);
  const { walk } = order;
  const inNumbers = position === undefined || position[0] === sortClasses.value;
  let driver = await cheapestDriver(
    reader,
    dialect,
    scope.experiment,
    filter,
    keys,
    thresholds.listedAtOnceMax,
  );
  if (driver !== undefined && !driver.excludes) {
    if (driver.count === 0) return [];
    if (driver.count <= thresholds.drivenMax) return drive(plan, scope, driver);
  }
  let numbers: SqlValue[][] | undefined;
  if (driver === undefined && !isEverything(filter)) {
    if (walk?.by === "metric" && inNumbers) {
      const bound = await shortWalk(plan, scope, walk.key);
      const rows = await walkMetric(plan, scope, walk.key, bound);
      if (rows.length === limit) return rows;
      if (bound === undefined) numbers = rows;
    }
    driver = await cheapestDriver(reader, dialect, scope.experiment, filter, keys, thresholds.listedMax);
  }
  const listed: Plan = driver === undefined ? plan : { ...plan, filter: driver.rest, listed: driver };
  if (walk?.by !== "metric") return scan(listed, here, limit);
  // Numbers first, from the index; what is NaN or missing comes after them.
  numbers ??= inNumbers ? await walkMetric(listed, scope, walk.key) : [];
  if (numbers.length === limit) return numbers;
  const tail = sql`${here} AND ${order.keys[0]!.sortClass!} > ${sortClasses.value}`;
  return numbers.concat(await scan(listed, tail, limit - numbers.length));
}

function isEverything(filter: Filter): boolean {
  return filter.kind === "and" && filter.terms.length === 0;
}

/** Whether the filter asks for runs by their ids: the unique index finds them. */
function namesRuns(filter: Filter): boolean {
  const terms = filter.kind === "and" ? filter.terms : [filter];
  return terms.some(
    (term) =>
      ((term.kind === "comparison" && term.operator === "=") || (term.kind === "in" && !term.negated)) &&
      term.left.entity === "attribute" &&
      term.left.key === "run_id",
  );
}

function scan(plan: Plan, where: Sql, limit: number): Promise<SqlValue[][]> {
  const { order, filter } = plan;
  return select(plan, {
    from: sql`runs r${join(order.joins, "")}`,
    run: verbatim("r.id"),
    where,
    filter,
    keys: order.keys,
    limit,
  });
}

/** CROSS JOIN keeps SQLite from turning the two around; elsewhere it is a join like any other. */
function drive(plan: Plan, scope: Scope, driver: Driver): Promise<SqlValue[][]> {
  const { order, limit } = plan;
  return select(plan, {
    from: sql`${driver.from} CROSS JOIN runs r${join(order.joins, "")}`,
    run: verbatim("f.run"),
    where: sql`${driver.range} AND r.id = f.run AND r.deleted = ${scope.deleted}`,
    filter: driver.rest,
    keys: order.keys,
    limit,
  });
}

function walkMetric(plan: Plan, scope: Scope, key: number, bound?: Sql): Promise<SqlValue[][]> {
  const { order, filter, limit } = plan;
  const [first, ...others] = order.keys;
  return select(plan, {
    from: sql`series o0 CROSS JOIN runs r${join(order.joins.slice(1), "")}`,
    run: verbatim("o0.run"),
    where: sql`o0.experiment = ${scope.experiment} AND o0.key = ${key} AND o0.latest_nan = 0${bound === undefined ? nothing : sql` AND ${bound}`} AND r.id = o0.run AND r.deleted = ${scope.deleted}`,
    filter,
    keys: [{ value: first!.value, ascending: first!.ascending }, ...others],
    limit,
  });
}

async function select(
  plan: Plan,
  query: {
    readonly from: Sql;
    /** The column of the first table that holds the row id of the run. */
    readonly run: Sql;
    readonly where: Sql;
    readonly filter: Filter;
    readonly keys: readonly SortKey[];
    readonly limit: number;
  },
): Promise<SqlValue[][]> {
  const { reader, dialect, position, listed } = plan;
  const { from, run, where, filter, keys, limit } = query;
  const conditions = [
    where,
    ...(listed === undefined ? [] : [isListed(listed, run)]),
    ...(isEverything(filter) ? [] : [compileFilter(filter, runOperands(plan.keys, run), dialect)]),
    ...(position === undefined ? [] : [after(keys, position)]),
  ];
  const text = sql`SELECT r.id, ${keyColumns(keys)} FROM ${from} WHERE ${join(conditions, " AND ")} ORDER BY ${orderBy(keys)} LIMIT ${limit}`;
  return reader.rows(text.text, text.parameters);
}

/** The value in the index of a metric's latest values where a short walk from the position on ends; none: at its end. */
async function shortWalk(plan: Plan, scope: Scope, key: number): Promise<Sql | undefined> {
  const { value, ascending } = plan.order.keys[0]!;
  const { position } = plan;
  const start =
    position === undefined
      ? nothing
      : sql` AND ${value} ${verbatim(ascending ? ">=" : "<=")} ${position[1]!}`;
  const query = sql`SELECT ${value} FROM series o0 WHERE o0.experiment = ${scope.experiment} AND o0.key = ${key} AND o0.latest_nan = 0${start} ORDER BY ${value}${verbatim(ascending ? "" : " DESC")} LIMIT 1 OFFSET ${plan.thresholds.shortWalkRows}`;
  const [row] = await plan.reader.rows(query.text, query.parameters);
  return row === undefined ? undefined : sql`${value} ${verbatim(ascending ? "<=" : ">=")} ${row[0]!}`;
}
