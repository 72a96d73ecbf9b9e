/**
 * Metric points as columns: one typed array each, never an object per point.
 */

/** Float64Array while every step is a safe integer (the ordinary case); BigInt64Array, exact for all int64, otherwise. */
export type Steps = Float64Array | BigInt64Array;

/** A bigint only beyond ±(2^53 − 1). */
export type Step = number | bigint;

export interface Points {
  /** The length of each of the three arrays. */
  readonly count: number;
  readonly steps: Steps;
  /** Integers, 0 to 2^53 − 1. */
  readonly timestampsMs: Float64Array;
  /** NaN as NaN. */
  readonly values: Float64Array;
}

/**
 * The two orders that readers ask for: "step" is (step, timestamp, value), which decides the latest value and
 * sampling; "timestamp" is (timestamp, step, value), the order of get-history.
 */
export type PointOrder = "step" | "timestamp";

/** −1, 0 or 1. NaN takes part as 0; beside a real 0 the NaN comes second, so that the order is total. */
export function compareValues(a: number, b: number): number {
  const left = Number.isNaN(a) ? 0 : a;
  const right = Number.isNaN(b) ? 0 : b;
  if (left !== right) return left < right ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Compares point i of `a` with point j of `b`: −1, 0 or 1. */
export function comparePoints(a: Points, i: number, b: Points, j: number, order: PointOrder): number {
  const stepA = a.steps[i]!;
  const stepB = b.steps[j]!;
  const timestampA = a.timestampsMs[i]!;
  const timestampB = b.timestampsMs[j]!;
  if (order === "step") {
    if (stepA !== stepB && stepA < stepB) return -1;
    if (stepA > stepB) return 1;
    if (timestampA !== timestampB) return timestampA < timestampB ? -1 : 1;
  } else {
    if (timestampA !== timestampB) return timestampA < timestampB ? -1 : 1;
    if (stepA < stepB) return -1;
    if (stepA > stepB) return 1;
  }
  return compareValues(a.values[i]!, b.values[j]!);
}

/** Whether the points already stand in the given order. One pass. */
export function isSorted(points: Points, order: PointOrder): boolean {
  for (let i = 1; i < points.count; i++) {
    if (comparePoints(points, i - 1, points, i, order) > 0) return false;
  }
  return true;
}

/** The same points when they are in order already, else a sorted copy. */
export function sortPoints(points: Points, order: PointOrder): Points {
  if (isSorted(points, order)) return points;
  const indices = new Uint32Array(points.count);
  for (let i = 0; i < indices.length; i++) indices[i] = i;
  indices.sort((i, j) => comparePoints(points, i, points, j, order));
  return takePoints(points, indices);
}

/** The points at the given indices, in their order. */
export function takePoints(points: Points, indices: Uint32Array): Points {
  const taken = allocatePoints(indices.length, points.steps instanceof BigInt64Array);
  for (let i = 0; i < indices.length; i++) copyPoint(points, indices[i]!, taken, i);
  return taken;
}

/** Copies point `index` of `from` to place `at` of `to`; both have the same kind of steps. */
export function copyPoint(from: Points, index: number, to: Points, at: number): void {
  // The two kinds of arrays share no element type that TypeScript would let us store.
  to.steps[at] = from.steps[index] as never;
  to.timestampsMs[at] = from.timestampsMs[index]!;
  to.values[at] = from.values[index]!;
}

/** Points `start` to `end − 1`, as views on the same memory. */
export function slicePoints(points: Points, start: number, end: number): Points {
  return {
    count: end - start,
    steps: points.steps.subarray(start, end),
    timestampsMs: points.timestampsMs.subarray(start, end),
    values: points.values.subarray(start, end),
  };
}

/** All points of all sources, one source after the other. */
export function concatPoints(sources: readonly Points[]): Points {
  const only = sources[0];
  if (only !== undefined && sources.length === 1) return only;
  const count = sources.reduce((sum, source) => sum + source.count, 0);
  const wide = sources.some((source) => source.steps instanceof BigInt64Array);
  const all = allocatePoints(count, wide);
  let at = 0;
  for (const source of sources) {
    copySteps(source.steps, all.steps, at);
    all.timestampsMs.set(source.timestampsMs, at);
    all.values.set(source.values, at);
    at += source.count;
  }
  return all;
}

/** The steps as BigInt64Array: the same array when it is one already. */
export function wideSteps(steps: Steps): BigInt64Array {
  return steps instanceof BigInt64Array ? steps : BigInt64Array.from(steps, BigInt);
}

/** The narrowest exact representation: Float64Array when every step is a safe integer. */
export function narrowSteps(steps: Steps): Steps {
  if (steps instanceof Float64Array) return steps;
  for (const step of steps) {
    if (step > Number.MAX_SAFE_INTEGER || step < Number.MIN_SAFE_INTEGER) return steps;
  }
  return Float64Array.from(steps, Number);
}

function allocatePoints(count: number, wide: boolean): Points {
  return {
    count,
    steps: wide ? new BigInt64Array(count) : new Float64Array(count),
    timestampsMs: new Float64Array(count),
    values: new Float64Array(count),
  };
}

function copySteps(from: Steps, to: Steps, at: number): void {
  if (to instanceof BigInt64Array) to.set(wideSteps(from), at);
  else to.set(from as Float64Array, at);
}
