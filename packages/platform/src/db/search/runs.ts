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

export function runOperands(keys: KeyIds): Operands {
  return {
    source(operand) {
      switch (operand.entity) {
        case "attribute":
          return attributes[operand.key];
        case "metric": {
          const key = keys.get(operand.key);
          if (key === undefined) return undefined;
          const { value, isNan } = metricColumns("s", operand.aggregate);
          return rowsOf(sql`series s WHERE s.run = r.id AND s.key = ${key}`, value, isNan);
        }
        case "param":
        case "tag": {
          const key = keys.get(operand.key);
          if (key === undefined) return undefined;
          const table = verbatim(operand.entity === "param" ? "params" : "tags");
          return rowsOf(sql`${table} t WHERE t.run = r.id AND t.key = ${key}`, verbatim("t.value"));
        }
        case "dataset":
          return datasetSource(operand.key);
      }
    },
    condition: statusCondition,
  };
}

function datasetSource(key: "name" | "digest" | "context"): ValueSource {
  if (key === "context") {
    return rowsOf(
      sql`run_datasets l JOIN run_dataset_tags t ON t.input = l.id WHERE l.run = r.id AND t.key = ${"mlflow.data.context"}`,
      verbatim("t.value"),
    );
  }
  return rowsOf(
    verbatim("run_datasets l JOIN datasets d ON d.id = l.dataset WHERE l.run = r.id"),
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
  /** What the sort keys need beside `runs r`. */
  readonly joins: Sql;
}

/** Sort keys of an order, with the default order behind it. */
export function runOrder(asked: readonly OrderTerm[], ids: KeyIds): RunOrder {
  const keys: SortKey[] = [];
  let joins = nothing;
  completeOrder(searchables.runs, asked).forEach(({ operand, ascending }, index) => {
    if (operand.entity === "attribute") {
      keys.push({ ...attributeKey(operand.key), ascending });
      return;
    }
    const id = ids.get(operand.key);
    // Missing everywhere: it tells no runs apart.
    if (id === undefined) return;
    const table = `o${index}`;
    const from = verbatim(
      operand.entity === "metric" ? "series" : operand.entity === "param" ? "params" : "tags",
    );
    const name = verbatim(table);
    joins = sql`${joins} LEFT JOIN ${from} ${name} ON ${name}.run = r.id AND ${name}.key = ${id}`;
    if (operand.entity !== "metric") {
      const value = verbatim(`${table}.value`);
      keys.push({ sortClass: missingClass(value), value, ascending });
      return;
    }
    const { value, isNan } = metricColumns(table, operand.aggregate);
    const sortClass =
      isNan === undefined
        ? missingClass(value)
        : sql`CASE WHEN ${value} IS NULL THEN 2 WHEN ${isNan} THEN 1 ELSE 0 END`;
    keys.push({ sortClass, value, ascending });
  });
  return { keys, joins };
}

function attributeKey(key: string): Omit<SortKey, "ascending"> {
  if (key === "status") return { value: statusName };
  const { value } = attributes[key]!;
  return key === "end_time" ? { sortClass: missingClass(value), value } : { value };
}

export function missingClass(value: Sql): Sql {
  return sql`CASE WHEN ${value} IS NULL THEN 2 ELSE 0 END`;
}
