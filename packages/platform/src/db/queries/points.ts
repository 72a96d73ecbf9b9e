/**
 * Writing metric points. Recent points are rows; exact duplicates are dropped here, against rows by the primary key
 * and against sealed chunks by looking into those that overlap. A point beyond the sealed end of its series, which
 * is nearly every point, needs no look.
 */
import type { NewPoint } from "../../domain/batch.ts";
import { type Point, samePoint, storedValue, summarize, type Summary } from "../../domain/series.ts";
import { decodeChunk } from "../chunks/codec.ts";
import type { SqlValue, Transaction } from "../database.ts";
import { internKeys, type KeyCache } from "./keys.ts";
import { valuesList } from "./run-texts.ts";
import type { RunKey } from "./runs.ts";

const POINTS_PER_STATEMENT = 50;
const SERIES_PER_STATEMENT = 10;
/** From this many series on, one query for all series of the run beats one for each. */
const SERIES_READ_TOGETHER = 6;

export interface SeriesRow {
  readonly run: number;
  readonly key: number;
  readonly latest_step: number | bigint;
  readonly latest_time: number;
  readonly latest_value: number;
  readonly latest_nan: number;
  readonly first_step: number | bigint;
  readonly first_time: number;
  readonly first_value: number;
  readonly first_nan: number;
  readonly min_value: number | null;
  readonly max_value: number | null;
  readonly hot: number;
  readonly sealed: number;
  readonly sealed_step: number | bigint | null;
  readonly sealed_time: number | null;
}

const seriesColumns =
  "run, key, experiment, latest_step, latest_time, latest_value, latest_nan, first_step, first_time, first_value, first_nan, min_value, max_value, hot, sealed, sealed_step, sealed_time";
const SERIES_COLUMN_COUNT = seriesColumns.split(",").length;

/** A series that has grown enough to be sealed. */
export interface GrownSeries {
  readonly run: number;
  readonly key: number;
  readonly hot: number;
}

/** Adds points to a run; duplicates are dropped. Answers the series it touched, with their number of unsealed points. */
export async function addPoints(
  tx: Transaction,
  cache: KeyCache,
  run: RunKey,
  metrics: readonly NewPoint[],
): Promise<GrownSeries[]> {
  const groups = new Map<string, Point[]>();
  for (const { key, value, timestamp, step } of metrics) {
    const point: Point = { step: step ?? 0, time: timestamp, value: storedValue(value) };
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  const keys = await internKeys(tx, cache, [...groups.keys()]);
  const before = await readSeries(tx, run.id, keys);

  const fresh: { key: number; points: Point[]; row: SeriesRow | undefined }[] = [];
  let index = 0;
  for (const group of groups.values()) {
    const key = keys[index++]!;
    const row = before.get(key);
    const points = row === undefined || row.sealed === 0 ? group : await unsealedOnly(tx, row, group);
    if (points.length > 0) fresh.push({ key, points, row });
  }
  if (fresh.length === 0) return [];

  const inserted = await insertPoints(tx, run.id, fresh);
  const rows: SqlValue[][] = [];
  const touched: GrownSeries[] = [];
  for (let at = 0; at < fresh.length; at++) {
    const { key, points, row } = fresh[at]!;
    const hot = (row?.hot ?? 0) + inserted[at]!;
    touched.push({ run: run.id, key, hot });
    if (inserted[at] === 0) continue;
    rows.push(seriesValues(run, key, summarize(points, row && summaryOf(row)), hot, row));
  }
  await writeSeries(tx, rows);
  return touched;
}

function summaryOf(row: SeriesRow): Summary {
  return {
    latest: {
      step: row.latest_step,
      time: row.latest_time,
      value: row.latest_nan ? Number.NaN : row.latest_value,
    },
    first: {
      step: row.first_step,
      time: row.first_time,
      value: row.first_nan ? Number.NaN : row.first_value,
    },
    min: row.min_value ?? undefined,
    max: row.max_value ?? undefined,
  };
}

function seriesValues(
  run: RunKey,
  key: number,
  summary: Summary,
  hot: number,
  row: SeriesRow | undefined,
): SqlValue[] {
  return [
    run.id,
    key,
    run.experiment,
    ...pointColumns(summary.latest),
    ...pointColumns(summary.first),
    summary.min ?? null,
    summary.max ?? null,
    hot,
    row?.sealed ?? 0,
    row?.sealed_step ?? null,
    row?.sealed_time ?? null,
  ];
}

/** (step, time, value, nan): NaN cannot be bound, so it is 0 with a mark. */
function pointColumns({ step, time, value }: Point): [SqlValue, SqlValue, SqlValue, SqlValue] {
  return Number.isNaN(value) ? [step, time, 0, 1] : [step, time, value, 0];
}

async function readSeries(
  tx: Transaction,
  run: number,
  keys: readonly number[],
): Promise<Map<number, SeriesRow>> {
  const found = new Map<number, SeriesRow>();
  if (keys.length < SERIES_READ_TOGETHER) {
    for (const key of keys) {
      const row = await tx.get<SeriesRow>("SELECT * FROM series WHERE run = ? AND key = ?", [run, key]);
      if (row !== undefined) found.set(key, row);
    }
    return found;
  }
  const wanted = new Set(keys);
  for (const row of await tx.all<SeriesRow>("SELECT * FROM series WHERE run = ?", [run])) {
    if (wanted.has(row.key)) found.set(row.key, row);
  }
  return found;
}

/**
 * Inserts points and answers how many of each group were new. One count of changed rows serves them all in the
 * ordinary case that nothing was logged twice.
 */
async function insertPoints(
  tx: Transaction,
  run: number,
  groups: readonly { key: number; points: readonly Point[]; row: SeriesRow | undefined }[],
): Promise<number[]> {
  const total = groups.reduce((sum, { points }) => sum + points.length, 0);
  let changed = 0;
  let pending: SqlValue[] = [];
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    changed += await tx.run(
      `INSERT INTO points (run, key, step, time, value, nan) VALUES ${valuesList(pending.length / 6, 6)} ON CONFLICT DO NOTHING`,
      pending,
    );
    pending = [];
  };
  for (const { key, points } of groups) {
    for (const point of points) {
      pending.push(run, key, ...pointColumns(point));
      if (pending.length === POINTS_PER_STATEMENT * 6) await flush();
    }
  }
  await flush();
  if (changed === total) return groups.map(({ points }) => points.length);
  const inserted: number[] = [];
  for (const { key, row } of groups) {
    const counted = await tx.get<{ n: number }>(
      "SELECT count(*) AS n FROM points WHERE run = ? AND key = ?",
      [run, key],
    );
    inserted.push(Number(counted!.n) - (row?.hot ?? 0));
  }
  return inserted;
}

