import * as fc from "fast-check";
import { expect, test } from "vitest";

import { mergePoints } from "./merge.ts";
import { summarize } from "./summary.ts";
import { arbitraryPoints, pointsOf, type Row, rowsOf } from "./testing.ts";

test("the example of a chunk with NaNs, late timestamps and a repeated step", () => {
  const points = pointsOf([
    [-2, 100, NaN],
    [0, 300, 4],
    [0, 300, NaN],
    [7, 200, -1.5],
  ]);
  expect(summarize(points)).toEqual({
    count: 4,
    minStep: -2,
    maxStep: 7,
    minTimestampMs: 100,
    maxTimestampMs: 300,
    min: -1.5,
    max: 4,
    nanCount: 2,
    first: { step: -2, timestampMs: 100, value: NaN },
    last: { step: 7, timestampMs: 200, value: -1.5 },
    stepsIncrease: false,
    inHistoryOrder: false,
  });
});

// At the same step and timestamp a NaN loses to a 5 and beats a −5.
test.each([
  { values: [5, NaN], first: NaN, last: 5 },
  { values: [-5, NaN], first: -5, last: NaN },
  { values: [-5, 5, NaN], first: -5, last: 5 },
])("among $values at one step and time, $first is first and $last is last", ({ values, first, last }) => {
  const summary = summarize(pointsOf(values.map((value): Row => [3, 10, value])));
  expect([summary.first.value, summary.last.value]).toEqual([first, last]);
});

test("only NaNs have neither min nor max", () => {
  const summary = summarize(pointsOf([[1, 1, NaN]]));
  expect(summary).toMatchObject({ min: undefined, max: undefined, nanCount: 1 });
});

test("steps beyond 2^53 are bigints, others numbers", () => {
  const { minStep, maxStep } = summarize(
    pointsOf([
      [3, 1, 1],
      [2n ** 62n, 2, 1],
    ]),
  );
  expect([minStep, maxStep]).toEqual([3, 2n ** 62n]);
});

test("any points, against sorting them", () => {
  fc.assert(
    fc.property(arbitraryPoints(40), (points) => {
      const summary = summarize(points);
      const sorted = rowsOf(mergePoints([points], "step"));
      const numbers = sorted.map(([, , value]) => value).filter((value) => !Number.isNaN(value));
      expect(BigInt(summary.minStep)).toBe(BigInt(sorted[0]![0]));
      expect(BigInt(summary.maxStep)).toBe(BigInt(sorted.at(-1)![0]));
      expect(summary.first.value).toEqual(sorted[0]![2]);
      expect(summary.last.timestampMs).toBe(sorted.at(-1)![1]);
      expect(summary.minTimestampMs).toBe(Math.min(...sorted.map(([, timestampMs]) => timestampMs)));
      expect(summary.maxTimestampMs).toBe(Math.max(...sorted.map(([, timestampMs]) => timestampMs)));
      expect(summary.nanCount).toBe(sorted.length - numbers.length);
      if (numbers.length > 0) {
        // −0 and 0 are the same number here.
        expect(summary.min! + 0).toBe(Math.min(...numbers) + 0);
        expect(summary.max! + 0).toBe(Math.max(...numbers) + 0);
      }
      expect(summary.stepsIncrease).toBe(
        rowsOf(points).every(([step], i, rows) => i === 0 || rows[i - 1]![0] < step),
      );
      const streamed = rowsOf(mergePoints([points], "timestamp"));
      const same = streamed.every((row, i) =>
        row.every((part, j) => sameNumber(part, rowsOf(points)[i]![j]!)),
      );
      expect(summary.inHistoryOrder).toBe(same);
    }),
    { numRuns: 500 },
  );
});

function sameNumber(a: number | bigint, b: number | bigint): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
