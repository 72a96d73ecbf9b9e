import fc from "fast-check";
import { expect, test } from "vitest";
import { type ErrorCode, limits } from "@millrace/contract";
import { MillraceError } from "../error.ts";
import type { Fields } from "../nouns/request.ts";
import { createBatcher } from "./batcher.ts";
import { batchLength, type Entry } from "./queue.ts";

const point = (key: string, value: number) => ({ key, value, timestamp: 1, step: 0 });
const failure = (status: number, code: ErrorCode = "BAD_REQUEST") =>
  new MillraceError(code, `status ${status}`, { status, endpoint: "logBatch", attempts: 1 });

/** Accepts batches when `open` lets it. */
function gated() {
  const batches: Fields<"logBatch">[] = [];
  const gates: (() => void)[] = [];
  const runs = {
    logBatch: (request: Fields<"logBatch">) => {
      batches.push(request);
      return new Promise<void>((resolve) => gates.push(resolve));
    },
  };
  const open = async (): Promise<void> => {
    gates.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { runs, batches, open };
}

const keysOf = (request: Fields<"logBatch">): (string | undefined)[] => [
  ...(request.params ?? []).map(({ key }) => key),
  ...(request.metrics ?? []).map(({ key }) => key),
];

test("any entries make batches within the limits, complete and in order, and no parameter twice in one", async () => {
  const entry = fc.oneof(
    { weight: 20, arbitrary: fc.constant<Entry>({ kind: "metric", metric: point("m", 1) }) },
    fc.integer({ min: 0, max: 150 }).map((n): Entry => ({ kind: "param", param: { key: `p${n}` } })),
    fc.constant<Entry>({ kind: "tag", tag: { key: "t" } }),
  );
  const length = fc.array(entry, { minLength: 1, maxLength: 3_000, size: "max" });
  fc.assert(
    fc.property(length, (entries) => {
      for (let rest: readonly Entry[] = entries; rest.length > 0;) {
        const taken = batchLength(rest);
        const batch = rest.slice(0, taken);
        const count = (kind: Entry["kind"]): number => batch.filter((one) => one.kind === kind).length;
        expect(taken).toBeGreaterThan(0);
        expect(taken).toBeLessThanOrEqual(limits.entitiesPerBatchMax);
        expect(count("param")).toBeLessThanOrEqual(limits.paramsPerBatchMax);
        expect(count("tag")).toBeLessThanOrEqual(limits.tagsPerBatchMax);
        const keys = batch.flatMap((one) => (one.kind === "param" ? [one.param.key] : []));
        expect(new Set(keys).size).toBe(keys.length);
        rest = rest.slice(taken);
      }
    }),
    { numRuns: 50 },
  );
});

test("entries are grouped by run, and one run's batches follow each other", async () => {
  const { runs, batches, open } = gated();
  const batcher = createBatcher(runs);
  for (let n = 0; n < 1_500; n++) {
    await batcher.add("a", { metrics: [point(`a${n}`, n)] });
    if (n % 100 === 0) await batcher.add("b", { metrics: [point(`b${n}`, n)] });
  }
  const flushed = batcher.flush();
  expect(batches.map(({ runId }) => runId)).toEqual(["a", "b"]);
  expect(batches[0]!.metrics!.length).toBe(1_000);
  await open();
  await open();
  await open();
  await flushed;
  const all = batches.filter(({ runId }) => runId === "a").flatMap(keysOf);
  expect(all).toEqual(Array.from({ length: 1_500 }, (_, n) => `a${n}`));
  expect(batches.length).toBe(3);
});

test("what is pending goes out by itself after the interval", async () => {
  const { runs, batches, open } = gated();
  const batcher = createBatcher(runs, { flushIntervalMs: 1 });
  await batcher.add("a", { metrics: [point("m", 1)] });
  expect(batches).toEqual([]);
  while (batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await open();
  expect(batcher.pending).toBe(0);
});

test("when it is full, add waits; a caller that does not wait is refused in the end", async () => {
  const { runs, open } = gated();
  const batcher = createBatcher(runs, { pendingMax: 10 });
  const ten = { metrics: Array.from({ length: 10 }, (_, n) => point(`m${n}`, n)) };
  await batcher.add("a", ten);
  let admitted = false;
  const second = batcher.add("a", ten).then(() => {
    admitted = true;
  });
  await expect(batcher.add("a", ten)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect([admitted, batcher.pending]).toEqual([false, 20]);
  await open();
  await second;
  const closed = batcher.close();
  await open();
  await closed;
  await expect(batcher.add("a", ten)).rejects.toMatchObject({ code: "INVALID_STATE" });
});

test("dropping is a choice, and tells what is dropped", async () => {
  const { runs, open } = gated();
  const dropped: unknown[] = [];
  const drop = (runId: string, entries: readonly Entry[]): void => void dropped.push([runId, entries.length]);
  const batcher = createBatcher(runs, { pendingMax: 1, whenFull: { drop } });
  await batcher.add("a", { metrics: [point("m", 1)] });
  await batcher.add("a", { metrics: [point("n", 1), point("o", 1)] });
  expect(dropped).toEqual([["a", 2]]);
  const closed = batcher.close();
  await open();
  await closed;
});

test("refused entries are found among the good ones, at a bounded price", async () => {
  const bad = new Set(["m17", "m900"]);
  const stored: (string | undefined)[] = [];
  let requests = 0;
  const runs = {
    logBatch: async (request: Fields<"logBatch">) => {
      requests++;
      if (keysOf(request).some((key) => bad.has(key!))) throw failure(400);
      stored.push(...keysOf(request));
    },
  };
  const lost: string[] = [];
  const batcher = createBatcher(runs, {
    onLost: ({ entries }) =>
      lost.push(...entries.map((entry) => (entry.kind === "metric" ? entry.metric.key : ""))),
  });
  await batcher.add("a", { metrics: Array.from({ length: 1_000 }, (_, n) => point(`m${n}`, n)) });
  await batcher.flush();
  expect(stored.length + lost.length).toBe(1_000);
  expect(lost).toEqual(expect.arrayContaining([...bad]));
  expect(requests).toBeLessThan(80);
});

test("an outage loses nothing and keeps the order; past the patience the loss is told", async () => {
  const stored: (string | undefined)[] = [];
  let failures = 1;
  const runs = {
    logBatch: async (request: Fields<"logBatch">) => {
      if (failures-- > 0) throw failure(503);
      stored.push(...keysOf(request));
    },
  };
  const batcher = createBatcher(runs);
  await batcher.add("a", { params: [{ key: "p", value: "1" }], metrics: [point("m", 1)] });
  await batcher.flush();
  expect(stored).toEqual(["p", "m"]);

  failures = Number.POSITIVE_INFINITY;
  const impatient = createBatcher(runs, { giveUpAfterMs: 0 });
  await impatient.add("a", { metrics: [point("m", 1)] });
  await expect(impatient.close()).rejects.toMatchObject({ details: { lost: [{ runId: "a" }] } });
});
