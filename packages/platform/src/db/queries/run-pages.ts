/** Whole runs for answers: latest metrics, params, tags, inputs and outputs of a page of rows. */
import type { Metric, Param, Run, Tag } from "@millrace/contract";
import type { Reader, SqlValue } from "../database.ts";
import { readInputs, type RunLinks } from "./inputs.ts";
import { type KeyCache, keyNames } from "./keys.ts";
import { runInfo, type RunRow } from "./runs.ts";

const RUNS_PER_STATEMENT = 250;

/** What belongs to the runs of a page, as rows. */
export interface RunItems {
  /** (run, key, value, time, step) of the latest point; value is null for NaN. */
  readonly metrics: readonly SqlValue[][];
  /** (run, key, value) */
  readonly params: readonly SqlValue[][];
  /** (run, key, value) */
  readonly tags: readonly SqlValue[][];
  readonly names: ReadonlyMap<number, string>;
  /** By row id of the run; runs with none are left out. */
  readonly links: ReadonlyMap<number, RunLinks>;
}

/** A bounded number of statements for so many runs, however much belongs to them. */
export async function readRunItems(
  reader: Reader,
  cache: KeyCache,
  ids: readonly number[],
): Promise<RunItems> {
  const metrics: SqlValue[][] = [];
  const params: SqlValue[][] = [];
  const tags: SqlValue[][] = [];
  for (const { part, marks } of parts(ids)) {
    append(
      metrics,
      await reader.rows(
        `SELECT run, key, CASE WHEN latest_nan = 0 THEN latest_value END, latest_time, latest_step FROM series WHERE run IN (${marks})`,
        part,
      ),
    );
    append(params, await reader.rows(`SELECT run, key, value FROM params WHERE run IN (${marks})`, part));
    append(tags, await reader.rows(`SELECT run, key, value FROM tags WHERE run IN (${marks})`, part));
  }
  const keys = new Set<number>();
  for (const rows of [metrics, params, tags]) for (const row of rows) keys.add(row[1] as number);
  return {
    metrics,
    params,
    tags,
    names: await keyNames(reader, cache, keys),
    links: await readInputs(reader, ids),
  };
}

/** Columns that an answer tells of a run: those of `infoColumns`. */
export async function readRunInfos(
  reader: Reader,
  ids: readonly number[],
): Promise<Map<number, readonly SqlValue[]>> {
  const infos = new Map<number, readonly SqlValue[]>();
  for (const { part, marks } of parts(ids)) {
    const rows = await reader.rows(`SELECT ${infoColumns} FROM runs WHERE id IN (${marks})`, part);
    for (const row of rows) infos.set(row[0] as number, row);
  }
  return infos;
}

const infoColumns =
  "id, run_id, experiment, name, user_id, status, start_time, end_time, deleted, artifact_uri";

/** A few fixed numbers of placeholders, so that pages of every size share prepared statements. */
function* parts(ids: readonly number[]): Generator<{ readonly part: number[]; readonly marks: string }> {
  for (let start = 0; start < ids.length; start += RUNS_PER_STATEMENT) {
    const part = ids.slice(start, start + RUNS_PER_STATEMENT);
    const size = [1, 25, 100, RUNS_PER_STATEMENT].find((candidate) => part.length <= candidate)!;
    while (part.length < size) part.push(-1);
    yield { part, marks: part.map(() => "?").join(", ") };
  }
}

function append(to: SqlValue[][], rows: readonly SqlValue[][]): void {
  for (const row of rows) to.push(row);
}

/** The runs in the order of the rows. */
export async function readRuns(reader: Reader, cache: KeyCache, rows: readonly RunRow[]): Promise<Run[]> {
  const items = await readRunItems(
    reader,
    cache,
    rows.map(({ id }) => id),
  );
  const { names, links } = items;
  const metrics = byRun(items.metrics, ([, key, value, time, step]): Metric => ({
    key: names.get(key as number)!,
    value: value === null ? Number.NaN : (value as number),
    timestamp: time as number,
    step: step as number | bigint,
  }));
  const text = ([, key, value]: readonly SqlValue[]): Param & Tag => ({
    key: names.get(key as number)!,
    value: value as string,
  });
  const params = byRun(items.params, text);
  const tags = byRun(items.tags, text);
  return rows.map((row) => ({
    info: runInfo(row),
    data: {
      metrics: metrics.get(row.id) ?? [],
      params: params.get(row.id) ?? [],
      tags: tags.get(row.id) ?? [],
    },
    inputs: links.get(row.id)?.inputs ?? {},
    outputs: links.get(row.id)?.outputs ?? {},
  }));
}

function byRun<T>(rows: readonly SqlValue[][], itemOf: (row: readonly SqlValue[]) => T): Map<number, T[]> {
  const lists = new Map<number, T[]>();
  for (const row of rows) {
    const list = lists.get(row[0] as number);
    if (list === undefined) lists.set(row[0] as number, [itemOf(row)]);
    else list.push(itemOf(row));
  }
  return lists;
}
