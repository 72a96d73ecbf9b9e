/** One page of rows of an entity that needs no plan of its own. */
import type { Reader, SqlValue } from "../database.ts";
import { after, orderBy, positionAt, type SortKey, type SortPosition } from "./order.ts";
import { join, type Sql, sql, verbatim } from "./sql.ts";

export interface PageQuery {
  /** Columns of the rows; none of them is called `k0`, `k1` and so on. */
  readonly columns: Sql;
  readonly from: Sql;
  readonly where: readonly Sql[];
  readonly keys: readonly SortKey[];
  /** Rows wanted; 0 only tells whether there are any. */
  readonly limit: number;
  /** Where the page before ended. */
  readonly position?: SortPosition | undefined;
}

export interface FoundPage<Row> {
  readonly rows: readonly Row[];
  /** Where the page ended; undefined when nothing follows. */
  readonly end?: SortPosition | undefined;
}

export async function findPage<Row>(reader: Reader, query: PageQuery): Promise<FoundPage<Row>> {
  const { columns, from, where, keys, limit } = query;
  // A page of no rows ended before the first: its position is empty.
  const position = query.position === undefined || query.position.length === 0 ? undefined : query.position;
  const selected = keys.flatMap(({ sortClass, value }, index) => [
    sql`${sortClass ?? verbatim("0")} AS ${verbatim(`k${2 * index}`)}`,
    sql`${value} AS ${verbatim(`k${2 * index + 1}`)}`,
  ]);
  const conditions = [...where, ...(position === undefined ? [] : [after(keys, position)])];
  const text = sql`SELECT ${columns}, ${join(selected, ", ")} FROM ${from} WHERE ${join(conditions, " AND ")} ORDER BY ${orderBy(keys)} LIMIT ${limit + 1}`;
  const rows = await reader.all<Row & Record<string, SqlValue>>(text.text, text.parameters);
  const found = rows.slice(0, limit);
  if (rows.length <= limit) return { rows: found };
  const last = found.at(-1);
  const end =
    last === undefined
      ? (query.position ?? [])
      : positionAt(
          Array.from({ length: 2 * keys.length }, (_, index) => last[`k${index}`]!),
          0,
          keys.length,
        );
  return { rows: found, end };
}
