import * as fc from "fast-check";
import { expect, test } from "vitest";

import { chunkPointsMax, decodeChunk, encodeChunk } from "./codec.ts";
import type { Points } from "./points.ts";
import { arbitraryPoints, expectSamePoints, pointsOf } from "./testing.ts";

test("any points come back bit for bit", () => {
  fc.assert(
    fc.property(arbitraryPoints(300), (points) => {
      expectSamePoints(decodeChunk(encodeChunk(points).data), points);
    }),
    { numRuns: 1_000 },
  );
});

const doubles = [
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  1.7976931348623157e308,
  -1.7976931348623157e308,
  5e-324,
  0.1,
  -1e-7,
];

test.each(doubles)("the value %d survives alone and among others", (value) => {
  const alone = pointsOf([[0, 0, value]]);
  expectSamePoints(decodeChunk(encodeChunk(alone).data), alone);
  const among = pointsOf([0.25, value, 1e300, value, NaN, value, -3].map((each, step) => [step, step, each]));
  expectSamePoints(decodeChunk(encodeChunk(among).data), among);
});

test("steps at both ends of int64 and timestamps up to 2^53 − 1 are exact", () => {
  const points: Points = {
    count: 4,
    steps: BigInt64Array.of(-(2n ** 63n), -(2n ** 53n) - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n),
    timestampsMs: Float64Array.of(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, 1),
    values: Float64Array.of(1, 2, 3, 4),
  };
  expectSamePoints(decodeChunk(encodeChunk(points).data), points);
  const safe = pointsOf([
    [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1],
    [Number.MAX_SAFE_INTEGER, 0, 2],
  ]);
  expectSamePoints(decodeChunk(encodeChunk(safe).data), safe);
});

test("a chunk can lie anywhere in a larger buffer", () => {
  const points = pointsOf([
    [1, 10, 0.5],
    [2, 20, 0.25],
  ]);
  const { data } = encodeChunk(points);
  for (let offset = 0; offset < 9; offset++) {
    const larger = new Uint8Array(data.length + 20).fill(0xff);
    larger.set(data, offset);
    expectSamePoints(decodeChunk(larger.subarray(offset, offset + data.length)), points);
  }
});

test.each([1, 2, 3, 127, 128, 129, 130, chunkPointsMax])("%i points with nothing in common", (count) => {
  let state = 1;
  const noise = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const points: Points = {
    count,
    steps: Float64Array.from({ length: count }, () => Math.floor((noise() - 0.5) * 2 ** 50)),
    timestampsMs: Float64Array.from({ length: count }, () => Math.floor(noise() * 2 ** 50)),
    values: Float64Array.from({ length: count }, () => (noise() - 0.5) * 10 ** ((noise() - 0.5) * 600)),
  };
  expectSamePoints(decodeChunk(encodeChunk(points).data), points);
});

test("no points and too many are refused", () => {
  const tooMany: Points = {
    count: chunkPointsMax + 1,
    steps: new Float64Array(chunkPointsMax + 1),
    timestampsMs: new Float64Array(chunkPointsMax + 1),
    values: new Float64Array(chunkPointsMax + 1),
  };
  expect(() => encodeChunk(pointsOf([]))).toThrow("1 to 4096 points, not 0");
  expect(() => encodeChunk(tooMany)).toThrow("not 4097");
});
