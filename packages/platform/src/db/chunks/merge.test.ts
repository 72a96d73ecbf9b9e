import * as fc from "fast-check";
import { expect, test } from "vitest";

import { mergePoints } from "./merge.ts";
import { concatPoints, type Points, slicePoints, sortPoints } from "./points.ts";
import { arbitraryPoints, expectSamePoints, pointsOf, type Row, rowsOf } from "./testing.ts";

/** The order in plain words, written apart from the code under test. */
function sortedRows(rows: readonly Row[], order: "step" | "timestamp"): Row[] {
  const key = ([step, timestampMs, value]: Row) => {
    const number = Number.isNaN(value) ? 0 : value;
    const isNan = Number.isNaN(value) ? 1 : 0;
    const head = order === "step" ? [BigInt(step), BigInt(timestampMs)] : [BigInt(timestampMs), BigInt(step)];
    return [...head, number, isNan];
  };
  return rows.toSorted((left, right) => {
    const [a, b] = [key(left), key(right)];
    const at = a.findIndex((part, i) => part !== b[i] && !(part === 0 && b[i] === 0));
    return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
  });
}

/** 0 and −0 are equal, so that either may come first. */
function unsignedZeros(points: Points): Points {
  return { ...points, values: points.values.map((value) => value + 0) };
}

const orders = fc.constantFrom("step" as const, "timestamp" as const);

test("merging any sources gives what sorting all of their points gives", () => {
  fc.assert(
    fc.property(fc.array(arbitraryPoints(30, 0), { maxLength: 7 }), orders, (sources, order) => {
      const merged = mergePoints(sources, order);
      expectSamePoints(
        unsignedZeros(merged),
        unsignedZeros(pointsOf(sortedRows(sources.flatMap(rowsOf), order))),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("sorted sources that touch, overlap or lie apart merge in any order of arrival", () => {
  fc.assert(
    fc.property(
      arbitraryPoints(60),
      orders,
      fc.array(fc.nat(60), { maxLength: 5 }),
      fc.infiniteStream(fc.boolean()),
      (points, order, cuts, flips) => {
        const sorted = sortPoints(points, order);
        const ends = [...cuts.map((cut) => Math.min(cut, sorted.count)), sorted.count].toSorted(
          (a, b) => a - b,
        );
        const parts = ends.map((end, i) => slicePoints(sorted, i === 0 ? 0 : ends[i - 1]!, end));
        const late = parts.filter(() => flips.next().value);
        const early = parts.filter((part) => !late.includes(part));
        const sources = [...late, concatPoints(early)];
        const merged = mergePoints(sources, order);
        expectSamePoints(unsignedZeros(merged), unsignedZeros(pointsOf(sortedRows(rowsOf(points), order))));
      },
    ),
    { numRuns: 500 },
  );
});

test("a NaN counts as 0 between a negative and a positive value of the same step and time", () => {
  const sealed = pointsOf([
    [1, 5, -5],
    [1, 5, 5],
    [1, 5, NaN],
  ]);
  const late = pointsOf([
    [0, 9, 1],
    [1, 5, 0],
  ]);
  expect(rowsOf(mergePoints([sealed, late], "step"))).toEqual([
    [0, 9, 1],
    [1, 5, -5],
    [1, 5, 0],
    [1, 5, NaN],
    [1, 5, 5],
  ]);
  expect(rowsOf(mergePoints([sealed, late], "timestamp"))).toEqual([
    [1, 5, -5],
    [1, 5, 0],
    [1, 5, NaN],
    [1, 5, 5],
    [0, 9, 1],
  ]);
});

test("one step beyond 2^53 keeps all steps exact", () => {
  const merged = mergePoints(
    [pointsOf([[2n ** 53n + 1n, 1, 1]]), pointsOf([[7, 1, 1]]), pointsOf([[2n ** 53n, 1, 1]])],
    "step",
  );
  expect([...merged.steps]).toEqual([7n, 2n ** 53n, 2n ** 53n + 1n]);
});

test("no sources give no points", () => {
  expect(mergePoints([], "step").count).toBe(0);
});
