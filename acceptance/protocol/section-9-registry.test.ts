import { describe, expect, it } from "vitest";
import { base, call, expectError, ok, proxy, send, targetIsMlflow } from "./call.ts";
import {
  createExperiment,
  createLoggedModel,
  createRegisteredModel,
  createRun,
  createVersion,
  getExperiment,
  getLoggedModel,
  getRun,
  getVersion,
  history,
  logBatch,
  searchRunNames,
  unique,
} from "./entities.ts";

describe("§9 life cycle, search, artifacts and registry", () => {
  it("15. a deleted experiment is still found, blocks its name, and takes and revives its runs", async () => {
    const name = unique("experiment");
    const experiment = await createExperiment({ name });
    const [kept, gone] = [await createRun(experiment), await createRun(experiment)];
    await ok("POST", "runs/delete", { run_id: gone.run_id });
    await ok("POST", "experiments/delete", { experiment_id: experiment });
    expect((await getExperiment(experiment)).lifecycle_stage).toBe("deleted");
    expect(await ok("GET", "experiments/get-by-name", { experiment_name: name })).toMatchObject({
      experiment: { experiment_id: experiment, lifecycle_stage: "deleted" },
    });
    expectError(
      await call("POST", "experiments/create", { name }),
      400,
      "RESOURCE_ALREADY_EXISTS",
      "already exists",
    );
    expect((await getRun(kept.run_id)).info["lifecycle_stage"]).toBe("deleted");
    await ok("POST", "experiments/restore", { experiment_id: experiment });
    for (const run of [kept, gone]) expect((await getRun(run.run_id)).info["lifecycle_stage"]).toBe("active");
  });

  it("18. the filter language: first dot, quoted keys, double quotes, IN, LIKE by case, no OR", async () => {
    const experiment = await createExperiment();
    const run = await createRun(experiment, { run_name: "Alpha" });
    const other = await createRun(experiment, { run_name: "beta" });
    const params = ["a.b.c", "with space", "a-b"].map((key) => ({ key, value: "Value" }));
    await logBatch(run.run_id, { params, metrics: [{ key: "x.y", value: 0.5, timestamp: 1, step: 0 }] });
    const finds = async (filter: string) =>
      expect(await searchRunNames(experiment, { filter }), filter).toEqual(["Alpha"]);
    const findsNone = async (filter: string) =>
      expect(await searchRunNames(experiment, { filter }), filter).toEqual([]);
    await finds("params.a.b.c = 'Value'");
    await finds("params.`with space` = 'Value'");
    await finds('params."a-b" = "Value"');
    await finds("metrics.x.y = .5 AND params.a.b.c LIKE 'Val%'");
    await finds("params.a.b.c ILIKE 'vaL_e' and attributes.status = 'RUNNING'");
    await finds(`run_id IN ('${run.run_id}')`);
    await finds(`attributes.run_id NOT IN ('${other.run_id}')`);
    await finds("run_name = 'Alpha' AND");
    await findsNone("params.a.b.c LIKE 'val%'");
    // What Millrace adds to the language, MLflow refuses.
    const additions = [
      "params.a.b.c = 'Value' OR metrics.x.y = 1",
      "NOT params.a.b.c = 'Other'",
      "(params.a.b.c = 'Value')",
      "status IN ('RUNNING') AND params.a.b.c = 'Value'",
      "metrics.x.y BETWEEN 0 AND 1",
    ];
    for (const filter of targetIsMlflow ? [] : additions.filter((each) => !each.startsWith("NOT")))
      await finds(filter);
    for (const filter of [
      ...(targetIsMlflow ? additions : []),
      "params.a.b.c == 'Value'",
      "params.a.b.c <> 'Value'",
      "metrics.x.y = '0.5'",
      "params.p = 5",
      "metrics.x.y > -.5e3",
      "params.a.b.c = 'Value'; params.p = 'x'",
      "bogus.a = 'x'",
      "attributes.bogus = 'x'",
      " ",
    ]) {
      const answer = await call("POST", "runs/search", { experiment_ids: [experiment], filter });
      expect(answer, `${filter}: ${answer.text}`).toMatchObject({
        status: 400,
        body: { error_code: "INVALID_PARAMETER_VALUE" },
      });
    }
    const lower = await call("POST", "experiments/search", { max_results: 1, filter: "name like 'x%'" });
    expectError(lower, 400, "INVALID_PARAMETER_VALUE", "like");
    await ok("POST", "experiments/search", { max_results: 1, filter: "name LIKE 'x%'" });
  });

  it("19. the proxy lists basenames, artifacts/list paths from the run; missing or a file is no error", async () => {
    const run = await createRun();
    const root = `${run.experiment_id}/${run.run_id}/artifacts`;
    await send({ method: "PUT", path: `${proxy}/${root}/dir/file.bin`, body: "12345" });
    const proxied = async (path: string) => ok("GET", proxy, { path });
    expect(await proxied(`${root}/dir`)).toEqual({
      files: [{ path: "file.bin", is_dir: false, file_size: 5 }],
    });
    expect(await proxied(`${root}/absent`)).toEqual({});
    expect(await proxied(`${root}/dir/file.bin`)).toEqual({});
    const root_uri = `mlflow-artifacts:/${root}`;
    const listed = async (path: string) => ok("GET", "artifacts/list", { run_id: run.run_id, path });
    expect(await listed("dir")).toEqual({
      root_uri,
      files: [{ path: "dir/file.bin", is_dir: false, file_size: 5 }],
    });
    expect(await listed("absent")).toEqual({ root_uri });
    expect(await listed("dir/file.bin")).toEqual({ root_uri });
  });

  it("20. a PUT is raw bytes of any type; a download is an attachment and not sniffed; multipart works or is a 501", async () => {
    const path = `${proxy}/${unique("raw")}/data.json`;
    const body = Buffer.from([0, 255, 13, 10, 128, 123]);
    const put = await send({ method: "PUT", path, body, headers: { "content-type": "application/json" } });
    expect(put).toMatchObject({ status: 200, text: "" });
    const got = await send({ method: "GET", path });
    expect(got.bytes.equals(body)).toBe(true);
    expect(got.headers).toMatchObject({
      "content-disposition": expect.stringMatching(/^attachment;\s*filename="?data\.json"?/),
      "x-content-type-options": "nosniff",
      "content-length": "6",
    });
    const multipart = "/api/2.0/mlflow-artifacts/mpu/create/big.bin";
    const answer = await call("POST", multipart, { path: "big.bin", num_parts: 2 });
    if (answer.status !== 200) expectError(answer, 501, "NOT_IMPLEMENTED");
    else
      expect(answer.body).toMatchObject({
        upload_id: expect.any(String),
        credentials: [{ part_number: 1 }, {}],
      });
  });

  it("21. the calls of log_model work before any file is uploaded", async () => {
    const run = await createRun();
    await logBatch(run.run_id, { metrics: [{ key: "acc", value: 0.9, timestamp: 5, step: 0 }] });
    const { info } = await createLoggedModel(run.experiment_id, {
      name: "classifier",
      source_run_id: run.run_id,
      params: [{ key: "lr", value: "0.1" }],
      tags: [{ key: "a", value: "b" }],
    });
    expect(info).toMatchObject({
      status: "LOGGED_MODEL_PENDING",
      source_run_id: run.run_id,
      name: "classifier",
    });
    await ok("POST", "runs/outputs", { run_id: run.run_id, models: [{ model_id: info.model_id, step: 0 }] });
    expect(await history(run.run_id, "acc")).toEqual([[0.9, 5, 0]]);
    const metrics = [{ key: "acc", value: 0.9, timestamp: 5, step: 0, model_id: info.model_id }];
    await logBatch(run.run_id, { metrics });
    expect(await history(run.run_id, "acc")).toEqual([[0.9, 5, 0]]);
    await ok("PATCH", `logged-models/${info.model_id}`, {
      model_id: info.model_id,
      status: "LOGGED_MODEL_READY",
    });
    await ok("PATCH", `logged-models/${info.model_id}/tags`, { tags: [{ key: "a", value: "c" }] });
    const model = await getLoggedModel(info.model_id);
    expect(model).toMatchObject({
      info: { status: "LOGGED_MODEL_READY", tags: [{ key: "a", value: "c" }] },
      data: {
        params: [{ key: "lr", value: "0.1" }],
        metrics: [
          { key: "acc", value: 0.9, timestamp: 5, step: 0, model_id: info.model_id, run_id: run.run_id },
        ],
      },
    });
    const search = { experiment_ids: [run.experiment_id], filter: "name = 'classifier'" };
    expect(await ok("POST", "logged-models/search", search)).toEqual({ models: [model] });
    expect((await getRun(run.run_id)).outputs).toEqual({
      model_outputs: [{ model_id: info.model_id, step: 0 }],
    });
  });

  it("22. a source models:/m-… is kept, resolved for downloads, and inherits the run", async () => {
    const run = await createRun();
    const { info } = await createLoggedModel(run.experiment_id, { source_run_id: run.run_id });
    const name = await createRegisteredModel();
    const source = `models:/${info.model_id}`;
    const without = await call("POST", "model-versions/create", { name, source });
    expectError(
      without,
      400,
      "INVALID_PARAMETER_VALUE",
      "must identify the resource that contains the source",
    );
    const version = await createVersion(name, { source, model_id: info.model_id });
    expect(version).toMatchObject({ version: "1", source, run_id: run.run_id });
    expect(await getVersion(name, "1")).toMatchObject({ source, run_id: run.run_id });
    const download = await ok("GET", "model-versions/get-download-uri", { name, version: "1" });
    expect(download).toEqual({ artifact_uri: info.artifact_uri });
    const copy = await createRegisteredModel();
    await createVersion(copy, { source: `models:/${name}/1` });
    expect(await getVersion(copy, "1")).toMatchObject({ source: `models:/${name}/1`, run_id: run.run_id });
    expect(await ok("GET", "model-versions/get-download-uri", { name: copy, version: "1" })).toEqual(
      download,
    );
  });

  it("23. get-latest-versions gives one per stage; stage names in any case; versions are strings", async () => {
    const name = await createRegisteredModel();
    for (let i = 0; i < 4; i++) await createVersion(name);
    const move = (version: string | number, stage: string) =>
      call("POST", "model-versions/transition-stage", { name, version, stage });
    expect(await move("1", "arCHIVED")).toMatchObject({
      body: { model_version: { current_stage: "Archived" } },
    });
    expect(await move("2", "production")).toMatchObject({
      body: { model_version: { current_stage: "Production" } },
    });
    expectError(
      await move(3, "Staging"),
      400,
      "INVALID_PARAMETER_VALUE",
      "Invalid value 3 for parameter 'version'",
    );
    type Latest = { model_versions: { version: string; current_stage: string }[] };
    const { model_versions } = await ok<Latest>("POST", "registered-models/get-latest-versions", { name });
    const found = model_versions.map(({ version, current_stage }) => [version, current_stage]);
    expect(found.sort()).toEqual([
      ["1", "Archived"],
      ["2", "Production"],
      ["4", "None"],
    ]);
    const query = `${base}registered-models/get-latest-versions?name=${name}&stages=PRODUCTION&stages=none`;
    const some = await send({ method: "GET", path: query });
    expect((some.body as Latest).model_versions.map(({ version }) => version).sort()).toEqual(["2", "4"]);
  });
});
