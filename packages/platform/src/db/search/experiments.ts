/** How a search sees experiments. */
import {
  completeOrder,
  type Condition,
  type Filter,
  type OrderTerm,
  searchables,
} from "@millrace/contract/filter";
import type { Dialect, Reader } from "../database.ts";
import type { ExperimentRow } from "../queries/experiments.ts";
import { column, compileFilter, type Operands, rowsOf } from "./compile.ts";
import { findPage, type FoundPage } from "./find.ts";
import type { SortPosition } from "./order.ts";
import { list, type Sql, sql, verbatim } from "./sql.ts";

const columns: Readonly<Record<string, string>> = {
  name: "e.name",
  experiment_id: "e.id",
  creation_time: "e.creation_time",
  last_update_time: "e.last_update_time",
};

const operands: Operands = {
  source(operand) {
    if (operand.entity === "attribute") return column(columns[operand.key]!);
    return rowsOf(
      sql`experiment_tags t WHERE t.experiment = e.id AND t.key = ${operand.key}`,
      verbatim("t.value"),
    );
  },
  condition: idCondition,
};

/** Ids are text in filters and numbers in the table. */
function idCondition(condition: Condition): Sql | undefined {
  if (condition.left.entity !== "attribute" || condition.left.key !== "experiment_id") return undefined;
  switch (condition.kind) {
    case "comparison":
      return sql`e.id ${verbatim(condition.operator === "=" ? "=" : "<>")} ${BigInt(condition.value)}`;
    case "in":
      return sql`e.id ${verbatim(condition.negated ? "NOT IN" : "IN")} ${list(condition.values.map(BigInt))}`;
    default:
      return undefined;
  }
}

export interface ExperimentSearch {
  readonly filter: Filter;
  readonly order: readonly OrderTerm[];
  /** 0 and 1: active and deleted ones. */
  readonly deleted: readonly number[];
  readonly limit: number;
  readonly position?: SortPosition | undefined;
}

export function findExperiments(
  reader: Reader,
  dialect: Dialect,
  { filter, order, deleted, limit, position }: ExperimentSearch,
): Promise<FoundPage<ExperimentRow>> {
  return findPage(reader, {
    columns: verbatim("e.id, e.name, e.artifact_location, e.deleted, e.creation_time, e.last_update_time"),
    from: verbatim("experiments e"),
    where: [sql`e.deleted IN ${list(deleted)}`, compileFilter(filter, operands, dialect)],
    keys: completeOrder(searchables.experiments, order).map(({ operand, ascending }) => ({
      value: verbatim(columns[operand.key]!),
      ascending,
    })),
    limit,
    position,
  });
}
