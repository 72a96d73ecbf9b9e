/** How a search sees runs: which columns and tables hold what a filter or an order may name. */
import { runStatuses } from "@millrace/contract";
import {
  completeOrder,
  type Condition,
  conditionsOf,
  type Filter,
  matches,
  type Operand,
  type OrderTerm,
  searchables,
} from "@millrace/contract/filter";
import type { Reader } from "../database.ts";
import { findKey, type KeyCache } from "../queries/keys.ts";
import { column, type Operands, rowsOf, type ValueSource } from "./compile.ts";
import type { SortKey } from "./order.ts";
import { always, list, never, nothing, type Sql, sql, verbatim } from "./sql.ts";

const attributes: Readonly<Record<string, ValueSource>> = {
  run_id: column("r.run_id"),
  run_name: column("r.name"),
  user_id: column("r.user_id"),
  artifact_uri: column("r.artifact_uri"),
  start_time: column("r.start_time"),
  end_time: column("r.end_time", { nullable: true }),
};

/** Ids of the names that a search mentions. */
export type KeyIds = ReadonlyMap<string, number>;

export async function keysOfSearch(
  reader: Reader,
  cache: KeyCache,
  filter: Filter,
  order: readonly OrderTerm[],
): Promise<KeyIds> {
  const ids = new Map<string, number>();
  const operands = [...conditionsOf(filter).map(({ left }) => left), ...order.map(({ operand }) => operand)];
  for (const { entity, key } of operands) {
    if (entity === "attribute" || entity === "dataset" || ids.has(key)) continue;
    const id = await findKey(reader, cache, key);
    if (id !== undefined) ids.set(key, id);
  }
  return ids;
}

/** Columns of `series` that hold an aggregate. min and max are NULL when every value was NaN. */
export function metricColumns(
  table: string,
  aggregate: Extract<Operand, { entity: "metric" }>["aggregate"],
): { readonly value: Sql; readonly isNan?: Sql } {
  if (aggregate === "min" || aggregate === "max") return { value: verbatim(`${table}.${aggregate}_value`) };
  const name = aggregate === "last" ? "latest" : "first";
  return { value: verbatim(`${table}.${name}_value`), isNan: verbatim(`${table}.${name}_nan = 1`) };
}

/**
 * @param run the column that holds the row id of the run: where the first table of a search has it, what is asked of
 * other tables need not wait for the row of the run
 */
export function runOperands(keys: KeyIds, run: Sql): Operands {
  return {
    source(operand) {
      switch (operand.entity) {
        case "attribute":
          return attributes[operand.key];
        case "metric": {
          const key = keys.get(operand.key);
          if (key === undefined) return undefined;
          const { value, isNan } = metricColumns("s", operand.aggregate);
          return rowsOf(sql`series s WHERE s.run = ${run} AND s.key = ${key}`, value, isNan);
        }
        case "param":
        case "tag": {
          const key = keys.get(operand.key);
          if (key === undefined) return undefined;
          const table = verbatim(tables[operand.entity]);
          return rowsOf(sql`${table} t WHERE t.run = ${run} AND t.key = ${key}`, verbatim("t.value"));
        }
        case "dataset":
          return datasetSource(operand.key, run);
      }
    },
    condition: statusCondition,
  };
}

function datasetSource(key: "name" | "digest" | "context", run: Sql): ValueSource {
  if (key === "context") {
    return rowsOf(
      sql`run_datasets l JOIN run_dataset_tags t ON t.input = l.id WHERE l.run = ${run} AND t.key = ${"mlflow.data.context"}`,
      verbatim("t.value"),
    );
  }
  return rowsOf(
    sql`run_datasets l JOIN datasets d ON d.id = l.dataset WHERE l.run = ${run}`,
    verbatim(`d.${key}`),
  );
}

/** There are five statuses, kept as numbers: the plain predicate says which of them pass. */
function statusCondition(condition: Condition): Sql | undefined {
  const { left } = condition;
  if (left.entity !== "attribute" || left.key !== "status") return undefined;
  const passing = Object.entries(runStatuses)
    .filter(([status]) => matches({ attributes: { status } }, condition))
    .map(([, number]) => number);
  if (passing.length === 0) return never;
  return passing.length === Object.keys(runStatuses).length ? always : sql`r.status IN ${list(passing)}`;
}

const statusName = verbatim(
  `CASE r.status ${Object.entries(runStatuses)
    .map(([name, number]) => `WHEN ${number} THEN '${name}'`)
    .join(" ")} END`,
);

export interface RunOrder {
  readonly keys: readonly SortKey[];
  /** What the sort keys need beside `runs r`, key by key; empty where a key needs nothing. */
  readonly joins: readonly Sql[];
  /** An index that has the rows in the order of the first key. */
  readonly walk?: OrderWalk;
}

export type OrderWalk =
  /** `series_by_latest`, as the table `o0`: runs whose latest value is a number. */
  { readonly by: "metric"; readonly key: number } | { readonly by: "start" };

/** Sort keys of an order, with the default order behind it. */
export function runOrder(asked: readonly OrderTerm[], ids: KeyIds): RunOrder {
  const keys: SortKey[] = [];
  const joins: Sql[] = [];
  let walk: OrderWalk | undefined;
  for (const { operand, ascending } of completeOrder(searchables.runs, asked)) {
    if (operand.entity === "attribute") {
      if (keys.length === 0 && operand.key === "start_time") walk = { by: "start" };
      keys.push({ ...attributeKey(operand.key), ascending });
      joins.push(nothing);
      continue;
    }
    const id = ids.get(operand.key);
    // Missing everywhere: it tells no runs apart.
    if (id === undefined) continue;
    if (keys.length === 0 && operand.entity === "metric" && operand.aggregate === "last") {
      walk = { by: "metric", key: id };
    }
    const table = `o${keys.length}`;
    const name = verbatim(table);
    joins.push(
      sql` LEFT JOIN ${verbatim(tables[operand.entity])} ${name} ON ${name}.run = r.id AND ${name}.key = ${id}`,
    );
    if (operand.entity !== "metric") {
      const value = verbatim(`${table}.value`);
      keys.push({ sortClass: missingClass(value), value, ascending });
      continue;
    }
    const { value, isNan } = metricColumns(table, operand.aggregate);
    const sortClass =
      isNan === undefined
        ? missingClass(value)
        : sql`CASE WHEN ${value} IS NULL THEN 2 WHEN ${isNan} THEN 1 ELSE 0 END`;
    keys.push({ sortClass, value, ascending });
  }
  return { keys, joins, ...(walk === undefined ? {} : { walk }) };
}

const tables = { metric: "series", param: "params", tag: "tags", dataset: "" } as const;

function attributeKey(key: string): Omit<SortKey, "ascending"> {
  if (key === "status") return { value: statusName };
  const { value } = attributes[key]!;
  return key === "end_time" ? { sortClass: missingClass(value), value } : { value };
}

export function missingClass(value: Sql): Sql {
  return sql`CASE WHEN ${value} IS NULL THEN 2 ELSE 0 END`;
}
