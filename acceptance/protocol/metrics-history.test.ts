import { describe, expect, it } from "vitest";
import { ajax, call, expectError, ok } from "./call.ts";
import { type Metric, createExperiment, createRun, history, logBatch } from "./entities.ts";

const interval = "metrics/get-history-bulk-interval";
const bulk = `${ajax}metrics/get-history-bulk`;

/** A run whose metric `m` has the given [value, timestamp, step] points. */
async function runWith(points: readonly (readonly [number | string, number, number])[], experiment?: string) {
  const { run_id } = await createRun(experiment);
  const metrics = points.map(([value, timestamp, step]) => ({ key: "m", value, timestamp, step }));
  for (let i = 0; i < metrics.length; i += 1000)
    await logBatch(run_id, { metrics: metrics.slice(i, i + 1000) });
  return run_id;
}

describe("metrics/get-history", () => {
  it("is ordered by timestamp, step, value, with NaN as 0", async () => {
    const run = await runWith([
      [1, 30, 0],
      [9, 10, 5],
      [3, 10, 2],
      [-4, 10, 2],
      ["NaN", 10, 2],
    ]);
    expect(await history(run, "m")).toEqual([
      [-4, 10, 2],
      ["NaN", 10, 2],
      [3, 10, 2],
      [9, 10, 5],
      [1, 30, 0],
    ]);
  });

  it("pages", async () => {
    const points = Array.from({ length: 5 }, (_, i) => [i, i, i] as const);
    const run_id = await runWith(points);
    const seen: number[] = [];
    let page_token: string | undefined;
    do {
      type Page = { metrics?: Metric[]; next_page_token?: string };
      const query = { run_id, metric_key: "m", max_results: 2, page_token };
      const page = await ok<Page>("GET", "metrics/get-history", query);
      seen.push(...(page.metrics ?? []).map(({ step }) => step));
      page_token = page.next_page_token;
    } while (page_token !== undefined);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it("answers {} for an unknown key and an unknown run", async () => {
    const { run_id } = await createRun();
    expect(await ok("GET", "metrics/get-history", { run_id, metric_key: "none" })).toEqual({});
    expect(await ok("GET", "metrics/get-history", { run_id: "unknown", metric_key: "m" })).toEqual({});
  });

  it("still gives the history of a deleted run", async () => {
    const run_id = await runWith([[1, 2, 3]]);
    await ok("POST", "runs/delete", { run_id });
    expect(await history(run_id, "m")).toEqual([[1, 2, 3]]);
  });

  it.each([
    ["no run", { metric_key: "m" }, "Missing value for required parameter 'run_id'"],
    ["no key", { run_id: "r" }, "Missing value for required parameter 'metric_key'"],
    ["max_results of 0", { run_id: "r", metric_key: "m", max_results: 0 }, "max_results"],
    ["max_results of -1", { run_id: "r", metric_key: "m", max_results: -1 }, "max_results"],
    [
      "a page token that is none",
      { run_id: "r", metric_key: "m", max_results: 2, page_token: "xx" },
      "page token",
    ],
  ])("refuses %s", async (_, query, message) => {
    expectError(await call("GET", "metrics/get-history", query), 400, "INVALID_PARAMETER_VALUE", message);
  });
});

describe("metrics/get-history-bulk-interval", () => {
  const sampled = async (query: Record<string, string | number | string[]>) => {
    const { metrics = [] } = await ok<{ metrics?: (Metric & { run_id: string })[] }>("GET", interval, {
      metric_key: "m",
      ...query,
    });
    return metrics;
  };

  it.each([
    [1, [99]],
    [2, [0, 99]],
    [3, [0, 34, 99]],
    [5, [0, 20, 40, 60, 99]],
  ])(
    "takes of 100 points at most %i: the first of each bucket, and the last",
    async (max_results, expected) => {
      const run_id = await runWith(Array.from({ length: 100 }, (_, i) => [i, i, i] as const));
      expect((await sampled({ run_ids: run_id, max_results })).map(({ step }) => step)).toEqual(expected);
    },
  );

  it("samples rows, not steps, each run by itself, in the order of the request", async () => {
    const experiment = await createExperiment();
    // Two points at each step: 8 rows in 3 buckets of 3, 3 and 2.
    const twice = [0, 1, 2, 3].flatMap((step) => [
      [step, 10, step] as const,
      [step + 0.5, 10, step] as const,
    ]);
    const first = await runWith(twice, experiment);
    const second = await runWith([[7, 1, -2]], experiment);
    const rows = await sampled({ run_ids: [second, first], max_results: 3 });
    expect(rows.map(({ run_id, step, value }) => [run_id, step, value])).toEqual([
      [second, -2, 7],
      [first, 0, 0],
      [first, 1, 1.5],
      [first, 3, 3.5],
    ]);
  });

  it("narrows to a range of steps", async () => {
    const run_ids = await runWith([-2, -1, 0, 1, 2].map((step) => [step, 1, step] as const));
    expect((await sampled({ run_ids })).map(({ step }) => step)).toEqual([-2, -1, 0, 1, 2]);
    const narrowed = await sampled({ run_ids, start_step: -1, end_step: 1 });
    expect(narrowed.map(({ step }) => step)).toEqual([-1, 0, 1]);
    const one = await sampled({ run_ids, start_step: 1, end_step: 1 });
    expect(one).toEqual([{ key: "m", value: 1, timestamp: 1, step: 1, run_id: run_ids }]);
  });

  it.each([
    ["no run", { metric_key: "m" }],
    ["no key", { run_ids: "r" }],
    ["max_results of 0", { run_ids: "r", metric_key: "m", max_results: 0 }],
    ["max_results of 2501", { run_ids: "r", metric_key: "m", max_results: 2501 }],
    ["a start without end", { run_ids: "r", metric_key: "m", start_step: 1 }],
    ["an end before the start", { run_ids: "r", metric_key: "m", start_step: 2, end_step: 1 }],
    ["101 runs", { run_ids: Array.from({ length: 101 }, (_, i) => `r${i}`), metric_key: "m" }],
  ])("refuses %s", async (_, query) => {
    expectError(await call("GET", interval, query), 400, "INVALID_PARAMETER_VALUE");
  });
});

describe("metrics/get-history-bulk", () => {
  it("gives the rows of several runs by run, timestamp, step and value", async () => {
    const experiment = await createExperiment();
    const runs = [
      await runWith(
        [
          [1, 2, 0],
          [5, 1, 9],
        ],
        experiment,
      ),
      await runWith([[3, 3, 3]], experiment),
    ];
    const [low = "", high = ""] = [...runs].sort();
    const answer = await ok<{ metrics: (Metric & { run_id: string })[] }>("GET", bulk, {
      run_id: runs,
      metric_key: "m",
    });
    const expected = [low, high].flatMap((run) =>
      run === runs[0]
        ? [
            [run, 1, 9, 5],
            [run, 2, 0, 1],
          ]
        : [[run, 3, 3, 3]],
    );
    const rows = answer.metrics.map(({ run_id, timestamp, step, value }) => [run_id, timestamp, step, value]);
    expect(rows).toEqual(expected);
    const limited = await ok<{ metrics: object[] }>("GET", bulk, {
      run_id: runs,
      metric_key: "m",
      max_results: 2,
    });
    expect(limited.metrics).toEqual(answer.metrics.slice(0, 2));
    expect(await ok("GET", bulk, { run_id: runs, metric_key: "m", max_results: 0 })).toEqual({ metrics: [] });
    expect(await ok("GET", bulk, { run_id: runs, metric_key: "m", max_results: 99_999 })).toEqual(answer);
    expect(await ok("GET", bulk, { run_id: runs, metric_key: "none" })).toEqual({ metrics: [] });
  });

  it("refuses no run, no key and 101 runs, and exists below /ajax-api only", async () => {
    expectError(await call("GET", bulk, { metric_key: "m" }), 400, "INVALID_PARAMETER_VALUE", "run_id");
    expectError(await call("GET", bulk, { run_id: "r" }), 400, "INVALID_PARAMETER_VALUE", "metric_key");
    const run_id = Array.from({ length: 101 }, (_, i) => `r${i}`);
    expectError(await call("GET", bulk, { run_id, metric_key: "m" }), 400, "INVALID_PARAMETER_VALUE", "100");
    const twin = await call("GET", "metrics/get-history-bulk", { run_id: "r", metric_key: "m" });
    expect(twin.status).toBe(404);
    expect(twin.body).toBeUndefined();
  });
});
