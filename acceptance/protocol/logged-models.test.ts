import { describe, expect, it } from "vitest";
import { ajax, base, call, expectError, ok, proxy, send, targetIsMlflow } from "./call.ts";
import {
  type LoggedModel,
  createExperiment,
  createLoggedModel,
  createRun,
  getLoggedModel,
  getRun,
  logBatch,
} from "./entities.ts";

interface Found {
  readonly models?: LoggedModel[];
  readonly next_page_token?: string;
}

async function searchNames(experimentId: string, search: object): Promise<string[]> {
  const body = { experiment_ids: [experimentId], ...search };
  const { models = [] } = await ok<Found>("POST", "logged-models/search", body);
  return models.map(({ info }) => info.name);
}

describe("logged models", () => {
  it("creates one that is pending, below the experiment's artifacts", async () => {
    const run = await createRun();
    const { experiment_id } = run;
    const params = [{ key: "lr", value: "0.1" }];
    const tags = [{ key: "a", value: "b" }];
    const fields = { name: "classifier", model_type: "sklearn", source_run_id: run.run_id };
    const model = await createLoggedModel(experiment_id, { ...fields, params, tags });
    const { model_id } = model.info;
    expect(model_id).toMatch(/^m-[0-9a-f]{32}$/);
    expect(model).toEqual({
      info: {
        model_id,
        experiment_id,
        ...fields,
        status: "LOGGED_MODEL_PENDING",
        artifact_uri: `mlflow-artifacts:/${experiment_id}/models/${model_id}/artifacts`,
        creation_timestamp_ms: expect.any(Number),
        last_updated_timestamp_ms: model.info["creation_timestamp_ms"],
        tags,
      },
      data: { params },
    });
    expect(await getLoggedModel(model_id)).toEqual(model);
  });

  it("invents a name, and writes model_type and source_run_id as empty texts", async () => {
    const model = await createLoggedModel(await createExperiment());
    expect(model.info.name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect(model.info).toMatchObject({ model_type: "", source_run_id: "" });
    expect(model.data).toEqual({});
  });

  it.each(["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])("refuses the name %s", async (name) => {
    const answer = await call("POST", "logged-models", { experiment_id: await createExperiment(), name });
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", "cannot contain the following characters");
  });

  it("is finalised as ready or as failed", async () => {
    const experiment = await createExperiment();
    for (const status of ["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]) {
      const { model_id } = (await createLoggedModel(experiment)).info;
      const answer = await ok("PATCH", `logged-models/${model_id}`, { model_id, status });
      expect(answer).toEqual({ model: await getLoggedModel(model_id) });
      expect(answer).toMatchObject({ model: { info: { status } } });
    }
  });

  it("refuses to finalise without id or status in the body", async () => {
    const { model_id } = (await createLoggedModel(await createExperiment())).info;
    const noStatus = await call("PATCH", `logged-models/${model_id}`, { model_id });
    expectError(noStatus, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'status'");
    // The address names the model, which is enough for Millrace.
    if (!targetIsMlflow) return;
    const noId = await call("PATCH", `logged-models/${model_id}`, { status: "LOGGED_MODEL_READY" });
    expectError(noId, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'model_id'");
  });

  it("sets and deletes tags", async () => {
    const { model_id } = (
      await createLoggedModel(await createExperiment(), { tags: [{ key: "a", value: "1" }] })
    ).info;
    const tags = [
      { key: "a", value: "2" },
      { key: "b.c", value: "3" },
    ];
    expect(await ok("PATCH", `logged-models/${model_id}/tags`, { tags })).toEqual({});
    expect((await getLoggedModel(model_id)).info["tags"]).toEqual(expect.arrayContaining(tags));
    expect(await ok("DELETE", `logged-models/${model_id}/tags/b.c`)).toEqual({});
    expect((await getLoggedModel(model_id)).info["tags"]).toEqual([{ key: "a", value: "2" }]);
    const again = await call("DELETE", `logged-models/${model_id}/tags/b.c`);
    expectError(again, 404, "RESOURCE_DOES_NOT_EXIST", "No tag with key 'b.c'");
  });

  it("adds parameters, with the id in the body too", async () => {
    const { model_id } = (await createLoggedModel(await createExperiment())).info;
    const params = [{ key: "q", value: "1" }];
    expect(await ok("POST", `logged-models/${model_id}/params`, { model_id, params })).toEqual({});
    expect((await getLoggedModel(model_id)).data.params).toEqual(params);
    if (!targetIsMlflow) return;
    const noId = await call("POST", `logged-models/${model_id}/params`, { params });
    expectError(noId, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'model_id'");
  });

  it("deletes softly: again is fine, getting it is a 404", async () => {
    const { model_id } = (await createLoggedModel(await createExperiment())).info;
    expect(await ok("DELETE", `logged-models/${model_id}`)).toEqual({});
    expect(await ok("DELETE", `logged-models/${model_id}`)).toEqual({});
    const gone = await call("GET", `logged-models/${model_id}`);
    expectError(gone, 404, "RESOURCE_DOES_NOT_EXIST", `Logged model with ID '${model_id}' not found`);
  });

  it("answers 404 for an unknown one, whatever is asked", async () => {
    for (const [method, path, body] of [
      ["GET", "logged-models/unknown", undefined],
      ["DELETE", "logged-models/unknown", undefined],
      ["PATCH", "logged-models/unknown", { model_id: "unknown", status: "LOGGED_MODEL_READY" }],
      ["PATCH", "logged-models/unknown/tags", { tags: [{ key: "a", value: "1" }] }],
      ["DELETE", "logged-models/unknown/tags/a", undefined],
      ["POST", "logged-models/unknown/params", { model_id: "unknown", params: [{ key: "a", value: "1" }] }],
      ["GET", "logged-models/unknown/artifacts/directories", undefined],
    ] as const) {
      const answer = await call(method, path, body);
      expectError(answer, 404, "RESOURCE_DOES_NOT_EXIST", "Logged model with ID 'unknown' not found");
    }
  });

  it("holds the metrics that name it, with their dataset, beside those of the run", async () => {
    const run = await createRun();
    const { model_id } = (await createLoggedModel(run.experiment_id)).info;
    const { run_id } = run;
    const metric = { key: "acc", value: 0.9, timestamp: 10, step: 1 };
    const set = { dataset_name: "wine", dataset_digest: "d1" };
    await ok("POST", "runs/log-metric", { run_id, ...metric, model_id, ...set });
    await logBatch(run_id, {
      metrics: [
        { ...metric, step: 2, model_id },
        { ...metric, step: 3 },
      ],
    });
    const { data } = await getLoggedModel(model_id);
    expect(data.metrics).toHaveLength(2);
    expect(data.metrics).toEqual(
      expect.arrayContaining([
        { ...metric, ...set, model_id, run_id },
        { ...metric, step: 2, model_id, run_id },
      ]),
    );
    expect((await getRun(run_id)).data.metrics).toEqual([{ ...metric, step: 3 }]);
  });

  it("lists and serves its artifacts", async () => {
    const { info } = await createLoggedModel(await createExperiment());
    const root = info.artifact_uri.replace("mlflow-artifacts:/", "");
    await send({ method: "PUT", path: `${proxy}/${root}/data/MLmodel`, body: "flavors: {}" });
    const directories = `logged-models/${info.model_id}/artifacts/directories`;
    const root_uri = info.artifact_uri;
    expect(await ok("GET", directories)).toEqual({ root_uri, files: [{ path: "data", is_dir: true }] });
    expect(await ok("GET", directories, { artifact_directory_path: "data" })).toEqual({
      root_uri,
      files: [{ path: "data/MLmodel", is_dir: false, file_size: 11 }],
    });
    const files = `${ajax}logged-models/${info.model_id}/artifacts/files`;
    const file = await call("GET", files, { artifact_file_path: "data/MLmodel" });
    expect(file).toMatchObject({ status: 200, text: "flavors: {}" });
    expect(file.headers["content-disposition"]).toMatch(/^attachment/);
    const missing = await call("GET", files, { artifact_file_path: "none" });
    expectError(missing, 404, "RESOURCE_DOES_NOT_EXIST");
    expect((await call("GET", files)).status).toBe(400);
    const twin = await call("GET", files.replace(ajax, base), { artifact_file_path: "data/MLmodel" });
    expect(twin.status).toBe(404);
  });
});

describe("logged-models/search", () => {
  it("wants experiment_ids, which may be empty", async () => {
    const none = await call("POST", "logged-models/search", {});
    expectError(
      none,
      400,
      "INVALID_PARAMETER_VALUE",
      "Missing value for required parameter 'experiment_ids'",
    );
    expect(await ok("POST", "logged-models/search", { experiment_ids: [] })).toEqual({});
    expect(await ok("POST", "logged-models/search", { experiment_ids: ["999999999"] })).toEqual({});
  });

  it("filters by attribute, parameter, tag and metric", async () => {
    const experiment = await createExperiment();
    const run = await createRun(experiment);
    const params = [{ key: "lr", value: "0.1" }];
    const tags = [{ key: "team", value: "red" }];
    const fields = { model_type: "sklearn", source_run_id: run.run_id, params, tags };
    const { model_id } = (await createLoggedModel(experiment, { name: "good", ...fields })).info;
    await createLoggedModel(experiment, { name: "other" });
    const metric = { key: "acc", value: 0.95, timestamp: 10, step: 1, model_id };
    await logBatch(run.run_id, { metrics: [metric, { ...metric, value: 0.5, timestamp: 20, step: 2 }] });
    for (const filter of [
      "name = 'good'",
      "attributes.name LIKE 'go%'",
      "name ILIKE 'GOOD'",
      "name IN ('good', 'bad')",
      "name NOT IN ('other')",
      `model_id = '${model_id}'`,
      `source_run_id = '${run.run_id}'`,
      "model_type = 'sklearn'",
      "params.lr = '0.1'",
      "tags.team = 'red'",
      "name='good' AND params.lr='0.1' AND metrics.acc>0.9",
      "metrics.acc < 0.6",
    ]) {
      expect(await searchNames(experiment, { filter }), filter).toEqual(["good"]);
    }
    expect(await searchNames(experiment, { filter: "metrics.acc > 0.99" })).toEqual([]);
    // Both have a meaning in Millrace.
    for (const filter of targetIsMlflow ? ["params.lr IS NULL", "name = 'a' OR name = 'b'"] : []) {
      const answer = await call("POST", "logged-models/search", { experiment_ids: [experiment], filter });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE");
    }
  });

  it("looks at the metrics of the given datasets only", async () => {
    const experiment = await createExperiment();
    const { run_id } = await createRun(experiment);
    const { model_id } = (await createLoggedModel(experiment, { name: "model" })).info;
    const metric = { key: "acc", timestamp: 1, step: 0, model_id };
    await logBatch(run_id, { metrics: [{ ...metric, value: 0.5, dataset_name: "a", dataset_digest: "1" }] });
    await logBatch(run_id, {
      metrics: [{ ...metric, value: 0.9, step: 1, dataset_name: "b", dataset_digest: "2" }],
    });
    const above = (datasets: object[]) => searchNames(experiment, { filter: "metrics.acc > 0.8", datasets });
    expect(await above([])).toEqual(["model"]);
    expect(await above([{ dataset_name: "a", dataset_digest: "1" }])).toEqual([]);
    expect(await above([{ dataset_name: "b", dataset_digest: "2" }])).toEqual(["model"]);
    const unnamed = await call("POST", "logged-models/search", {
      experiment_ids: [experiment],
      datasets: [{}],
    });
    expectError(unnamed, 400, "INVALID_PARAMETER_VALUE", "dataset_name");
  });

  it("orders by the newest value of a metric, missing last, and by attributes", async () => {
    const experiment = await createExperiment();
    const { run_id } = await createRun(experiment);
    const values: Record<string, [number, number, number][]> = {
      // [value, timestamp, step]: here the timestamp decides before the step.
      low: [
        [0.9, 10, 9],
        [0.1, 20, 1],
      ],
      high: [
        [0.2, 10, 9],
        [0.8, 20, 1],
      ],
      none: [],
    };
    for (const [name, points] of Object.entries(values)) {
      const { model_id } = (await createLoggedModel(experiment, { name })).info;
      const metrics = points.map(([value, timestamp, step]) => ({
        key: "acc",
        value,
        timestamp,
        step,
        model_id,
      }));
      await logBatch(run_id, { metrics });
    }
    const ordered = (field_name: string, ascending?: boolean) =>
      searchNames(experiment, { order_by: [{ field_name, ascending }] });
    expect(await ordered("metrics.acc", true)).toEqual(["low", "high", "none"]);
    expect(await ordered("metrics.acc", false)).toEqual(["high", "low", "none"]);
    expect(await ordered("name")).toEqual(["high", "low", "none"]);
    expect(await ordered("name", false)).toEqual(["none", "low", "high"]);
    expect(await ordered("creation_timestamp")).toEqual(["low", "high", "none"]);
    expect(await searchNames(experiment, {})).toEqual(["none", "high", "low"]);
    const unknown = { experiment_ids: [experiment], order_by: [{ field_name: "bogus" }] };
    expectError(await call("POST", "logged-models/search", unknown), 400, "INVALID_PARAMETER_VALUE", "bogus");
  });

  it("pages, leaves out the deleted, and gives 50 by default", async () => {
    const experiment = await createExperiment();
    const ids: string[] = [];
    for (let i = 0; i < 53; i++) ids.push((await createLoggedModel(experiment)).info.model_id);
    await ok("DELETE", `logged-models/${ids[0]}`);
    const body = { experiment_ids: [experiment] };
    const first = await ok<Found>("POST", "logged-models/search", body);
    expect(first.models).toHaveLength(50);
    const rest = await ok<Found>("POST", "logged-models/search", {
      ...body,
      page_token: first.next_page_token,
    });
    expect(rest).not.toHaveProperty("next_page_token");
    const seen = [...(first.models ?? []), ...(rest.models ?? [])].map(({ info }) => info.model_id);
    expect(seen.sort()).toEqual(ids.slice(1).sort());
    const other = { ...body, page_token: first.next_page_token, filter: "name = 'x'" };
    expectError(await call("POST", "logged-models/search", other), 400, "INVALID_PARAMETER_VALUE");
  });
});
