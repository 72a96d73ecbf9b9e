import { describe, expect, it } from "vitest";
import { call, expectError, ok, targetIsMlflow } from "./call.ts";
import {
  type ModelVersion,
  createLoggedModel,
  createRegisteredModel,
  createRun,
  createVersion,
  getRegisteredModel,
  getVersion,
  unique,
} from "./entities.ts";

async function searchVersions(query: object): Promise<string[]> {
  const { model_versions = [] } = await ok<{ model_versions?: ModelVersion[] }>(
    "GET",
    "model-versions/search",
    query,
  );
  return model_versions.map(({ name, version }) => `${name}/${version}`);
}

async function latest(name: string, stages: string[] = []): Promise<Record<string, string>> {
  type Answer = { model_versions?: ModelVersion[] };
  const answer = await ok<Answer>("POST", "registered-models/get-latest-versions", { name, stages });
  return Object.fromEntries(
    (answer.model_versions ?? []).map((version) => [version.current_stage, version.version]),
  );
}

describe("model versions", () => {
  it("creates one with all fields", async () => {
    const name = await createRegisteredModel();
    const run = await createRun();
    const fields = {
      source: `${String(run["artifact_uri"])}/model`,
      run_id: run.run_id,
      description: "d",
      run_link: "http://link",
    };
    const tags = [
      { key: "a", value: "1" },
      { key: "a", value: "2" },
    ];
    const version = await createVersion(name, { ...fields, tags });
    expect(version).toEqual({
      name,
      version: "1",
      ...fields,
      current_stage: "None",
      status: "READY",
      creation_timestamp: expect.any(Number),
      last_updated_timestamp: version["creation_timestamp"],
      tags: [{ key: "a", value: "2" }],
    });
    expect(await getVersion(name, "1")).toEqual(version);
    expect((await getRegisteredModel(name)).latest_versions).toEqual([version]);
  });

  it("writes the texts that were not given as empty ones", async () => {
    const name = await createRegisteredModel();
    expect(await createVersion(name)).toMatchObject({ description: "", run_id: "", run_link: "" });
  });

  it("never uses a number twice while the model exists", async () => {
    const name = await createRegisteredModel();
    for (const version of ["1", "2", "3"]) expect(await createVersion(name)).toMatchObject({ version });
    await ok("DELETE", "model-versions/delete", { name, version: "3" });
    await ok("DELETE", "model-versions/delete", { name, version: "1" });
    expect(await createVersion(name)).toMatchObject({ version: "4" });
  });

  it("updates the description, and clears it when none is given", async () => {
    const name = await createRegisteredModel();
    await createVersion(name, { description: "old" });
    const updated = await ok("PATCH", "model-versions/update", { name, version: "1", description: "new" });
    expect(updated).toMatchObject({ model_version: { version: "1", description: "new" } });
    await ok("PATCH", "model-versions/update", { name, version: "1" });
    expect(await getVersion(name, "1")).not.toHaveProperty("description");
  });

  it("sets and deletes tags; deleting a missing one is fine", async () => {
    const name = await createRegisteredModel();
    await createVersion(name);
    const tag = { name, version: "1", key: "k" };
    expect(await ok("POST", "model-versions/set-tag", { ...tag, value: "v" })).toEqual({});
    expect((await getVersion(name, "1"))["tags"]).toEqual([{ key: "k", value: "v" }]);
    for (let i = 0; i < 2; i++) expect(await ok("DELETE", "model-versions/delete-tag", tag)).toEqual({});
    expect(await getVersion(name, "1")).not.toHaveProperty("tags");
    const long = await call("POST", "model-versions/set-tag", { ...tag, value: "v".repeat(100_001) });
    expectError(long, 400, "INVALID_PARAMETER_VALUE", "exceeds the maximum length of 100000 characters");
  });

  it("answers 404 for an unknown version and 400 for one that is no integer", async () => {
    const name = await createRegisteredModel();
    for (const [method, path, fields] of [
      ["GET", "model-versions/get", {}],
      ["GET", "model-versions/get-download-uri", {}],
      ["PATCH", "model-versions/update", { description: "d" }],
      ["DELETE", "model-versions/delete", {}],
      ["POST", "model-versions/set-tag", { key: "a", value: "1" }],
      ["DELETE", "model-versions/delete-tag", { key: "a" }],
      ["POST", "model-versions/transition-stage", { stage: "Staging" }],
    ] as const) {
      const unknown = await call(method, path, { name, version: "99", ...fields });
      expectError(
        unknown,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        `Model Version (name=${name}, version=99) not found`,
      );
      const text = await call(method, path, { name, version: "x", ...fields });
      expectError(text, 400, "INVALID_PARAMETER_VALUE", "Parameter 'version' must be an integer");
      if (method === "GET") continue;
      const number = await call(method, path, { name, version: 1, ...fields });
      expectError(number, 400, "INVALID_PARAMETER_VALUE", "Invalid value 1 for parameter 'version' supplied");
    }
  });

  it("moves between stages and archives the others of the target stage", async () => {
    const name = await createRegisteredModel();
    for (let i = 0; i < 3; i++) await createVersion(name);
    const move = (version: string, stage: string, archive_existing_versions?: boolean) =>
      call("POST", "model-versions/transition-stage", { name, version, stage, archive_existing_versions });
    expect(await move("1", "staging")).toMatchObject({
      status: 200,
      body: { model_version: { version: "1", current_stage: "Staging" } },
    });
    await move("2", "Production");
    expect(await latest(name)).toEqual({ Staging: "1", Production: "2", None: "3" });
    await move("3", "STAGING", true);
    expect(await latest(name)).toEqual({ Archived: "1", Production: "2", Staging: "3" });
    await move("1", "Staging");
    expect(await latest(name)).toEqual({ Production: "2", Staging: "3" });
    expect(await latest(name, ["production", "none"])).toEqual({ Production: "2" });
    expectError(await move("1", "bogus"), 400, "INVALID_PARAMETER_VALUE", "bogus");
    const stages = await call("POST", "registered-models/get-latest-versions", { name, stages: ["bogus"] });
    expectError(stages, 400, "INVALID_PARAMETER_VALUE", "bogus");
  });
});