async function writeSeries(tx: Transaction, rows: readonly SqlValue[][]): Promise<void> {
  for (let start = 0; start < rows.length; start += SERIES_PER_STATEMENT) {
    const part = rows.slice(start, start + SERIES_PER_STATEMENT);
    await tx.run(
      `INSERT INTO series (${seriesColumns}) VALUES ${valuesList(part.length, SERIES_COLUMN_COUNT)} ON CONFLICT (run, key) DO UPDATE SET
        latest_step = excluded.latest_step, latest_time = excluded.latest_time, latest_value = excluded.latest_value, latest_nan = excluded.latest_nan,
        first_step = excluded.first_step, first_time = excluded.first_time, first_value = excluded.first_value, first_nan = excluded.first_nan,
        min_value = excluded.min_value, max_value = excluded.max_value, hot = excluded.hot`,
      part.flat(),
    );
  }
}

/** Points of the group that no chunk holds. */
async function unsealedOnly(tx: Transaction, row: SeriesRow, group: readonly Point[]): Promise<Point[]> {
  const isBeyond = ({ step, time }: Point): boolean =>
    step > row.sealed_step! || (step === row.sealed_step && time > row.sealed_time!);
  const result = group.filter(isBeyond);
  const late = group.filter((point) => !isBeyond(point));
  if (late.length === 0) return result;
  let low = late[0]!.step;
  let high = low;
  for (const { step } of late) {
    if (step < low) low = step;
    if (step > high) high = step;
  }
  const chunks = await tx.all<{ data: Uint8Array }>(
    "SELECT data FROM chunks WHERE run = ? AND key = ? AND first_step <= ? AND last_step >= ?",
    [row.run, row.key, high, low],
  );
  const decoded = chunks.map(({ data }) => decodeChunk(data));
  for (const point of late) {
    const known = decoded.some(({ count, steps, timestampsMs, values }) => {
      for (let i = 0; i < count; i++) {
        if (samePoint(point, { step: steps[i]!, time: timestampsMs[i]!, value: values[i]! })) return true;
      }
      return false;
    });
    if (!known) result.push(point);
  }
  return result;
}
