import { crc32 } from "node:zlib";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { PlatformError } from "@millrace/contract";

import { chunkPointsMax, decodeChunk, encodeChunk } from "./codec.ts";
import { arbitraryPoints, pointsOf } from "./testing.ts";

function expectDataLoss(data: Uint8Array): void {
  expect(() => decodeChunk(data)).toThrow(expect.objectContaining({ code: "DATA_LOSS" }));
}

test("every single flipped bit and every truncation is noticed", () => {
  const { data } = encodeChunk(
    pointsOf([0.5, NaN, 1 / 3, -2].map((value, i) => [i * i, 1_000 + i ** 3, value])),
  );
  for (let bit = 0; bit < data.length * 8; bit++) {
    const flipped = data.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expectDataLoss(flipped);
  }
  for (let length = 0; length < data.length; length++) expectDataLoss(data.subarray(0, length));
  expectDataLoss(Uint8Array.of(...data, 0));
});

test("other bytes are not a chunk", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (data) => expectDataLoss(data)));
  expectDataLoss(new Uint8Array(10_000_000).fill(1));
});

/** The payload behind a correct head, so that the checks after the checksum are reached. */
function forge(payload: Uint8Array): Uint8Array {
  const data = new Uint8Array(5 + payload.length);
  data[0] = 1;
  new DataView(data.buffer).setUint32(1, crc32(payload), true);
  data.set(payload, 5);
  return data;
}

function expectPointsOrDataLoss(data: Uint8Array): void {
  try {
    const { count, steps, timestampsMs, values } = decodeChunk(data);
    expect(count).toBeLessThanOrEqual(chunkPointsMax);
    expect([steps.length, timestampsMs.length, values.length]).toEqual([count, count, count]);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    expect(error.code).toBe("DATA_LOSS");
  }
}

test("damage behind a matching checksum gives an error or bounded points, nothing else", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(arbitraryPoints(200), edits, fc.option(fc.nat()), (points, changes, cut) => {
      const payload = encodeChunk(points).data.slice(5);
      for (const [at, byte] of changes) payload[at % payload.length] = byte;
      expectPointsOrDataLoss(forge(cut === null ? payload : payload.subarray(0, cut % payload.length)));
    }),
    { numRuns: 3_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (payload) =>
      expectPointsOrDataLoss(forge(payload)),
    ),
    { numRuns: 3_000 },
  );
});

test.each([
  { note: "no points", payload: [0], says: "claims 0 points" },
  { note: "4,097 points", payload: [0x81, 0x40], says: "claims 4097 points" },
  {
    note: "a count without end",
    payload: Array.from({ length: 20 }, () => 0xff),
    says: "an integer is too long",
  },
  { note: "an unknown kind of column", payload: [1, 3], says: "unknown kind 3" },
  { note: "a block wider than a double is exact", payload: [1, 0, 0, 54], says: "54 bits wide" },
])("$note", ({ payload, says }) => {
  expect(() => decodeChunk(forge(Uint8Array.from(payload)))).toThrow(says);
});
