import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createBodyReader } from "./body.ts";
import type { Body, RequestHeaders } from "./exchange.ts";

const reader = createBodyReader({ requestBodyBytesMax: 1_000_000, bufferedBodyBytesMax: 1_500_000 });
const read = (body: Body, headers: RequestHeaders): Promise<string> | string =>
  reader.read({ body, headers });
const text = JSON.stringify({ key: "größe", values: Array.from({ length: 500 }, (_unused, index) => index) });

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("createBodyReader", () => {
  test.each([
    ["plain", (bytes: Buffer) => bytes, undefined],
    ["gzip", gzipSync, "gzip"],
    ["GZIP", gzipSync, "GZIP"],
    ["zlib deflate", deflateSync, "deflate"],
    ["bare deflate", deflateRawSync, "deflate"],
    ["identity", (bytes: Buffer) => bytes, "identity"],
  ])("reads %s from bytes, from a stream and from a Node stream", async (_name, encode, encoding) => {
    const bytes = encode(Buffer.from(text));
    const headers = encoding === undefined ? {} : { "content-encoding": encoding };
    expect(await read(bytes, headers)).toBe(text);
    expect(await read(chunks(bytes, 7), headers)).toBe(text);
    expect(await read(Readable.from(chunks(bytes, 7)), headers)).toBe(text);
  });

  test.each([
    ["a declared length over the limit", undefined, { "content-length": "1000001" }, "REQUEST_TOO_LARGE"],
    ["bytes over the limit", Buffer.alloc(1_000_001, "x"), {}, "REQUEST_TOO_LARGE"],
    ["a gzip bomb", gzipSync(Buffer.alloc(50_000_000)), { "content-encoding": "gzip" }, "REQUEST_TOO_LARGE"],
    ["damaged gzip", Buffer.from("hello"), { "content-encoding": "gzip" }, "INVALID_PARAMETER_VALUE"],
    ["an unknown encoding", Buffer.from("hello"), { "content-encoding": "br" }, "INVALID_PARAMETER_VALUE"],
    ["what is no UTF-8", Buffer.from([0x22, 0xff, 0x22]), {}, "INVALID_PARAMETER_VALUE"],
  ])("refuses %s", async (_name, body, headers, code) => {
    await expect(async () => read(body ?? chunks(Buffer.from("x"), 1), headers)).rejects.toMatchObject({
      code,
    });
  });

  test("counts what compressed bodies grow to against the budget", async () => {
    const small = createBodyReader({ requestBodyBytesMax: 1_000_000, bufferedBodyBytesMax: 1_500_000 });
    const bytes = gzipSync(Buffer.alloc(900_000, "x"));
    const headers = { "content-encoding": "gzip" };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, async () => await small.read({ body: bytes, headers })),
    );
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    // What was counted is given back.
    expect(await small.read({ body: bytes, headers })).toHaveLength(900_000);
  });

  test("stops pulling a stream as soon as it is over the limit", async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pulled += 100_000;
        yield Buffer.alloc(100_000, "x");
      }
    }
    await expect(async () => read(endless(), {})).rejects.toMatchObject({ code: "REQUEST_TOO_LARGE" });
    expect(pulled).toBeLessThanOrEqual(1_200_000);
  });

  test("bounds all bodies that are being received together, and gives the room back", async () => {
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(900_000, "x");
      await gate.promise;
    }
    const first = read(slow(), {});
    await expect(async () => read(slow(), {})).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    gate.resolve();
    expect((await first).length).toBe(900_000);
    expect((await read(slow(), {})).length).toBe(900_000);
  });
});
