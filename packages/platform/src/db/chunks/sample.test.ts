import { expect, test } from "vitest";

import ntile from "../../../../../fixtures/ntile/cases.json" with { type: "json" };
import { sampleIndices } from "./sample.ts";

test.each(ntile.cases)(
  "$resultsMax of $count points are those that NTILE takes",
  ({ count, resultsMax, sampled }) => {
    expect([...sampleIndices(count, resultsMax)]).toEqual(sampled);
  },
);

// The numbers that MLflow 3.17 answered for a run of 100 points.
test.each([
  { resultsMax: 1, sampled: [99] },
  { resultsMax: 2, sampled: [0, 99] },
  { resultsMax: 3, sampled: [0, 34, 99] },
  { resultsMax: 5, sampled: [0, 20, 40, 60, 99] },
])("$resultsMax of 100 points", ({ resultsMax, sampled }) => {
  expect([...sampleIndices(100, resultsMax)]).toEqual(sampled);
});

test("no points give none, and less than one result counts as one", () => {
  expect([...sampleIndices(0, 5)]).toEqual([]);
  expect([...sampleIndices(7, 0)]).toEqual([6]);
  expect([...sampleIndices(7, -3)]).toEqual([6]);
});
