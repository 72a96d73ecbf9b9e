import { describe, expect, it } from "vitest";
import { ajax, base, call, expectError, ok, proxy, send, targetIsMlflow } from "./call.ts";
import {
  createExperiment,
  createRegisteredModel,
  createRun,
  createVersion,
  getRun,
  history,
  logBatch,
} from "./entities.ts";

describe("§9 transport, JSON and errors", () => {
  it("1. int64 are JSON numbers", async () => {
    const run = await createRun(undefined, { start_time: 1_700_000_000_123 });
    await logBatch(run.run_id, { metrics: [{ key: "m", value: 1, timestamp: 1_700_000_000_456, step: 7 }] });
    const answer = await call("GET", "runs/get", { run_id: run.run_id });
    expect(answer.text).toMatch(/"start_time":\s*1700000000123\b/);
    expect(answer.text).toMatch(/"timestamp":\s*1700000000456\b/);
    expect(answer.text).toMatch(/"step":\s*7\b/);
  });

  it("1. int64 beyond 2^53 come back digit by digit", async () => {
    const run = await createRun();
    const body = `{"run_id":"${run.run_id}","key":"m","value":1,"timestamp":5,"step":9007199254740993}`;
    await ok("POST", "runs/log-metric", body);
    const answer = await call("GET", "metrics/get-history", { run_id: run.run_id, metric_key: "m" });
    expect(answer.text).toMatch(/"step":\s*9007199254740993\b/);
  });

  it("1. int64 are strings in GraphQL", async (context) => {
    if (!targetIsMlflow) context.skip("Millrace has no GraphQL yet; it answers 404");
    const run = await createRun(undefined, { start_time: 1_700_000_000_123 });
    const query = `query Q($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { run { info { runId startTime } } } }`;
    const answer = await call("POST", "/graphql", { query, variables: { data: { runId: run.run_id } } });
    expect(answer).toMatchObject({
      status: 200,
      body: { data: { mlflowGetRun: { run: { info: { runId: run.run_id, startTime: "1700000000123" } } } } },
    });
  });

  it("2. empty strings, zeros and false are written; unset fields and empty lists are not", async () => {
    const run = await createRun();
    const { info, data, inputs, outputs } = await getRun(run.run_id);
    expect(info).toMatchObject({ user_id: "", start_time: 0 });
    expect(info).not.toHaveProperty("end_time");
    expect(data).not.toHaveProperty("metrics");
    expect(data).not.toHaveProperty("params");
    expect({ inputs, outputs }).toEqual({ inputs: {}, outputs: {} });

    await send({
      method: "PUT",
      path: `${proxy}/${run.experiment_id}/${run.run_id}/artifacts/a.txt`,
      body: "x",
    });
    const list = await ok("GET", "artifacts/list", { run_id: run.run_id });
    expect(list["files"]).toEqual([{ path: "a.txt", is_dir: false, file_size: 1 }]);
  });

  it("3. NaN and Infinity are strings in requests and answers; an Infinity comes back as the largest double", async () => {
    const run = await createRun();
    const values = ["NaN", "Infinity", "-Infinity"];
    const metrics = values.map((value, i) => ({ key: `m${i}`, value, timestamp: 10, step: 0 }));
    await logBatch(run.run_id, { metrics });
    await ok("POST", "runs/log-metric", { run_id: run.run_id, key: "alone", value: "NaN", timestamp: 10 });
    const latest = Object.fromEntries(
      (await getRun(run.run_id)).data.metrics?.map((m) => [m.key, m.value]) ?? [],
    );
    expect(latest).toEqual({ m0: "NaN", m1: Number.MAX_VALUE, m2: -Number.MAX_VALUE, alone: "NaN" });
    expect(await history(run.run_id, "m0")).toEqual([["NaN", 10, 0]]);
  });

  it("10. an existing resource is a 400, an unknown alias is a 400, an unknown run or model a 404", async () => {
    const name = await createRegisteredModel();
    const again = await call("POST", "registered-models/create", { name });
    expectError(again, 400, "RESOURCE_ALREADY_EXISTS", "already exists");
    const alias = await call("GET", "registered-models/alias", { name, alias: "absent" });
    expectError(alias, 400, "INVALID_PARAMETER_VALUE", "Registered model alias absent not found");
    const noModel = await call("GET", "registered-models/alias", { name: `${name}-no`, alias: "absent" });
    expectError(noModel, 404, "RESOURCE_DOES_NOT_EXIST", `Registered Model with name=${name}-no not found`);
    const noRun = await call("GET", "runs/get", { run_id: "absent" });
    expectError(noRun, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=absent not found");
  });

  it("11. DELETE carries a JSON body, PATCH goes without a content type, GET may carry a body", async () => {
    const name = await createRegisteredModel({ tags: [{ key: "a", value: "1" }] });
    await ok("DELETE", "registered-models/delete-tag", { name, key: "a" });
    const patch = await send({
      method: "PATCH",
      path: `${base}registered-models/update`,
      body: JSON.stringify({ name, description: "new" }),
    });
    expect(patch).toMatchObject({ status: 200, body: { registered_model: { name, description: "new" } } });
    const get = await send({
      method: "GET",
      path: `${base}registered-models/get`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
    expect(get).toMatchObject({ status: 200, body: { registered_model: { name, description: "new" } } });
    expect((get.body as { registered_model: object }).registered_model).not.toHaveProperty("tags");
  });

  it("12. every route has an /ajax-api twin, and search-datasets exists only there", async () => {
    const experiment = await createExperiment();
    const created = await call<{ run: { info: { run_id: string } } }>("POST", `${ajax}runs/create`, {
      experiment_id: experiment,
    });
    expect(created.status).toBe(200);
    const runId = created.body.run.info.run_id;
    expect((await call("GET", `${ajax}runs/get`, { run_id: runId })).body).toEqual(
      (await call("GET", `${base}runs/get`, { run_id: runId })).body,
    );
    const dataset = { name: "wine", digest: "d1", source_type: "local", source: "{}" };
    const tags = [{ key: "mlflow.data.context", value: "training" }];
    await ok("POST", "runs/log-inputs", { run_id: runId, datasets: [{ tags, dataset }] });
    const search = { experiment_ids: [experiment] };
    expect(await ok("POST", `${ajax}experiments/search-datasets`, search)).toEqual({
      dataset_summaries: [{ experiment_id: experiment, name: "wine", digest: "d1", context: "training" }],
    });
    const twin = await call("POST", "experiments/search-datasets", search);
    expect(twin.status).toBe(404);
    expect(twin.body).toBeUndefined();
  });

  it("24. registry searches hide prompts; the client's term on the prompt tag matches ordinary models", async () => {
    const ordinary = await createRegisteredModel();
    const promptTags = [{ key: "mlflow.prompt.is_prompt", value: "true" }];
    const prompt = await createRegisteredModel({ name: `${ordinary}-prompt`, tags: promptTags });
    const text = [...promptTags, { key: "mlflow.prompt.text", value: "Hello" }];
    await createVersion(prompt, { source: "dummy-source", tags: text });
    const named = async (term: string) => {
      const filter = `name LIKE '${ordinary}%'${term}`;
      const answer = await ok<{ registered_models?: { name: string }[] }>("GET", "registered-models/search", {
        filter,
      });
      return (answer.registered_models ?? []).map((model) => model.name);
    };
    const tag = "tag.`mlflow.prompt.is_prompt`";
    expect(await named("")).toEqual([ordinary]);
    expect(await named(` AND ${tag} != 'true'`)).toEqual([ordinary]);
    expect(await named(` AND ${tag} = 'false'`)).toEqual([ordinary]);
    expect(await named(` AND ${tag} = 'true'`)).toEqual([prompt]);
    expect(await named(` AND ${tag} != 'false'`)).toEqual([prompt]);
    const versions = await ok("GET", "model-versions/search", { filter: `name = '${prompt}'` });
    expect(versions).toEqual({});
  });

  it("25. /version looks like 3.4 or later, and /health and /version answer to any Host", async () => {
    const version = await send({ method: "GET", path: "/version", headers: { host: "evil.example" } });
    expect(version.status).toBe(200);
    const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(version.text) ?? [];
    expect(Number(major) * 1000 + Number(minor)).toBeGreaterThanOrEqual(3004);
    const health = await send({ method: "GET", path: "/health", headers: { host: "evil.example" } });
    expect(health).toMatchObject({ status: 200, text: "OK" });
    // A client that is no browser sends no Origin and is let through.
    expect((await call("POST", "experiments/search", { max_results: 1 })).status).toBe(200);
  });
});
