/** How a search sees logged models. A condition on a metric holds if any value, on the given datasets, satisfies it. */
import { loggedModelStatuses } from "@millrace/contract";
import {
  completeOrder,
  type Condition,
  conditionsOf,
  type Filter,
  matches,
  type OrderTerm,
  searchables,
} from "@millrace/contract/filter";
import type { Dialect, Reader } from "../database.ts";
import type { LoggedModelRow } from "../queries/logged-models.ts";
import { column, compileFilter, type Operands, rowsOf, type ValueSource } from "./compile.ts";
import { findPage, type FoundPage } from "./find.ts";
import type { SortKey, SortPosition } from "./order.ts";
import { missingClass } from "./runs.ts";
import { always, anyHolds, join, list, never, type Sql, sql, verbatim } from "./sql.ts";

/** Only values on this dataset count; without a digest, those that were logged without one. */
export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string | undefined;
}

export interface LoggedModelSearch {
  /** Row ids of experiments, one at least. */
  readonly experiments: readonly number[];
  readonly filter: Filter;
  readonly datasets: readonly DatasetFilter[];
  readonly order: readonly OrderTerm[];
  readonly limit: number;
  readonly position?: SortPosition | undefined;
}

const statusName = verbatim(
  `CASE g.status ${Object.entries(loggedModelStatuses)
    .map(([name, number]) => `WHEN ${number} THEN '${name}'`)
    .join(" ")} END`,
);

const attributes: Readonly<Record<string, ValueSource>> = {
  model_id: column("g.model_id"),
  experiment_id: column("CAST(g.experiment AS TEXT)"),
  name: column("g.name"),
  model_type: column("g.model_type", { nullable: true }),
  status_message: column("g.status_message", { nullable: true }),
  source_run_id: column("g.source_run_id", { nullable: true }),
  artifact_location: column("g.artifact_location"),
  creation_timestamp_ms: column("g.creation_time"),
  last_updated_timestamp_ms: column("g.last_updated_time"),
};

/** What an order by an attribute compares; ids of experiments are numbers. */
const orderColumns: Readonly<Record<string, { readonly value: Sql; readonly nullable?: boolean }>> = {
  ...Object.fromEntries(Object.entries(attributes).map(([key, { value }]) => [key, { value }])),
  experiment_id: { value: verbatim("g.experiment") },
  model_type: { value: verbatim("g.model_type"), nullable: true },
  status_message: { value: verbatim("g.status_message"), nullable: true },
  source_run_id: { value: verbatim("g.source_run_id"), nullable: true },
  status: { value: statusName },
  // Deleted models are never found.
  lifecycle_stage: { value: verbatim("g.deleted") },
};

function operandsOn(datasets: readonly DatasetFilter[]): Operands {
  const onDatasets = datasets.length === 0 ? always : isOnOneOf(datasets);
  return {
    source(operand) {
      switch (operand.entity) {
        case "attribute":
          return attributes[operand.key];
        case "metric":
          return rowsOf(
            sql`logged_model_metrics x WHERE x.model = g.id AND x.key = ${operand.key} AND ${onDatasets}`,
            verbatim("x.value"),
            verbatim("x.nan = 1"),
          );
        case "param":
        case "tag": {
          const table = verbatim(operand.entity === "param" ? "logged_model_params" : "logged_model_tags");
          return rowsOf(sql`${table} t WHERE t.model = g.id AND t.key = ${operand.key}`, verbatim("t.value"));
        }
        case "dataset":
          return undefined;
      }
    },
    condition: enumerated,
  };
}

function isOnOneOf(datasets: readonly DatasetFilter[]): Sql {
  return anyHolds(
    datasets.map(
      ({ name, digest }) =>
        sql`(x.dataset_name = ${name} AND ${digest === undefined ? verbatim("x.dataset_digest IS NULL") : sql`x.dataset_digest = ${digest}`})`,
    ),
  );
}

/** Statuses are kept as numbers, and only active models are found: the plain predicate says which texts pass. */
function enumerated(condition: Condition): Sql | undefined {
  const { left } = condition;
  if (left.entity !== "attribute") return undefined;
  if (left.key === "lifecycle_stage") {
    return matches({ attributes: { lifecycle_stage: "active" } }, condition) ? always : never;
  }
  if (left.key !== "status") return undefined;
  const passing = Object.entries(loggedModelStatuses)
    .filter(([status]) => matches({ attributes: { status } }, condition))
    .map(([, number]) => number);
  return passing.length === 0 ? never : sql`g.status IN ${list(passing)}`;
}

export function findLoggedModels(
  reader: Reader,
  dialect: Dialect,
  search: LoggedModelSearch,
): Promise<FoundPage<LoggedModelRow>> {
  const { experiments, filter, datasets, limit, position } = search;
  const { keys, joins } = loggedModelOrder(search.order);
  const asksForMetrics = conditionsOf(filter).some(({ left }) => left.entity === "metric");
  return findPage(reader, {
    columns: verbatim(
      "g.id, g.model_id, g.experiment, g.name, g.artifact_location, g.creation_time, g.last_updated_time, g.status, g.status_message, g.model_type, g.source_run_id, g.deleted",
    ),
    from: sql`logged_models g${join(joins, "")}`,
    where: [
      sql`g.experiment IN ${list(experiments)} AND g.deleted = 0`,
      compileFilter(filter, operandsOn(datasets), dialect),
      // Datasets that no condition makes use of ask for models that have any metric on them.
      ...(datasets.length > 0 && !asksForMetrics
        ? [sql`EXISTS (SELECT 1 FROM logged_model_metrics x WHERE x.model = g.id AND ${isOnOneOf(datasets)})`]
        : []),
    ],
    keys,
    limit,
    position,
  });
}

function loggedModelOrder(asked: readonly OrderTerm[]): {
  readonly keys: readonly SortKey[];
  readonly joins: readonly Sql[];
} {
  const joins: Sql[] = [];
  const keys = completeOrder(searchables.loggedModels, asked).map((term, index): SortKey => {
    const { operand, ascending } = term;
    if (operand.entity === "attribute") {
      const { value, nullable = false } = orderColumns[operand.key]!;
      return nullable ? { sortClass: missingClass(value), value, ascending } : { value, ascending };
    }
    const table = verbatim(`o${index}`);
    joins.push(sql` LEFT JOIN logged_model_metrics ${table} ON ${table}.id = (${newest(term)})`);
    const value = sql`${table}.value`;
    return {
      sortClass: sql`CASE WHEN ${value} IS NULL THEN 2 WHEN ${table}.nan = 1 THEN 1 ELSE 0 END`,
      value,
      ascending,
    };
  });
  return { keys, joins };
}

/** The value that orders: latest timestamp, then highest step. */
function newest({ operand, datasetName, datasetDigest }: OrderTerm): Sql {
  const name = datasetName === undefined ? always : sql`y.dataset_name = ${datasetName}`;
  const digest = datasetDigest === undefined ? always : sql`y.dataset_digest = ${datasetDigest}`;
  return sql`SELECT y.id FROM logged_model_metrics y WHERE y.model = g.id AND y.key = ${operand.key} AND ${name} AND ${digest} ORDER BY y.time DESC, y.step DESC, y.run_id, y.id LIMIT 1`;
}
