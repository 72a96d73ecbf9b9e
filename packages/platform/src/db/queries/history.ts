/** Reading the points of a series: chunks and recent rows, merged. */
import { decodeChunk } from "../chunks/codec.ts";
import { mergePoints } from "../chunks/merge.ts";
import { narrowSteps, type PointOrder, type Points } from "../chunks/points.ts";
import type { Reader, SqlValue } from "../database.ts";

export interface StepRange {
  readonly start: number | bigint;
  readonly end: number | bigint;
}

/** All points of a series in the given order, or those whose step lies in the range (both ends included). */
export async function readPoints(
  reader: Reader,
  run: number,
  key: number,
  order: PointOrder,
  range?: StepRange,
): Promise<Points> {
  const chunkRange = range === undefined ? "" : " AND first_step <= ? AND last_step >= ?";
  const pointRange = range === undefined ? "" : " AND step BETWEEN ? AND ?";
  const chunks = await reader.all<{ data: Uint8Array }>(
    `SELECT data FROM chunks WHERE run = ? AND key = ?${chunkRange} ORDER BY first_step`,
    range === undefined ? [run, key] : [run, key, range.end, range.start],
  );
  const rows = await reader.rows(
    `SELECT step, time, value, nan FROM points WHERE run = ? AND key = ?${pointRange} ORDER BY step, time, nan, value`,
    range === undefined ? [run, key] : [run, key, range.start, range.end],
  );
  const sources = chunks.map(({ data }) => decodeChunk(data));
  sources.push(pointsOf(rows));
  const merged = mergePoints(sources, order);
  return range === undefined ? merged : within(merged, range);
}

/** Rows of (step, time, value, nan) as columns. */
export function pointsOf(rows: readonly SqlValue[][]): Points {
  const count = rows.length;
  const wide = rows.some((row) => typeof row[0] === "bigint");
  const steps = wide ? new BigInt64Array(count) : new Float64Array(count);
  const timestampsMs = new Float64Array(count);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    steps[i] = wide ? BigInt(row[0] as number) : (row[0] as number);
    timestampsMs[i] = row[1] as number;
    values[i] = row[3] === 0 ? (row[2] as number) : Number.NaN;
  }
  return { count, steps, timestampsMs, values };
}

function within(points: Points, { start, end }: StepRange): Points {
  const kept: number[] = [];
  for (let i = 0; i < points.count; i++)
    if (points.steps[i]! >= start && points.steps[i]! <= end) kept.push(i);
  if (kept.length === points.count) return points;
  const steps =
    points.steps instanceof BigInt64Array
      ? narrowSteps(BigInt64Array.from(kept, (i) => points.steps[i] as bigint))
      : Float64Array.from(kept, (i) => points.steps[i] as number);
  return {
    count: kept.length,
    steps,
    timestampsMs: Float64Array.from(kept, (i) => points.timestampsMs[i]!),
    values: Float64Array.from(kept, (i) => points.values[i]!),
  };
}
