/** Finds the rows of one page of experiments. */
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
import { after, keyColumns, orderBy, positionAt, type SortKey, type SortPosition } from "./order.ts";
import { allHold, list, type Sql, sql, verbatim } from "./sql.ts";

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
  readonly position?: SortPosition;
}

/** `end` is where the page ended; undefined when nothing follows. */
export async function findExperiments(
  reader: Reader,
  dialect: Dialect,
  search: ExperimentSearch,
): Promise<{ readonly rows: readonly ExperimentRow[]; readonly end?: SortPosition }> {
  const keys: readonly SortKey[] = completeOrder(searchables.experiments, search.order).map(
    ({ operand, ascending }) => ({ value: verbatim(columns[operand.key]!), ascending }),
  );
  const query = sql`SELECT ${keyColumns(keys)}, e.id, e.name, e.artifact_location, e.deleted, e.creation_time, e.last_update_time FROM experiments e WHERE ${allHold(
    [
      sql`e.deleted IN ${list(search.deleted)}`,
      compileFilter(search.filter, operands, dialect),
      ...(search.position === undefined ? [] : [after(keys, search.position)]),
    ],
  )} ORDER BY ${orderBy(keys)} LIMIT ${search.limit + 1}`;
  const rows = await reader.rows(query.text, query.parameters);
  const found = rows.slice(0, search.limit);
  const start = 2 * keys.length;
  return {
    rows: found.map((row) => ({
      id: row[start] as number,
      name: row[start + 1] as string,
      artifact_location: row[start + 2] as string,
      deleted: row[start + 3] as number,
      creation_time: row[start + 4] as number,
      last_update_time: row[start + 5] as number,
    })),
    ...(rows.length > found.length ? { end: positionAt(found.at(-1)!, 0, keys.length) } : {}),
  };
}
