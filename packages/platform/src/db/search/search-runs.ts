/** Finds the rows of one page of runs. */
import type { Filter, OrderTerm } from "@millrace/contract/filter";
import type { Dialect, Reader } from "../database.ts";
import type { KeyCache } from "../queries/keys.ts";
import { compileFilter } from "./compile.ts";
import { after, keyColumns, orderBy, positionAt, type SortPosition } from "./order.ts";
import { keysOfSearch, runOperands, runOrder } from "./runs.ts";
import { allHold, list, type Sql, sql } from "./sql.ts";

export interface RunSearch {
  /** Row ids of experiments, one at least. */
  readonly experiments: readonly number[];
  readonly filter: Filter;
  readonly order: readonly OrderTerm[];
  /** 0 and 1: active and deleted runs. */
  readonly deleted: readonly number[];
  /** Rows wanted. */
  readonly limit: number;
  /** Where the page before ended. */
  readonly position?: SortPosition;
}

export interface FoundRuns {
  /** Row ids in order. */
  readonly ids: readonly number[];
  /** Where the page ended; undefined when nothing follows. */
  readonly end?: SortPosition;
}

export async function findRuns(
  reader: Reader,
  dialect: Dialect,
  cache: KeyCache,
  search: RunSearch,
): Promise<FoundRuns> {
  const keys = await keysOfSearch(reader, cache, search.filter, search.order);
  const order = runOrder(search.order, keys);
  const condition = compileFilter(search.filter, runOperands(keys), dialect);
  const query = sql`SELECT r.id, ${keyColumns(order.keys)} FROM runs r${order.joins} WHERE ${allHold([
    inScope(search),
    condition,
    ...(search.position === undefined ? [] : [after(order.keys, search.position)]),
  ])} ORDER BY ${orderBy(order.keys)} LIMIT ${search.limit + 1}`;
  const rows = await reader.rows(query.text, query.parameters);
  const found = rows.slice(0, search.limit);
  const ids = found.map(([id]) => id as number);
  if (rows.length <= search.limit || found.length === 0) return { ids };
  return { ids, end: positionAt(found.at(-1)!, 1, order.keys.length) };
}

function inScope({ experiments, deleted }: RunSearch): Sql {
  const one = experiments.length === 1;
  const inExperiment = one
    ? sql`r.experiment = ${experiments[0]!}`
    : sql`r.experiment IN ${list(experiments)}`;
  return deleted.length === 1 ? sql`${inExperiment} AND r.deleted = ${deleted[0]!}` : inExperiment;
}