describe("the source of a model version", () => {
  it.each([
    "s3://bucket/a/b",
    "s3://bucket/a//b/",
    "gs://bucket/p",
    "dbfs:/p",
    "wasbs://c@a.example/p",
    "s3://bucket/a.b..c",
  ])("may be %s", async (source) => {
    const name = await createRegisteredModel();
    expect(await createVersion(name, { source })).toMatchObject({ source });
    const query = { name, version: "1" };
    expect(await ok("GET", "model-versions/get-download-uri", query)).toEqual({ artifact_uri: source });
  });

  it.each([
    ["/etc/passwd", "Invalid model version source"],
    ["file:///etc/passwd", "Invalid model version source"],
    ["relative/path", "Invalid model version source"],
    ["s3://bucket", "Invalid model version source"],
    ["s3://bucket/../x", "Invalid model version source"],
    ["s3://bucket/%2e%2e/x", "Invalid model version source"],
    ["s3://bucket/%252e%252e/x", "Invalid model version source"],
    ["s3://bucket/a%00b", "Invalid model version source"],
    ["models:/m-00000000000000000000000000000000", "must identify the resource that contains the source"],
    ["http://host/p", "cannot use the 'http' scheme"],
    ["ftp://host/p", "cannot use the 'ftp' scheme"],
    ["hdfs://host/p", "cannot use the 'hdfs' scheme"],
    ["mlflow-artifacts://host/p", "cannot use the 'mlflow-artifacts' scheme"],
  ])("may not be %s", async (source, message) => {
    const name = await createRegisteredModel();
    const answer = await call("POST", "model-versions/create", { name, source });
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", message);
  });

  it("that lies in a run or a model needs the request to name it", async () => {
    const name = await createRegisteredModel();
    const run = await createRun();
    const other = await createRun();
    const { info } = await createLoggedModel(run.experiment_id);
    const create = (fields: object) => call("POST", "model-versions/create", { name, ...fields });
    for (const source of [`runs:/${run.run_id}/model`, `${String(run["artifact_uri"])}/model`]) {
      expect(await create({ source, run_id: run.run_id })).toMatchObject({ status: 200 });
      for (const run_id of [undefined, other.run_id]) {
        const refused = await create({ source, run_id });
        expectError(
          refused,
          400,
          "INVALID_PARAMETER_VALUE",
          "must identify the resource that contains the source",
        );
      }
    }
    expect(await create({ source: info.artifact_uri, model_id: info.model_id })).toMatchObject({
      status: 200,
    });
  });

  it("is refused when the registered model it names does not exist", async () => {
    const name = await createRegisteredModel();
    const answer = await call("POST", "model-versions/create", { name, source: "models:/unknown-model/1" });
    expectError(answer, 404, "RESOURCE_DOES_NOT_EXIST");
  });
});

