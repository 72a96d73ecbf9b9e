/** Whole runs for answers: latest metrics, params, tags, inputs and outputs of a page of rows. */
import type { Metric, Param, Run, Tag } from "@millrace/contract";
import type { Reader } from "../database.ts";
import { readInputs } from "./inputs.ts";
import { type KeyCache, keyNames } from "./keys.ts";
import { runInfo, type RunRow } from "./runs.ts";

const RUNS_PER_STATEMENT = 250;

/** The runs with these row ids, in their order. */
export async function readRunsById(reader: Reader, cache: KeyCache, ids: readonly number[]): Promise<Run[]> {
  const rows = new Map<number, RunRow>();
  for (let start = 0; start < ids.length; start += RUNS_PER_STATEMENT) {
    const part = ids.slice(start, start + RUNS_PER_STATEMENT);
    const marks = part.map(() => "?").join(", ");
    for (const row of await reader.all<RunRow>(`SELECT * FROM runs WHERE id IN (${marks})`, part))
      rows.set(row.id, row);
  }
  return readRuns(
    reader,
    cache,
    ids.map((id) => rows.get(id)!),
  );
}

/** The runs in the order of the rows; a bounded number of statements however many they are. */
export async function readRuns(reader: Reader, cache: KeyCache, rows: readonly RunRow[]): Promise<Run[]> {
  const metrics = new Map<number, Metric[]>();
  const params = new Map<number, Param[]>();
  const tags = new Map<number, Tag[]>();
  const ids = rows.map(({ id }) => id);
  for (let start = 0; start < ids.length; start += RUNS_PER_STATEMENT) {
    const part = ids.slice(start, start + RUNS_PER_STATEMENT);
    // A fixed number of placeholders, so that pages of every size share prepared statements.
    const size =
      part.length === 1 ? 1 : part.length <= 25 ? 25 : part.length <= 100 ? 100 : RUNS_PER_STATEMENT;
    while (part.length < size) part.push(-1);
    const marks = Array.from({ length: size }, () => "?").join(", ");
    const found = await reader.rows(
      `SELECT run, key, latest_value, latest_nan, latest_time, latest_step FROM series WHERE run IN (${marks})`,
      part,
    );
    const texts = await reader.rows(`SELECT run, key, value FROM params WHERE run IN (${marks})`, part);
    const labels = await reader.rows(`SELECT run, key, value FROM tags WHERE run IN (${marks})`, part);
    const keys = new Set<number>();
    for (const row of found) keys.add(row[1] as number);
    for (const row of texts) keys.add(row[1] as number);
    for (const row of labels) keys.add(row[1] as number);
    const names = await keyNames(reader, cache, keys);
    for (const [run, key, value, nan, time, step] of found) {
      push(metrics, run as number, {
        key: names.get(key as number)!,
        value: nan === 0 ? (value as number) : Number.NaN,
        timestamp: time as number,
        step: step as number | bigint,
      });
    }
    for (const [run, key, value] of texts)
      push(params, run as number, { key: names.get(key as number)!, value: value as string });
    for (const [run, key, value] of labels)
      push(tags, run as number, { key: names.get(key as number)!, value: value as string });
  }
  const linked = await readInputs(reader, ids);
  return rows.map((row) => ({
    info: runInfo(row),
    data: {
      metrics: metrics.get(row.id) ?? [],
      params: params.get(row.id) ?? [],
      tags: tags.get(row.id) ?? [],
    },
    inputs: linked.get(row.id)?.inputs ?? {},
    outputs: linked.get(row.id)?.outputs ?? {},
  }));
}

function push<T>(lists: Map<number, T[]>, run: number, item: T): void {
  const list = lists.get(run);
  if (list === undefined) lists.set(run, [item]);
  else list.push(item);
}
