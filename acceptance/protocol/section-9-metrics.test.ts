import { describe, expect, it } from "vitest";
import { call, expectError, ok } from "./call.ts";
import { createExperiment, createRun, getRun, history, logBatch, searchRunNames } from "./entities.ts";

const metric = (key: string, value: number | string, timestamp: number, step: number) => ({
  key,
  value,
  timestamp,
  step,
});

/** Runs named after their metric `m`, and one run without it. */
async function experimentOf(values: Record<string, number | string | undefined>): Promise<string> {
  const experiment = await createExperiment();
  for (const [name, value] of Object.entries(values)) {
    const run = await createRun(experiment, { run_name: name, start_time: 1 });
    if (value !== undefined) await logBatch(run.run_id, { metrics: [metric("m", value, 1, 0)] });
  }
  return experiment;
}

describe("§9 metrics, parameters and tags", () => {
  it("4. the latest metric is the greatest (step, timestamp, value); a NaN counts as 0 in ties", async () => {
    const run = await createRun();
    const points: Record<string, [number | string, number, number][]> = {
      step_wins: [
        [1, 100, 5],
        [2, 900, 1],
      ],
      timestamp_next: [
        [1, 200, 1],
        [2, 100, 1],
      ],
      value_last: [
        [3, 100, 1],
        [9, 100, 1],
        [5, 100, 1],
      ],
      nan_loses_to_5: [
        [5, 1, 1],
        ["NaN", 1, 1],
      ],
      nan_beats_minus_5: [
        [-5, 1, 1],
        ["NaN", 1, 1],
      ],
    };
    const metrics = Object.entries(points).flatMap(([key, rows]) =>
      rows.map(([v, t, s]) => metric(key, v, t, s)),
    );
    for (const one of metrics) await ok("POST", "runs/log-metric", { run_id: run.run_id, ...one });
    const latest = Object.fromEntries(
      (await getRun(run.run_id)).data.metrics?.map((m) => [m.key, m.value]) ?? [],
    );
    expect(latest).toEqual({
      step_wins: 1,
      timestamp_next: 1,
      value_last: 9,
      nan_loses_to_5: 5,
      nan_beats_minus_5: "NaN",
    });
  });

  it("4. a latest NaN matches only != in a filter", async () => {
    const experiment = await experimentOf({ nan: "NaN", one: 1 });
    const matching = (comparison: string) =>
      searchRunNames(experiment, { filter: `metrics.m ${comparison}` });
    expect(await matching("> -1")).toEqual(["one"]);
    expect(await matching("= 0")).toEqual([]);
    expect(await matching("<= 0")).toEqual([]);
    expect((await matching("!= 5")).sort()).toEqual(["nan", "one"]);
  });

  it("5. ordering by a metric puts NaN after the numbers and missing last, both ways", async () => {
    const experiment = await experimentOf({ none: undefined, nan: "NaN", high: 2, low: -3 });
    expect(await searchRunNames(experiment, { order_by: ["metrics.m ASC"] })).toEqual([
      "low",
      "high",
      "nan",
      "none",
    ]);
    expect(await searchRunNames(experiment, { order_by: ["metrics.m DESC"] })).toEqual([
      "high",
      "low",
      "nan",
      "none",
    ]);
  });

  it("6. != does not match runs that lack the key; IS NULL does", async () => {
    const experiment = await createExperiment();
    for (const [name, params] of [
      ["a", [{ key: "p", value: "x" }]],
      ["b", [{ key: "p", value: "y" }]],
      ["c", []],
    ] as const) {
      const run = await createRun(experiment, { run_name: name, start_time: 1 });
      await logBatch(run.run_id, { params, tags: params });
    }
    for (const entity of ["params", "tags"]) {
      expect(await searchRunNames(experiment, { filter: `${entity}.p != 'x'` })).toEqual(["b"]);
      expect(await searchRunNames(experiment, { filter: `${entity}.p IS NULL` })).toEqual(["c"]);
      expect((await searchRunNames(experiment, { filter: `${entity}.p IS NOT NULL` })).sort()).toEqual([
        "a",
        "b",
      ]);
    }
  });

  it("7. an identical metric is a 200 and no second row, an identical NaN too", async () => {
    const run = await createRun();
    const batch = { metrics: [metric("m", 0.5, 10, 1), metric("m", "NaN", 10, 1), metric("m", 0.5, 10, 1)] };
    await logBatch(run.run_id, batch);
    await logBatch(run.run_id, batch);
    await ok("POST", "runs/log-metric", { run_id: run.run_id, ...metric("m", "NaN", 10, 1) });
    expect(await history(run.run_id, "m")).toEqual([
      ["NaN", 10, 1],
      [0.5, 10, 1],
    ]);
  });

  it("8. a parameter is written once; long values of params and run tags are cut, others refused", async () => {
    const run = await createRun();
    const param = { run_id: run.run_id, key: "p", value: "old" };
    await ok("POST", "runs/log-parameter", param);
    await ok("POST", "runs/log-parameter", param);
    const changed = await call("POST", "runs/log-parameter", { ...param, value: "new" });
    expectError(changed, 400, "INVALID_PARAMETER_VALUE", "'old'");
    expectError(changed, 400, "INVALID_PARAMETER_VALUE", "'new'");

    await logBatch(run.run_id, {
      params: [{ key: "long", value: "x".repeat(6001) }],
      tags: [{ key: "long", value: "y".repeat(8001) }],
    });
    const { data } = await getRun(run.run_id);
    expect(data.params?.find(({ key }) => key === "long")?.value).toBe("x".repeat(6000));
    expect(data.tags?.find(({ key }) => key === "long")?.value).toBe("y".repeat(8000));

    const tag = { experiment_id: run.experiment_id, key: "long", value: "z".repeat(20_001) };
    const refused = await call("POST", "experiments/set-experiment-tag", tag);
    expectError(refused, 400, "INVALID_PARAMETER_VALUE", "exceeds the maximum length of 20000 characters");
    const model = { name: `long-${run.run_id}`, tags: [{ key: "long", value: "z".repeat(100_001) }] };
    const refusedModel = await call("POST", "registered-models/create", model);
    expectError(
      refusedModel,
      400,
      "INVALID_PARAMETER_VALUE",
      "exceeds the maximum length of 100000 characters",
    );
  });

  it("9. one batch may not hold a param key twice; of two equal tag keys the last wins", async () => {
    const run = await createRun();
    const params = [
      { key: "p", value: "1" },
      { key: "p", value: "1" },
    ];
    const answer = await call("POST", "runs/log-batch", { run_id: run.run_id, params });
    expectError(
      answer,
      400,
      "INVALID_PARAMETER_VALUE",
      "Duplicate parameter keys have been submitted: ['p']",
    );
    await logBatch(run.run_id, {
      tags: [
        { key: "t", value: "1" },
        { key: "t", value: "2" },
      ],
    });
    expect((await getRun(run.run_id)).data.tags).toContainEqual({ key: "t", value: "2" });
  });

  it("13. run_uuid stands for run_id everywhere, and the answer holds both", async () => {
    const run = await createRun();
    const run_uuid = run.run_id;
    expect(run.run_uuid).toBe(run.run_id);
    expect(run).toMatchObject({ status: "RUNNING", lifecycle_stage: "active" });
    await ok("POST", "runs/log-metric", { run_uuid, key: "m", value: 1, timestamp: 1 });
    await ok("POST", "runs/log-parameter", { run_uuid, key: "p", value: "1" });
    await ok("POST", "runs/set-tag", { run_uuid, key: "t", value: "1" });
    await ok("POST", "runs/update", { run_uuid, status: "FINISHED", end_time: 5 });
    expect(await ok("GET", "metrics/get-history", { run_uuid, metric_key: "m" })).toHaveProperty("metrics");
    expect(await ok("GET", "artifacts/list", { run_uuid })).toHaveProperty("root_uri");
    const { run: found } = await ok<{ run: object }>("GET", "runs/get", { run_uuid });
    expect(found).toMatchObject({
      info: { run_id: run_uuid, run_uuid, status: "FINISHED", end_time: 5 },
      data: { params: [{ key: "p", value: "1" }] },
    });
  });

  it("14. experiments/search needs max_results; runs/search caps it; get-history goes without", async () => {
    expectError(await call("POST", "experiments/search", {}), 400, "INVALID_PARAMETER_VALUE", "max_results");
    const run = await createRun();
    const search = { experiment_ids: [run.experiment_id] };
    expect(await ok("POST", "runs/search", { ...search, max_results: 50_000 })).toHaveProperty("runs");
    const over = await call("POST", "runs/search", { ...search, max_results: 50_001 });
    expectError(over, 400, "INVALID_PARAMETER_VALUE", "max_results");
    const metrics = Array.from({ length: 900 }, (_, step) => metric("m", step, step, step));
    await logBatch(run.run_id, { metrics });
    await logBatch(run.run_id, {
      metrics: metrics.map((m) => ({ ...m, step: m.step + 900, timestamp: m.timestamp + 900 })),
    });
    expect(await history(run.run_id, "m")).toHaveLength(1800);
  });

  it("14. runs/search gives 1000 runs and a token when not told", async () => {
    const experiment = await createExperiment();
    // MLflow's pool has 15 connections and refuses what comes beyond.
    for (let made = 0; made < 1001; made += 7) {
      await Promise.all(Array.from({ length: 7 }, () => createRun(experiment)));
    }
    const search = { experiment_ids: [experiment] };
    const first = await ok<{ runs: object[]; next_page_token: string }>("POST", "runs/search", search);
    expect(first.runs).toHaveLength(1000);
    const rest = await ok<{ runs: object[] }>("POST", "runs/search", {
      ...search,
      page_token: first.next_page_token,
    });
    expect(rest.runs).toHaveLength(1);
    expect(rest).not.toHaveProperty("next_page_token");
  });

  it("16. the tag mlflow.runName and the run's name follow each other; a mismatch at create is refused", async () => {
    const run = await createRun(undefined, { run_name: "first" });
    const nameAndTag = async () => {
      const { info, data } = await getRun(run.run_id);
      return [info.run_name, data.tags?.find(({ key }) => key === "mlflow.runName")?.value];
    };
    expect(await nameAndTag()).toEqual(["first", "first"]);
    await ok("POST", "runs/set-tag", { run_id: run.run_id, key: "mlflow.runName", value: "second" });
    expect(await nameAndTag()).toEqual(["second", "second"]);
    await ok("POST", "runs/update", { run_id: run.run_id, run_name: "third" });
    expect(await nameAndTag()).toEqual(["third", "third"]);
    await logBatch(run.run_id, { tags: [{ key: "mlflow.runName", value: "fourth" }] });
    expect(await nameAndTag()).toEqual(["fourth", "fourth"]);
    const tags = [{ key: "mlflow.runName", value: "b" }];
    const body = { experiment_id: run.experiment_id, run_name: "a", tags };
    expectError(await call("POST", "runs/create", body), 400, "INVALID_PARAMETER_VALUE", "mlflow.runName");
  });

  it("17. keys are checked like paths; Unicode word characters and colons are fine", async () => {
    const run = await createRun();
    for (const key of ["a//b", "../a", "/a", "a/", "a/../b", ".", "..a", "a?b", "a%b", "a\u0000b"]) {
      const answer = await call("POST", "runs/log-parameter", { run_id: run.run_id, key, value: "1" });
      expect({ key, status: answer.status }).toEqual({ key, status: 400 });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "for parameter 'key' supplied");
    }
    const good = ["a/b", "é", "学习率", "a:b", "a b", "a.b-c_d", "a..b", "١"];
    for (const key of good) await ok("POST", "runs/log-parameter", { run_id: run.run_id, key, value: "1" });
    const kept = (await getRun(run.run_id)).data.params?.map(({ key }) => key) ?? [];
    expect(kept.sort()).toEqual([...good].sort());
  });
});
