import { comparePoints, type Points, type Step } from "./points.ts";

export interface ChunkPoint {
  readonly step: Step;
  readonly timestampMs: number;
  readonly value: number;
}

/** What is stored beside a chunk, so that most questions are answered without decoding it. */
export interface ChunkSummary {
  readonly count: number;
  readonly minStep: Step;
  readonly maxStep: Step;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** NaN is ignored; undefined when every value is NaN. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly nanCount: number;
  /** Least and greatest by (step, timestamp, value), NaN counting as 0. */
  readonly first: ChunkPoint;
  readonly last: ChunkPoint;
  /** Each step is greater than the one before. */
  readonly stepsIncrease: boolean;
  /** The points stand in the order (timestamp, step, value), so get-history can stream them as they are. */
  readonly inHistoryOrder: boolean;
}

/** Summarises at least one point, in whatever order they stand. */
export function summarize(points: Points): ChunkSummary {
  const { count, steps, timestampsMs, values } = points;
  let minTimestampMs = Infinity;
  let maxTimestampMs = -Infinity;
  let min = Infinity;
  let max = -Infinity;
  let nanCount = 0;
  for (let i = 0; i < count; i++) {
    const timestampMs = timestampsMs[i]!;
    const value = values[i]!;
    if (timestampMs < minTimestampMs) minTimestampMs = timestampMs;
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs;
    if (value < min) min = value;
    if (value > max) max = value;
    if (value !== value) nanCount++;
  }
  let first = 0;
  let last = 0;
  let stepsIncrease = true;
  let inHistoryOrder = true;
  for (let i = 1; i < count; i++) {
    if (steps[i]! <= steps[i - 1]!) stepsIncrease = false;
    if (inHistoryOrder && comparePoints(points, i - 1, points, i, "timestamp") > 0) inHistoryOrder = false;
    if (comparePoints(points, last, points, i, "step") < 0) last = i;
    else if (comparePoints(points, i, points, first, "step") < 0) first = i;
  }
  const allNan = nanCount === count;
  return {
    count,
    minStep: narrowStep(steps[first]!),
    maxStep: narrowStep(steps[last]!),
    minTimestampMs,
    maxTimestampMs,
    min: allNan ? undefined : min,
    max: allNan ? undefined : max,
    nanCount,
    first: pointAt(points, first),
    last: pointAt(points, last),
    stepsIncrease,
    inHistoryOrder,
  };
}

function pointAt(points: Points, index: number): ChunkPoint {
  return {
    step: narrowStep(points.steps[index]!),
    timestampMs: points.timestampsMs[index]!,
    value: points.values[index]!,
  };
}

function narrowStep(step: Step): Step {
  const asNumber = Number(step);
  return Number.isSafeInteger(asNumber) ? asNumber : step;
}
