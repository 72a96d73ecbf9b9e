/** The statements of representative searches, and that SQLite walks the indexes they are written for. */
import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomRuns } from "../../../../contract/src/filter/random.ts";
import type { Reader, SqlValue } from "../database.ts";
import { keyCache } from "../queries/keys.ts";
import { findRuns } from "./search-runs.ts";
import { openSearched, putRuns, type SearchedDatabase } from "./testing.ts";

let searched: SearchedDatabase;
let experiment: number;
beforeAll(async () => {
  searched = await openSearched();
  experiment = Number(await putRuns(searched.db, randomRuns(5, 1_000)));
});
afterAll(() => searched.close());

interface Statement {
  readonly sql: string;
  /** Details of EXPLAIN QUERY PLAN. */
  readonly plan: readonly string[];
}

/** The statements that a search sends, in order. */
async function statementsOf(filter: string, orderBy: readonly string[], limit = 10): Promise<Statement[]> {
  const sent: Statement[] = [];
  await searched.db.read(async (reader) => {
    const recording: Reader = {
      all: (sql, parameters) => reader.all(sql, parameters),
      get: (sql, parameters) => reader.get(sql, parameters),
      async rows(sql: string, parameters: readonly SqlValue[] = []) {
        const plan = await reader.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, parameters);
        sent.push({ sql, plan: plan.map(({ detail }) => detail) });
        return reader.rows(sql, parameters);
      },
    };
    await findRuns(recording, searched.db.dialect, keyCache(searched.db), {
      experiments: [experiment],
      filter: parseFilter("runs", filter),
      order: parseOrderBy("runs", orderBy),
      deleted: [0],
      limit,
    });
  });
  return sent;
}

test("the default order walks its index without sorting", async () => {
  const [only, ...others] = await statementsOf("", []);
  expect(others).toEqual([]);
  expect(only).toEqual({
    sql: "SELECT r.id, 0, r.start_time, 0, r.run_id FROM runs r WHERE r.experiment = ? AND r.deleted = ? ORDER BY r.start_time DESC, r.run_id LIMIT ?",
    plan: ["SEARCH r USING COVERING INDEX runs_by_start (experiment=? AND deleted=?)"],
  });
});

test("an order by a metric walks the index of latest values and sorts ties only", async () => {
  const [only, ...others] = await statementsOf("", ["metrics.loss DESC"]);
  expect(others).toEqual([]);
  expect(only).toEqual({
    sql: "SELECT r.id, 0, o0.latest_value, 0, r.start_time, 0, r.run_id FROM series o0 CROSS JOIN runs r WHERE o0.experiment = ? AND o0.key = ? AND o0.latest_nan = 0 AND r.id = o0.run AND r.deleted = ? ORDER BY o0.latest_value DESC, r.start_time DESC, r.run_id LIMIT ?",
    plan: [
      "SEARCH o0 USING COVERING INDEX series_by_latest (experiment=? AND key=? AND latest_nan=?)",
      "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
      "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY",
    ],
  });
});

test("few matches are looked up one by one from the index that lists them", async () => {
  const sent = await statementsOf("params.lr = 'a' AND tags.team LIKE '%b%'", ["metrics.acc"]);
  expect(sent.map(({ sql }) => sql)).toEqual([
    "SELECT count(*) FROM (SELECT 1 FROM params f WHERE f.experiment = ? AND f.key = ? AND f.value = ? LIMIT ?) counted",
    "SELECT r.id, CASE WHEN o0.latest_value IS NULL THEN 2 WHEN o0.latest_nan = 1 THEN 1 ELSE 0 END, o0.latest_value, 0, r.start_time, 0, r.run_id FROM params f CROSS JOIN runs r LEFT JOIN series o0 ON o0.run = r.id AND o0.key = ? WHERE f.experiment = ? AND f.key = ? AND f.value = ? AND r.id = f.run AND r.deleted = ? AND EXISTS (SELECT 1 FROM tags t WHERE t.run = f.run AND t.key = ? AND t.value GLOB ?) IS TRUE ORDER BY CASE WHEN o0.latest_value IS NULL THEN 2 WHEN o0.latest_nan = 1 THEN 1 ELSE 0 END, o0.latest_value, r.start_time DESC, r.run_id LIMIT ?",
  ]);
  expect(sent[1]!.plan[0]).toBe(
    "SEARCH f USING COVERING INDEX params_by_value (experiment=? AND key=? AND value=?)",
  );
});

test("many matches are listed, and asked while the order is walked", async () => {
  const sent = await statementsOf("metrics.loss > -1e300", ["metrics.acc DESC"]);
  const last = sent.findLast(({ sql }) => sql.startsWith("SELECT r.id"))!;
  expect(last.sql).toMatch(/ AND \+o0\.run (NOT )?IN \(SELECT f\.run FROM series f WHERE /);
  expect(last.plan[0]).toMatch(/^SEARCH o0 USING COVERING INDEX series_by_latest/);
  expect(last.plan).toContain("LIST SUBQUERY 1");
});

test("a key that was never logged needs no look at any run", async () => {
  const [only] = await statementsOf("params.never = 'a'", []);
  expect(only!.sql).toContain("AND 1 = 0 ");
});
