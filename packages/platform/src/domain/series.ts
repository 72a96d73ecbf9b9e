/**
 * The summary of a series (one metric of one run): what searches ask for, so that they never read points.
 * Latest is the greatest (step, time, value), first the least, with NaN counting as 0; min and max ignore NaN.
 */
import type { Int64 } from "@millrace/contract";

export interface Point {
  readonly step: Int64;
  /** Milliseconds. */
  readonly time: number;
  /** NaN as NaN; never infinite. */
  readonly value: number;
}

export interface Summary {
  readonly latest: Point;
  readonly first: Point;
  /** Undefined while every value is NaN. */
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** Infinite values are stored as the largest finite ones, as MLflow's SQL store does. */
export function storedValue(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  if (value === Number.NEGATIVE_INFINITY) return -Number.MAX_VALUE;
  return value;
}

/** Negative, zero or positive by (step, time, value), NaN counting as 0. */
export function comparePoints(a: Point, b: Point): number {
  if (a.step !== b.step) return a.step < b.step ? -1 : 1;
  if (a.time !== b.time) return a.time - b.time;
  const left = Number.isNaN(a.value) ? 0 : a.value;
  const right = Number.isNaN(b.value) ? 0 : b.value;
  return left === right ? 0 : left < right ? -1 : 1;
}

export function samePoint(a: Point, b: Point): boolean {
  // oxlint-disable-next-line eqeqeq -- a step may be a number here and a bigint there
  return (
    a.time === b.time &&
    a.step == b.step &&
    (a.value === b.value || (Number.isNaN(a.value) && Number.isNaN(b.value)))
  );
}

/** Takes points into a summary; only a strictly greater point replaces the latest. */
export function summarize(points: readonly Point[], before?: Summary): Summary {
  let latest = before?.latest ?? points[0]!;
  let first = before?.first ?? points[0]!;
  let min = before?.min ?? Number.POSITIVE_INFINITY;
  let max = before?.max ?? Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (comparePoints(point, latest) > 0) latest = point;
    if (comparePoints(point, first) < 0) first = point;
    if (point.value < min) min = point.value;
    if (point.value > max) max = point.value;
  }
  const known = min <= max;
  return { latest, first, min: known ? min : undefined, max: known ? max : undefined };
}
