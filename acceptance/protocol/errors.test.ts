import { describe, expect, it } from "vitest";
import { call, expectError } from "./call.ts";
import { createExperiment, createRegisteredModel, createRun, getExperiment } from "./entities.ts";

describe("§4 errors", () => {
  it("have a code and a message, and nothing that is no text", async () => {
    const answer = await call<Record<string, unknown>>("GET", "runs/get", { run_id: "unknown" });
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.body).toMatchObject({ error_code: "RESOURCE_DOES_NOT_EXIST", message: expect.any(String) });
    for (const value of Object.values(answer.body)) expect(value).toEqual(expect.any(String));
  });

  const missing = (parameter: string) => `Missing value for required parameter '${parameter}'`;
  it.each([
    ["POST", "experiments/create", {}, "name"],
    ["GET", "experiments/get", {}, "experiment_id"],
    ["GET", "experiments/get-by-name", {}, "experiment_name"],
    ["POST", "experiments/delete", {}, "experiment_id"],
    ["POST", "experiments/restore", {}, "experiment_id"],
    ["POST", "experiments/update", { new_name: "x" }, "experiment_id"],
    ["POST", "experiments/set-experiment-tag", { key: "k" }, "experiment_id"],
    ["POST", "experiments/delete-experiment-tag", { key: "k" }, "experiment_id"],
    ["GET", "runs/get", {}, "run_id"],
    ["POST", "runs/update", {}, "run_id"],
    ["POST", "runs/delete", {}, "run_id"],
    ["POST", "runs/restore", {}, "run_id"],
    ["POST", "runs/log-metric", { key: "m", value: 1, timestamp: 1 }, "run_id"],
    ["POST", "runs/log-metric", { run_id: "r", value: 1, timestamp: 1 }, "key"],
    ["POST", "runs/log-metric", { run_id: "r", key: "", value: 1, timestamp: 1 }, "key"],
    ["POST", "runs/log-metric", { run_id: "r", key: "m", timestamp: 1 }, "value"],
    ["POST", "runs/log-metric", { run_id: "r", key: "m", value: null, timestamp: 1 }, "value"],
    ["POST", "runs/log-metric", { run_id: "r", key: "m", value: 1 }, "timestamp"],
    ["POST", "runs/log-parameter", { key: "k" }, "run_id"],
    ["POST", "runs/log-parameter", { run_id: "r" }, "key"],
    ["POST", "runs/set-tag", { run_id: "r" }, "key"],
    ["POST", "runs/delete-tag", { run_id: "r" }, "key"],
    ["POST", "runs/log-batch", {}, "run_id"],
    ["POST", "runs/log-model", { run_id: "r" }, "model_json"],
    ["GET", "artifacts/list", {}, "run_id"],
    ["POST", "logged-models", {}, "experiment_id"],
    ["POST", "registered-models/create", {}, "name"],
    ["GET", "registered-models/get", {}, "name"],
    ["PATCH", "registered-models/update", {}, "name"],
    ["POST", "registered-models/rename", { name: "n" }, "new_name"],
    ["DELETE", "registered-models/delete", {}, "name"],
    ["POST", "registered-models/set-tag", { name: "n" }, "key"],
    ["DELETE", "registered-models/delete-tag", { name: "n" }, "key"],
    ["POST", "registered-models/get-latest-versions", {}, "name"],
    ["POST", "registered-models/alias", { name: "n", alias: "a" }, "version"],
    ["GET", "registered-models/alias", { name: "n" }, "alias"],
    ["DELETE", "registered-models/alias", { name: "n" }, "alias"],
    ["POST", "model-versions/create", { source: "s" }, "name"],
    ["POST", "model-versions/create", { name: "n" }, "source"],
    ["GET", "model-versions/get", { name: "n" }, "version"],
    ["DELETE", "model-versions/delete", { name: "n" }, "version"],
    ["POST", "model-versions/set-tag", { name: "n", version: "1" }, "key"],
    ["POST", "model-versions/transition-stage", { name: "n", version: "1" }, "stage"],
  ] as const)("%s %s %j misses its %s", async (method, path, body, parameter) => {
    expectError(await call(method, path, body), 400, "INVALID_PARAMETER_VALUE", missing(parameter));
  });

  it.each([
    ["GET", "experiments/get", { experiment_id: "999999999" }, "No Experiment with id=999999999 exists"],
    ["POST", "experiments/delete", { experiment_id: "999999999" }, "No Experiment with id=999999999 exists"],
    ["POST", "experiments/restore", { experiment_id: "999999999" }, "No Experiment with id=999999999 exists"],
    [
      "POST",
      "experiments/update",
      { experiment_id: "999999999", new_name: "x" },
      "No Experiment with id=999999999",
    ],
    ["POST", "logged-models", { experiment_id: "999999999" }, "No Experiment with id=999999999 exists"],
    [
      "GET",
      "experiments/get-by-name",
      { experiment_name: "no such" },
      "Could not find experiment with name 'no such'",
    ],
    ["POST", "runs/update", { run_id: "unknown", status: "FAILED" }, "Run with id=unknown not found"],
    ["POST", "runs/delete", { run_id: "unknown" }, "Run with id=unknown not found"],
    ["POST", "runs/restore", { run_id: "unknown" }, "Run with id=unknown not found"],
    [
      "POST",
      "runs/log-metric",
      { run_id: "unknown", key: "m", value: 1, timestamp: 1 },
      "Run with id=unknown not found",
    ],
    [
      "POST",
      "runs/log-parameter",
      { run_id: "unknown", key: "p", value: "1" },
      "Run with id=unknown not found",
    ],
    ["POST", "runs/set-tag", { run_id: "unknown", key: "t", value: "1" }, "Run with id=unknown not found"],
    ["GET", "artifacts/list", { run_id: "unknown" }, "Run with id=unknown not found"],
  ] as const)("%s %s %j is a 404", async (method, path, body, fragment) => {
    expectError(await call(method, path, body), 404, "RESOURCE_DOES_NOT_EXIST", fragment);
  });

  it("name an odd key, its place and what is allowed", async () => {
    const { run_id } = await createRun();
    for (const [path, body, parameter] of [
      ["runs/log-parameter", { key: "a?b", value: "1" }, "key"],
      ["runs/set-tag", { key: "a?b", value: "1" }, "key"],
      ["runs/log-metric", { key: "a?b", value: 1, timestamp: 1 }, "name"],
      ["runs/log-batch", { params: [{ key: "a?b", value: "1" }] }, "params[0].key"],
    ] as const) {
      const answer = await call("POST", path, { run_id, ...body });
      const fragment = `Invalid value "a?b" for parameter '${parameter}' supplied`;
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", fragment);
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "Names may only contain");
    }
  });

  it("say that something exists already, and BAD_REQUEST when renaming onto it", async () => {
    const experiment_id = await createExperiment();
    const { name } = await getExperiment(experiment_id);
    const again = await call("POST", "experiments/create", { name });
    expectError(again, 400, "RESOURCE_ALREADY_EXISTS", "already exists");
    const renamed = await call("POST", "experiments/update", {
      experiment_id: await createExperiment(),
      new_name: name,
    });
    expectError(renamed, 400, "BAD_REQUEST");
    const model = await createRegisteredModel();
    const twice = await call("POST", "registered-models/create", { name: model });
    expectError(twice, 400, "RESOURCE_ALREADY_EXISTS", "already exists");
  });
});
