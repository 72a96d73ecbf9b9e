import { expect, test } from "vitest";

import { bitWidth, pack, packedBytes, unpack } from "./bit-packing.ts";

test.each(Array.from({ length: 32 }, (_, i) => i + 1))(
  "numbers of %i bits, at any distance from a byte",
  (width) => {
    const largest = 2 ** width - 1;
    // Neighbours differ in every bit, so that a bit read from the wrong number shows.
    const values = Float64Array.from(
      { length: 67 },
      (_, i) => [largest, 0, Math.floor(largest / 3)][i % 3]! - 5,
    );
    const view = new DataView(new ArrayBuffer(400));
    pack(view, 3, values, 0, values.length, -5, width);
    const expected = values.reduceRight((bits, value) => (bits << BigInt(width)) | BigInt(value + 5), 0n);
    let actual = 0n;
    for (let i = packedBytes(values.length, width) - 1; i >= 0; i--) {
      actual = (actual << 8n) | BigInt(view.getUint8(3 + i));
    }
    expect(actual).toBe(expected);
    const read = new Float64Array(values.length);
    unpack(view, 3, read, 0, values.length, -5, width);
    expect(read).toEqual(values);
  },
);

test("the width of a number is the length of its binary digits", () => {
  for (let exponent = 1; exponent <= 53; exponent++) {
    expect(bitWidth(2 ** exponent - 1)).toBe(exponent);
    expect(bitWidth(2 ** exponent)).toBe(exponent + 1);
  }
  expect(bitWidth(0)).toBe(0);
});
