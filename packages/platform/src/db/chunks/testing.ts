import * as fc from "fast-check";
import { expect } from "vitest";

import { narrowSteps, type Points, type Step } from "./points.ts";

/** Test data: points as rows. */
export type Row = readonly [step: Step, timestampMs: number, value: number];

export function pointsOf(rows: readonly Row[]): Points {
  return {
    count: rows.length,
    steps: narrowSteps(BigInt64Array.from(rows, ([step]) => BigInt(step))),
    timestampsMs: Float64Array.from(rows, ([, timestampMs]) => timestampMs),
    values: Float64Array.from(rows, ([, , value]) => value),
  };
}

export function rowsOf(points: Points): Row[] {
  return Array.from({ length: points.count }, (_, i) => [
    points.steps[i]!,
    points.timestampsMs[i]!,
    points.values[i]!,
  ]);
}

/** Equality bit for bit, except that one NaN is as good as another. */
export function expectSamePoints(actual: Points, expected: Points): void {
  expect(actual.count).toBe(expected.count);
  expect(actual.steps).toEqual(expected.steps);
  expect(actual.timestampsMs).toEqual(expected.timestampsMs);
  expect(actual.values.length).toBe(expected.count);
  for (let i = 0; i < expected.count; i++) {
    if (!Object.is(actual.values[i], expected.values[i])) {
      expect.fail(`value ${i} is ${actual.values[i]}, expected ${expected.values[i]}`);
    }
  }
}

const safeIntegers = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.maxSafeInteger(),
  fc.integer({ min: 2 ** 30 - 3, max: 2 ** 30 }),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: safeIntegers },
  { weight: 1, arbitrary: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
);
const timestampsMs = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.maxSafeNat(),
);
const values: readonly fc.Arbitrary<number>[] = [
  fc.double(),
  fc.float(),
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -(10 ** 6), max: 10 ** 6 }).map((n) => n / 10_000),
  fc.constantFrom(0, -0, NaN, 1.7976931348623157e308, 0.1),
];

/** Points in any order, of one kind of value or of all kinds mixed. */
export function arbitraryPoints(countMax: number, countMin = 1): fc.Arbitrary<Points> {
  return fc
    .oneof(...values.map((kind) => fc.constant(kind)), fc.constant(fc.oneof(...values)))
    .chain((value) =>
      fc.array(fc.tuple(steps, timestampsMs, value), {
        minLength: countMin,
        maxLength: countMax,
        size: "max",
      }),
    )
    .map(pointsOf);
}
