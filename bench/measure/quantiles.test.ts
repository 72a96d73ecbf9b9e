import { expect, test } from "vitest";
import { median, quantile, Samples } from "./quantiles.ts";

// The worked example of the nearest-rank method on Wikipedia, "Percentile".
test.each([
  [0.05, 15],
  [0.3, 20],
  [0.4, 20],
  [0.5, 35],
  [1, 50],
])("quantile %d of the published example is %d", (q, expected) => {
  expect(quantile([15, 20, 35, 40, 50], q)).toBe(expected);
});

test("an even count has its median between the two middle values", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([])).toBeNaN();
});

test("samples keep growing past their first buffer and merge", () => {
  const left = new Samples();
  for (let i = 10_000; i > 5_000; i--) left.add(i);
  expect(left.max).toBe(10_000);
  left.add(20_000);
  expect(left.max).toBe(20_000);
  const merged = Samples.merge([left, Samples.of(Array.from({ length: 5_000 }, (_, i) => i + 1))]);
  expect(merged.count).toBe(10_001);
  expect(merged.p50).toBe(5_001);
  expect(merged.p99).toBe(9_901);
});
