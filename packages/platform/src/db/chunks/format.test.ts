import { expect, test } from "vitest";

import version1 from "../../../../../fixtures/chunks/version-1.json" with { type: "json" };
import { decodeChunk, encodeChunk } from "./codec.ts";
import { narrowSteps } from "./points.ts";
import { expectSamePoints, pointsOf } from "./testing.ts";

test.each(version1.cases)("reads what a second implementation wrote: $note", (fixture) => {
  const bits = Buffer.from(
    fixture.valuesHex.map((hex) => (hex === "nan" ? "7ff8000000000000" : hex)).join(""),
    "hex",
  );
  expectSamePoints(decodeChunk(Buffer.from(fixture.hex, "hex")), {
    count: fixture.steps.length,
    steps: narrowSteps(BigInt64Array.from(fixture.steps, BigInt)),
    timestampsMs: Float64Array.from(fixture.timestampsMs),
    values: Float64Array.from(fixture.valuesHex, (_, i) => bits.readDoubleBE(i * 8)),
  });
});

// The bounds follow from the number of bits that the data itself has, plus a tenth for bases and widths.
test.each([
  { note: "a constant", value: () => Math.PI, bitsPerPoint: 0 },
  // The one block of 128 with the change holds both in full: 128 × 64 bits.
  {
    note: "a constant that changes once",
    value: (i: number) => (i < 500 ? Math.PI : Math.E),
    bitsPerPoint: 8.2,
  },
  { note: "a counter", value: (i: number) => 3 * i, bitsPerPoint: 0 },
  { note: "whole numbers below 1,024", value: (_: number, noise: number) => noise % 1_024, bitsPerPoint: 10 },
  { note: "4 decimals", value: (_: number, noise: number) => (noise % 10_000) / 10_000, bitsPerPoint: 14 },
  { note: "mostly NaN", value: (i: number) => (i % 2 === 0 ? NaN : 0.25), bitsPerPoint: 1 },
])("$note takes about $bitsPerPoint bits a point", ({ value, bitsPerPoint }) => {
  let noise = 1;
  const points = pointsOf(
    Array.from({ length: 1_000 }, (_, i) => {
      noise = (noise * 48_271) % 2_147_483_647;
      return [i, 1_760_000_000_000 + 1_000 * i, value(i, noise)];
    }),
  );
  const { data } = encodeChunk(points);
  expect(data.length).toBeLessThan(125 * bitsPerPoint * 1.1 + 60);
});
