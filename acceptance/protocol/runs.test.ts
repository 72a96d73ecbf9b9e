import { describe, expect, it } from "vitest";
import { call, expectError, ok } from "./call.ts";
import { type Run, createExperiment, createRun, getRun, logBatch, searchRunNames } from "./entities.ts";

describe("runs", () => {
  it("creates one with all fields", async () => {
    const experiment_id = await createExperiment();
    const fields = { user_id: "ann", run_name: "first", start_time: 1_700_000_000_000 };
    const tags = [{ key: "a", value: "b" }];
    const { run } = await ok<{ run: Run }>("POST", "runs/create", { experiment_id, ...fields, tags });
    expect(run.info).toEqual({
      run_id: run.info.run_id,
      run_uuid: run.info.run_id,
      experiment_id,
      status: "RUNNING",
      lifecycle_stage: "active",
      artifact_uri: `mlflow-artifacts:/${experiment_id}/${run.info.run_id}/artifacts`,
      ...fields,
    });
    expect(run.info.run_id).toMatch(/^[0-9a-f]{32}$/);
    expect(run.data.tags).toHaveLength(2);
    expect(run.data.tags).toEqual(
      expect.arrayContaining([...tags, { key: "mlflow.runName", value: "first" }]),
    );
    expect(run.inputs).toEqual({});
    expect(run).not.toHaveProperty("outputs");
    const again = await getRun(run.info.run_id);
    const data = { ...again.data, tags: expect.arrayContaining(run.data.tags ?? []) };
    expect(again).toEqual({ ...run, data, outputs: {} });
    expect(again.data.tags).toHaveLength(2);
  });

  it("invents a name when none is given, and takes it from the tag", async () => {
    const experiment = await createExperiment();
    const run = await createRun(experiment);
    expect(run.run_name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect((await getRun(run.run_id)).data.tags).toEqual([{ key: "mlflow.runName", value: run.run_name }]);
    const tagged = await createRun(experiment, { tags: [{ key: "mlflow.runName", value: "tagged" }] });
    expect(tagged.run_name).toBe("tagged");
  });

  it.each([
    ["experiment that does not exist", { experiment_id: "999999999" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["experiment id that is no number", { experiment_id: "abc" }, 400, "INVALID_PARAMETER_VALUE"],
    ["JSON number as experiment id", { experiment_id: 5 }, 400, "INVALID_PARAMETER_VALUE"],
    ["JSON number as run name", { experiment_id: "0", run_name: 5 }, 400, "INVALID_PARAMETER_VALUE"],
  ] as const)("refuses to create one for an %s", async (_, body, status, code) => {
    expectError(await call("POST", "runs/create", body), status, code);
  });

  it("updates status, end time and name and returns the info", async () => {
    const run = await createRun(undefined, { run_name: "old" });
    const { run_id } = run;
    const first = await ok("POST", "runs/update", { run_id, status: "FAILED", end_time: 1_700_000_005_000 });
    expect(first).toEqual({ run_info: { ...run, status: "FAILED", end_time: 1_700_000_005_000 } });
    await ok("POST", "runs/update", { run_id, run_name: "new" });
    expect((await getRun(run_id)).info).toMatchObject({ run_name: "new", status: "FAILED" });
    const emptyName = await ok("POST", "runs/update", { run_id, run_name: "" });
    expect(emptyName).toMatchObject({ run_info: { run_name: "new" } });
  });

  it.each([
    ["RUNNING", 1],
    ["SCHEDULED", 2],
    ["FINISHED", 3],
    ["FAILED", 4],
    ["KILLED", 5],
  ])("knows the status %s by name and as %i", async (name, number) => {
    const { run_id } = await createRun();
    expect(await ok("POST", "runs/update", { run_id, status: name })).toMatchObject({
      run_info: { status: name },
    });
    expect(await ok("POST", "runs/update", { run_id, status: number })).toMatchObject({
      run_info: { status: name },
    });
  });

  it("ignores an unknown status name", async () => {
    const { run_id } = await createRun();
    await ok("POST", "runs/update", { run_id, status: "FINISHED" });
    expect(await ok("POST", "runs/update", { run_id, status: "BOGUS" })).toMatchObject({
      run_info: { status: "FINISHED" },
    });
  });

  it("sets and deletes tags; deleting a missing one is a 404", async () => {
    const { run_id } = await createRun();
    expect(await ok("POST", "runs/set-tag", { run_id, key: "t", value: "1" })).toEqual({});
    await ok("POST", "runs/set-tag", { run_id, key: "t", value: "2" });
    expect((await getRun(run_id)).data.tags).toContainEqual({ key: "t", value: "2" });
    expect(await ok("POST", "runs/delete-tag", { run_id, key: "t" })).toEqual({});
    const again = await call("POST", "runs/delete-tag", { run_id, key: "t" });
    expectError(again, 404, "RESOURCE_DOES_NOT_EXIST", "No tag with name: t");
  });

  it("keeps an empty parameter and tag", async () => {
    const { run_id } = await createRun();
    await ok("POST", "runs/log-parameter", { run_id, key: "p" });
    await ok("POST", "runs/log-parameter", { run_id, key: "q", value: "" });
    await ok("POST", "runs/set-tag", { run_id, key: "t" });
    const { data } = await getRun(run_id);
    expect(data.params?.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
      { key: "p", value: "" },
      { key: "q", value: "" },
    ]);
    expect(data.tags).toContainEqual({ key: "t", value: "" });
  });

  it("deletes and restores; a deleted run can be read but not written", async () => {
    const { run_id } = await createRun();
    expect(await ok("POST", "runs/delete", { run_id })).toEqual({});
    expect(await ok("POST", "runs/delete", { run_id })).toEqual({});
    expect((await getRun(run_id)).info["lifecycle_stage"]).toBe("deleted");
    for (const [path, fields] of [
      ["runs/log-metric", { key: "m", value: 1, timestamp: 1 }],
      ["runs/log-parameter", { key: "p", value: "1" }],
      ["runs/log-batch", {}],
      ["runs/set-tag", { key: "t", value: "1" }],
      ["runs/delete-tag", { key: "t" }],
      ["runs/update", { status: "FAILED" }],
      ["runs/log-inputs", { datasets: [] }],
      ["runs/outputs", { models: [{ model_id: "m-1", step: 0 }] }],
    ] as const) {
      const answer = await call("POST", path, { run_id, ...fields });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "must be in the 'active' state");
    }
    expect(await ok("POST", "runs/restore", { run_id })).toEqual({});
    expect(await ok("POST", "runs/restore", { run_id })).toEqual({});
    await ok("POST", "runs/set-tag", { run_id, key: "t", value: "1" });
  });

  it("appends to mlflow.log-model.history and checks what is appended", async () => {
    const { run_id } = await createRun();
    const model = { artifact_path: "model", flavors: { f: {} }, utc_time_created: "2026-01-01", run_id };
    await ok("POST", "runs/log-model", { run_id, model_json: JSON.stringify(model) });
    const second = { ...model, artifact_path: "second" };
    await ok("POST", "runs/log-model", { run_id, model_json: JSON.stringify(second) });
    const tag = (await getRun(run_id)).data.tags?.find(({ key }) => key === "mlflow.log-model.history");
    expect(JSON.parse(tag?.value ?? "")).toMatchObject([model, second]);
    const incomplete = await call("POST", "runs/log-model", { run_id, model_json: "{}" });
    expectError(incomplete, 400, "INVALID_PARAMETER_VALUE", "missing mandatory fields");
    const broken = await call("POST", "runs/log-model", { run_id, model_json: "x" });
    expectError(broken, 400, "INVALID_PARAMETER_VALUE", "not a valid JSON");
  });
});

describe("runs/search", () => {
  it("answers {} without experiments, and for one that does not exist", async () => {
    expect(await ok("POST", "runs/search", {})).toEqual({});
    expect(await ok("POST", "runs/search", { experiment_ids: ["999999999"] })).toEqual({});
  });

  it("orders by start time, newest first, and then by id", async () => {
    const experiment = await createExperiment();
    const names = ["b", "c", "a"];
    for (const [i, run_name] of names.entries())
      await createRun(experiment, { run_name, start_time: 1 + (i % 2) });
    const found = await ok<{ runs: Run[] }>("POST", "runs/search", { experiment_ids: [experiment] });
    expect(found.runs[0]?.info.run_name).toBe("c");
    const ids = found.runs.slice(1).map(({ info }) => info.run_id);
    expect(ids).toEqual([...ids].sort());
  });

  it("returns what runs/get returns", async () => {
    const experiment = await createExperiment();
    const { run_id } = await createRun(experiment, { start_time: 5, user_id: "u" });
    await logBatch(run_id, {
      metrics: [{ key: "m", value: 0.25, timestamp: 3, step: 4 }],
      params: [{ key: "p", value: "1" }],
    });
    const found = await ok("POST", "runs/search", { experiment_ids: [experiment] });
    expect(found).toEqual({ runs: [await getRun(run_id)] });
  });

  it("orders by parameter, tag and attribute, missing last both ways", async () => {
    const experiment = await createExperiment();
    for (const [run_name, value] of [
      ["x", "2"],
      ["y", "10"],
      ["z", undefined],
    ] as const) {
      const { run_id } = await createRun(experiment, { run_name, start_time: 1 });
      const pairs = value === undefined ? [] : [{ key: "k", value }];
      await logBatch(run_id, { params: pairs, tags: pairs });
    }
    const ordered = (order: string) => searchRunNames(experiment, { order_by: [order] });
    expect(await ordered("params.k")).toEqual(["y", "x", "z"]);
    expect(await ordered("params.k DESC")).toEqual(["x", "y", "z"]);
    expect(await ordered("tags.`k` asc")).toEqual(["y", "x", "z"]);
    expect(await ordered("attributes.run_name desc")).toEqual(["z", "y", "x"]);
    expect(await ordered("run_name")).toEqual(["x", "y", "z"]);
  });

  it("filters by attribute, with numbers unquoted and text quoted", async () => {
    const experiment = await createExperiment();
    const early = await createRun(experiment, { run_name: "early", start_time: 100, user_id: "ann" });
    await createRun(experiment, { run_name: "late", start_time: 200, user_id: "bob" });
    await ok("POST", "runs/update", { run_id: early.run_id, status: "FINISHED", end_time: 150 });
    for (const filter of [
      "attributes.start_time < 200",
      "start_time = 100",
      "created <= 150",
      "end_time > 0",
      "attr.status = 'FINISHED'",
      "status != 'RUNNING'",
      "user_id = 'ann'",
      "run.user_id ILIKE 'ANN'",
      "run_name LIKE 'ear%'",
      "attributes.`run name` = 'early'",
      "tags.mlflow.runName = 'early'",
      `artifact_uri LIKE '%${early.run_id}%'`,
      `run_id = '${early.run_id}'`,
    ]) {
      expect(await searchRunNames(experiment, { filter }), filter).toEqual(["early"]);
    }
  });

  it("filters by dataset", async () => {
    const experiment = await createExperiment();
    const { run_id } = await createRun(experiment, { run_name: "with" });
    await createRun(experiment, { run_name: "without" });
    const tags = [{ key: "mlflow.data.context", value: "train" }];
    const dataset = { name: "wine", digest: "d1", source_type: "local", source: "s" };
    await ok("POST", "runs/log-inputs", { run_id, datasets: [{ tags, dataset }] });
    for (const filter of [
      "dataset.name = 'wine'",
      "datasets.digest IN ('d0', 'd1')",
      "dataset.context LIKE 'tr%'",
      "dataset.name ILIKE 'WINE' AND dataset.context = 'train'",
    ]) {
      expect(await searchRunNames(experiment, { filter }), filter).toEqual(["with"]);
    }
    expect(await searchRunNames(experiment, { filter: "dataset.name = 'beer'" })).toEqual([]);
  });

  it("looks at the run's own life cycle stage", async () => {
    const experiment = await createExperiment();
    const gone = await createRun(experiment, { run_name: "gone" });
    await createRun(experiment, { run_name: "there" });
    await ok("POST", "runs/delete", { run_id: gone.run_id });
    const seen = async (run_view_type?: string) =>
      (await searchRunNames(experiment, { run_view_type })).sort();
    expect(await seen()).toEqual(["there"]);
    expect(await seen("ACTIVE_ONLY")).toEqual(["there"]);
    expect(await seen("DELETED_ONLY")).toEqual(["gone"]);
    expect(await seen("ALL")).toEqual(["gone", "there"]);
  });

  it("finds child runs by the tag of their parent", async () => {
    const experiment = await createExperiment();
    const parent = await createRun(experiment, { run_name: "parent" });
    const tags = [{ key: "mlflow.parentRunId", value: parent.run_id }];
    await createRun(experiment, { run_name: "child", tags });
    const filter = `tags.mlflow.parentRunId = '${parent.run_id}'`;
    expect(await searchRunNames(experiment, { filter })).toEqual(["child"]);
  });

  it("searches several experiments and pages without gaps, with a token only when more rows exist", async () => {
    const experiments = [await createExperiment(), await createExperiment()];
    const names = ["a", "b", "c", "d"];
    for (const [i, run_name] of names.entries())
      await createRun(experiments[i % 2], { run_name, start_time: i });
    const search = { experiment_ids: experiments, max_results: 2, order_by: ["run_name ASC"] };
    const first = await ok<{ runs: Run[]; next_page_token: string }>("POST", "runs/search", search);
    const rest = { ...search, page_token: first.next_page_token };
    const second = await ok<{ runs: Run[] }>("POST", "runs/search", rest);
    expect([...first.runs, ...second.runs].map(({ info }) => info.run_name)).toEqual(names);
    expect(second).not.toHaveProperty("next_page_token");
  });

  it("takes each LIKE wildcard, and none as an escape", async () => {
    const experiment = await createExperiment();
    for (const [i, value] of ["a%b", "axb", "a\\%b", "A%B"].entries()) {
      const { run_id } = await createRun(experiment, { run_name: `r${i}`, start_time: 10 - i });
      await logBatch(run_id, { params: [{ key: "p", value }] });
    }
    const like = (pattern: string) => searchRunNames(experiment, { filter: `params.p ${pattern}` });
    expect(await like("LIKE 'a_b'")).toEqual(["r0", "r1"]);
    expect(await like("LIKE 'a%b'")).toEqual(["r0", "r1", "r2"]);
    expect(await like("ILIKE 'a_b'")).toEqual(["r0", "r1", "r3"]);
    expect(await like("LIKE 'a[x]b'")).toEqual([]);
    expect(await like("LIKE 'a*'")).toEqual([]);
  });
});
