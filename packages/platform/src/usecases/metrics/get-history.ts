import { invalidParameter } from "@millrace/contract";
import type { Context } from "../../context.ts";
import { comparePoints, type Points } from "../../db/chunks/points.ts";
import type { Reader } from "../../db/database.ts";
import { readPoints, type StepRange } from "../../db/queries/history.ts";
import { findKey, keyCache } from "../../db/queries/keys.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { historyAnswer, historyItems, jsonHeaders } from "./history-json.ts";

/** Points of a metric of a run; undefined when there is no such run or metric. */
export async function pointsOfRun(
  ctx: Context,
  reader: Reader,
  runId: string,
  metricKey: string,
  order: "step" | "timestamp",
  range?: StepRange,
): Promise<Points | undefined> {
  const run = await reader.get<{ id: number }>("SELECT id FROM runs WHERE run_id = ?", [runId]);
  const key = run === undefined ? undefined : await findKey(reader, keyCache(ctx.db), metricKey);
  return key === undefined ? undefined : readPoints(reader, run!.id, key, order, range);
}

/**
 * The history in the order (timestamp, step, value); all of it when no maximum is asked for. An unknown run or key
 * is an empty history.
 */
export const getMetricHistory: UseCase<"getMetricHistory"> = async (ctx, request) => {
  const { runId, metricKey, maxResults, pageToken } = request;
  if (maxResults !== undefined && maxResults <= 0) {
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer.`,
      { maxResults },
    );
  }
  const query = ["history", runId, metricKey];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  const points = await ctx.db.read((reader) => pointsOfRun(ctx, reader, runId, metricKey, "timestamp"));
  if (points === undefined) return { headers: jsonHeaders, body: "{}" };
  const start = position === undefined ? 0 : firstAfter(points, pointFrom(position));
  const end = Math.min(points.count, start + (maxResults ?? points.count));
  const token =
    end < points.count && end > start ? encodePageToken(ctx, query, positionOf(points, end - 1)) : undefined;
  return { headers: jsonHeaders, body: historyAnswer(historyItems(points, metricKey, start, end), token) };
};

function positionOf(points: Points, index: number): (string | number)[] {
  return [String(points.steps[index]!), points.timestampsMs[index]!, doubleBits(points.values[index]!)];
}

function pointFrom([step, time, bits]: readonly (string | number | null)[]): Points {
  const exact = BigInt(step as string);
  const wide = !Number.isSafeInteger(Number(exact));
  return {
    count: 1,
    steps: wide ? BigInt64Array.of(exact) : Float64Array.of(Number(exact)),
    timestampsMs: Float64Array.of(time as number),
    values: Float64Array.of(doubleFromBits(bits as string)),
  };
}

/** Index of the first point that comes after the given one. */
function firstAfter(points: Points, last: Points): number {
  let low = 0;
  let high = points.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePoints(points, middle, last, 0, "timestamp") <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function doubleBits(value: number): string {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!.toString(16);
}

function doubleFromBits(bits: string): number {
  return new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]!;
}