describe("model-versions/search", () => {
  it("filters by name, run, number, source and tag", async () => {
    const name = await createRegisteredModel();
    const run = await createRun();
    await createVersion(name, { source: `runs:/${run.run_id}/model`, run_id: run.run_id });
    await createVersion(name, { tags: [{ key: "t", value: "1" }] });
    const find = (filter: string) => searchVersions({ filter });
    const [first, second] = [`${name}/1`, `${name}/2`];
    expect((await find(`name = '${name}'`)).sort()).toEqual([first, second]);
    expect(await find(`run_id = '${run.run_id}'`)).toEqual([first]);
    expect(await find(`run_id IN ('${run.run_id}') AND name ILIKE '${name.toUpperCase()}'`)).toEqual([first]);
    expect(await find(`name = '${name}' AND version_number > 1`)).toEqual([second]);
    expect(await find(`name = '${name}' and version_number <= 1`)).toEqual([first]);
    expect(await find(`name IN ('${name}') AND source_path LIKE 'runs:/%'`)).toEqual([first]);
    expect(await find(`name = '${name}' AND tags.t = '1'`)).toEqual([second]);
    expect(await find(`name = '${name}' AND tag.t != '2'`)).toEqual([second]);
  });

  it("is exact about the case of run ids", async () => {
    const name = await createRegisteredModel();
    const run_id = unique("RUN").toUpperCase();
    await createVersion(name, { run_id });
    for (const filter of [`run_id = '${run_id}'`, `run_id IN ('${run_id}', 'other')`]) {
      expect(await searchVersions({ filter }), filter).toEqual([`${name}/1`]);
      expect(await searchVersions({ filter: filter.replace(run_id, run_id.toLowerCase()) }), filter).toEqual(
        [],
      );
    }
  });

  it("orders newest change first, leaves out the deleted, and pages", async () => {
    const prefix = unique("order");
    for (const suffix of ["a", "b"]) {
      const name = await createRegisteredModel({ name: `${prefix}-${suffix}` });
      for (let i = 0; i < 2; i++) {
        await createVersion(name);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    }
    const [a1, a2, b1, b2] = ["a/1", "a/2", "b/1", "b/2"].map((suffix) => `${prefix}-${suffix}`);
    const query = { filter: `name LIKE '${prefix}%'` };
    expect(await searchVersions(query)).toEqual([b2, b1, a2, a1]);
    await ok("PATCH", "model-versions/update", { name: `${prefix}-a`, version: "1", description: "d" });
    expect(await searchVersions(query)).toEqual([a1, b2, b1, a2]);
    expect(await searchVersions({ ...query, order_by: ["name ASC"] })).toEqual([a2, a1, b2, b1]);
    expect(await searchVersions({ ...query, order_by: ["version_number ASC"] })).toEqual([a1, b1, a2, b2]);
    expect(await searchVersions({ ...query, order_by: ["creation_timestamp"] })).toEqual([a1, a2, b1, b2]);
    const page = { ...query, max_results: 3, order_by: ["name"] };
    const { next_page_token } = await ok("GET", "model-versions/search", page);
    expect(await searchVersions({ ...page, page_token: next_page_token })).toEqual([b1]);
    await ok("DELETE", "model-versions/delete", { name: `${prefix}-b`, version: "2" });
    expect(await searchVersions(query)).toEqual([a1, b1, a2]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["max_results of 0", { max_results: 0 }],
    ["max_results above 200000", { max_results: 200_001 }],
    ["an unknown attribute", { filter: "bogus = 'x'" }],
    ["a text as version number", { filter: "version_number = 'x'" }],
    // Millrace gives OR a meaning.
    ...(targetIsMlflow ? [["OR", { filter: "name = 'a' OR name = 'b'" }] satisfies [string, object]] : []),
    ["an unknown order", { order_by: ["bogus"] }],
    ["a page token that is none", { page_token: "xx" }],
  ])("refuses %s", async (_, query) => {
    expectError(await call("GET", "model-versions/search", query), 400, "INVALID_PARAMETER_VALUE");
  });
});
