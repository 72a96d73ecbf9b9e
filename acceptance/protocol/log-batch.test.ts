import { describe, expect, it } from "vitest";
import { call, expectError, ok } from "./call.ts";
import { createRun, getRun, history, logBatch } from "./entities.ts";

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

describe("runs/log-batch", () => {
  it("writes metrics, parameters and tags in one call", async () => {
    const { run_id } = await createRun();
    const answer = await call("POST", "runs/log-batch", {
      run_id,
      metrics: [
        { key: "m", value: 1.5, timestamp: 10, step: 0 },
        { key: "m", value: 2.5, timestamp: 11, step: 1 },
      ],
      params: [{ key: "p", value: "x" }],
      tags: [{ key: "t", value: "y" }],
    });
    expect(answer).toMatchObject({ status: 200, body: {} });
    expect((await getRun(run_id)).data).toEqual({
      metrics: [{ key: "m", value: 2.5, timestamp: 11, step: 1 }],
      params: [{ key: "p", value: "x" }],
      tags: expect.arrayContaining([{ key: "t", value: "y" }]),
    });
    expect(await history(run_id, "m")).toEqual([
      [1.5, 10, 0],
      [2.5, 11, 1],
    ]);
  });

  it("accepts an empty batch", async () => {
    const { run_id } = await createRun();
    expect(await ok("POST", "runs/log-batch", { run_id })).toEqual({});
    expect(await ok("POST", "runs/log-batch", { run_id, metrics: [], params: [], tags: [] })).toEqual({});
  });

  it("accepts exactly 1000 metrics, 100 parameters and 100 tags", async () => {
    const { run_id } = await createRun();
    await logBatch(run_id, {
      metrics: times(1000, (step) => ({ key: "m", value: step, timestamp: 1, step })),
    });
    await logBatch(run_id, { params: times(100, (i) => ({ key: `p${i}`, value: "1" })) });
    await logBatch(run_id, { tags: times(100, (i) => ({ key: `t${i}`, value: "1" })) });
    const { data } = await getRun(run_id);
    expect(data.metrics).toEqual([{ key: "m", value: 999, timestamp: 1, step: 999 }]);
    expect(data.params).toHaveLength(100);
    expect(data.tags).toHaveLength(101);
  });

  const metric = { key: "m", value: 1, timestamp: 5, step: 0 };
  const param = { key: "p", value: "1" };
  it.each([
    ["1001 metrics", { metrics: times(1001, () => metric) }, "at most 1000 metrics"],
    ["101 parameters", { params: times(101, (i) => ({ key: `p${i}`, value: "1" })) }, "at most 100 params"],
    ["101 tags", { tags: times(101, (i) => ({ key: `t${i}`, value: "1" })) }, "at most 100 tags"],
    [
      "1001 of them together",
      { metrics: times(950, () => metric), params: times(51, (i) => ({ key: `p${i}`, value: "1" })) },
      "at most 1000 metrics, params, and tags",
    ],
    [
      "a metric without key",
      { metrics: [metric, { value: 1, timestamp: 5 }] },
      "required parameter 'metrics[1].key'",
    ],
    [
      "a metric without value",
      { metrics: [{ key: "m", timestamp: 5 }] },
      "required parameter 'metrics[0].value'",
    ],
    [
      "a metric without time",
      { metrics: [{ key: "m", value: 5 }] },
      "required parameter 'metrics[0].timestamp'",
    ],
    ["a negative time", { metrics: [{ ...metric, timestamp: -5 }] }, "metrics[0].timestamp"],
    ["a bad metric key", { metrics: [{ ...metric, key: "a?b" }] }, "parameter 'metrics[0].name' supplied"],
    [
      "a long metric key",
      { metrics: [{ ...metric, key: "k".repeat(251) }] },
      "exceeds the maximum length of 250",
    ],
    ["metrics that are no list", { metrics: "x" }, "Invalid value \"x\" for parameter 'metrics' supplied"],
    ["a parameter without key", { params: [{ value: "1" }] }, "required parameter 'params[0].key'"],
    [
      "a bad parameter key",
      { params: [param, { key: "a?b", value: "1" }] },
      "parameter 'params[1].key' supplied",
    ],
    [
      "a long parameter key",
      { params: [{ key: "k".repeat(251), value: "" }] },
      "exceeds the maximum length of 250",
    ],
    ["a tag without key", { tags: [{ value: "1" }] }, "required parameter 'tags[0].key'"],
    ["a bad tag key", { tags: [{ key: "../a", value: "1" }] }, "parameter 'tags[0].key' supplied"],
    ["a parameter key twice", { params: [param, { key: "p", value: "2" }] }, "Duplicate parameter keys"],
  ])("refuses %s", async (_, batch, message) => {
    const { run_id } = await createRun();
    const answer = await call("POST", "runs/log-batch", { run_id, ...batch });
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", message);
    expect((await getRun(run_id)).data).not.toHaveProperty("metrics");
  });

  it("refuses no run, an unknown run and an id that cannot be one", async () => {
    const none = await call("POST", "runs/log-batch", { metrics: [metric] });
    expectError(none, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'");
    const unknown = await call("POST", "runs/log-batch", { run_id: "unknown", metrics: [metric] });
    expectError(unknown, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=unknown not found");
    const impossible = await call("POST", "runs/log-batch", { run_id: "!!", metrics: [metric] });
    expectError(impossible, 400, "INVALID_PARAMETER_VALUE", "for parameter 'run_id' supplied");
  });

  it("names the parameter that was written before with another value", async () => {
    const { run_id } = await createRun();
    await logBatch(run_id, { params: [param] });
    await logBatch(run_id, { params: [param, { key: "q", value: "1" }] });
    const params = [{ key: "p", value: "other" }];
    const answer = await call("POST", "runs/log-batch", { run_id, params });
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", "'p'");
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", "'other'");
    expect((await getRun(run_id)).data.params).toContainEqual(param);
  });

  it("takes whatever a metric's numbers may look like", async () => {
    const { run_id } = await createRun();
    await logBatch(run_id, {
      metrics: [
        { key: "negative-step", value: -1.5e-7, timestamp: 0, step: -3 },
        { key: "texts", value: "1.5", timestamp: "12", step: "7" },
        { key: "boolean", value: true, timestamp: 1 },
        { key: "whole", value: 3, timestamp: 7.0, step: 1e2 },
      ],
    });
    await ok("POST", "runs/log-metric", { run_id, key: "false", value: false, timestamp: 1 });
    const rows = (await getRun(run_id)).data.metrics?.map((m) => [m.key, m.value, m.timestamp, m.step]);
    expect(rows?.sort()).toEqual([
      ["boolean", 1, 1, 0],
      ["false", 0, 1, 0],
      ["negative-step", -1.5e-7, 0, -3],
      ["texts", 1.5, 12, 7],
      ["whole", 3, 7, 100],
    ]);
  });
});
