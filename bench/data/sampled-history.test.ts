import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { sampledPositions } from "./sampled-history.ts";

// Seen on MLflow 3.17 for 100 points numbered 0 to 99.
test.each([
  [1, [99]],
  [2, [0, 99]],
  [3, [0, 34, 99]],
  [5, [0, 20, 40, 60, 99]],
])("%d buckets of 100 points", (buckets, positions) => {
  expect(sampledPositions(100, buckets)).toEqual(positions);
});

test.each([
  [10_000, 320],
  [7, 3],
  [3, 10],
  [320, 320],
])("%d points in %d buckets agree with SQL's NTILE", (count, buckets) => {
  const database = new DatabaseSync(":memory:");
  const rows = database
    .prepare(
      `WITH RECURSIVE point(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM point WHERE n + 1 < ?),
            tiled AS (SELECT n, NTILE(?) OVER (ORDER BY n) AS tile FROM point)
       SELECT MIN(n) AS n FROM tiled GROUP BY tile ORDER BY n`,
    )
    .all(count, buckets);
  const expected = rows.map((row) => Number(row["n"]));
  expected[expected.length - 1] = count - 1;
  expect(sampledPositions(count, buckets)).toEqual(expected);
});
