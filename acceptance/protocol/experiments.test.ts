import { describe, expect, it } from "vitest";
import { call, expectError, ok, targetIsMlflow } from "./call.ts";
import { type Experiment, createExperiment, createRun, getExperiment, getRun, unique } from "./entities.ts";

interface Found {
  readonly experiments?: Experiment[];
  readonly next_page_token?: string;
}

async function searchNames(search: object): Promise<string[]> {
  const { experiments = [] } = await ok<Found>("POST", "experiments/search", { max_results: 100, ...search });
  return experiments.map(({ name }) => name);
}

describe("experiments", () => {
  it("creates one and gives it back by id and by name", async () => {
    const name = unique("experiment");
    const before = Date.now();
    const created = await call("POST", "experiments/create", { name, tags: [{ key: "team", value: "red" }] });
    expect(created).toMatchObject({ status: 200, body: { experiment_id: expect.stringMatching(/^\d+$/) } });
    const { experiment_id } = created.body as { experiment_id: string };
    const experiment = await getExperiment(experiment_id);
    expect(experiment).toMatchObject({
      experiment_id,
      name,
      artifact_location: `mlflow-artifacts:/${experiment_id}`,
      lifecycle_stage: "active",
      tags: [{ key: "team", value: "red" }],
    });
    expect(experiment.creation_time).toBeGreaterThanOrEqual(before - 1);
    expect(experiment.last_update_time).toBe(experiment.creation_time);
    expect(await ok("GET", "experiments/get-by-name", { experiment_name: name })).toEqual({ experiment });
  });

  it("has a default one with the id 0", async () => {
    expect(await getExperiment("0")).toMatchObject({
      name: "Default",
      artifact_location: "mlflow-artifacts:/0",
      lifecycle_stage: "active",
    });
  });

  it("leaves out the tags of one that has none", async () => {
    expect(await getExperiment(await createExperiment())).not.toHaveProperty("tags");
  });

  it.each([
    ["no name", {}, "Missing value for required parameter 'name'"],
    ["an empty name", { name: "" }, "Missing value for required parameter 'name'"],
    ["a number for a name", { name: 5 }, "Invalid value 5 for parameter 'name' supplied"],
    [
      "a name of 501 characters",
      { name: "x".repeat(501) },
      "'name' exceeds the maximum length of 500 characters",
    ],
    ["a runs:/ location", { name: "n", artifact_location: "runs:/r/p" }, "runs:/"],
    ["a location with a fragment", { name: "n", artifact_location: "s3://b/p#f" }, "fragments or params"],
    [
      "a location that climbs in its query",
      { name: "n", artifact_location: "s3://b/p?x=../y" },
      "Invalid query string",
    ],
    ["a location of 2049 characters", { name: "n", artifact_location: "x".repeat(2049) }, "2048 characters"],
    [
      "a location that names a host",
      { name: "n", artifact_location: "http://h/p" },
      "cannot use the 'http' scheme",
    ],
    [
      "a location below an ftp host",
      { name: "n", artifact_location: "ftp://h/p" },
      "cannot use the 'ftp' scheme",
    ],
  ])("refuses %s", async (_, body, message) => {
    expectError(await call("POST", "experiments/create", body), 400, "INVALID_PARAMETER_VALUE", message);
  });

  it.each([
    "s3://bucket/path",
    "gs://bucket/path",
    "wasbs://c@account.blob.core.windows.net/p",
    "dbfs:/path",
  ])("keeps the artifact location %s", async (artifact_location) => {
    const experiment = await createExperiment({ artifact_location });
    expect(await getExperiment(experiment)).toMatchObject({ artifact_location });
    const run = await createRun(experiment);
    expect(run["artifact_uri"]).toBe(`${artifact_location}/${run.run_id}/artifacts`);
  });

  it("renames one, touches its time, and refuses a name that is taken", async () => {
    const taken = unique("experiment");
    await createExperiment({ name: taken });
    const experiment = await createExperiment();
    const before = await getExperiment(experiment);
    const new_name = unique("renamed");
    expect(await ok("POST", "experiments/update", { experiment_id: experiment, new_name })).toEqual({});
    const after = await getExperiment(experiment);
    expect(after.name).toBe(new_name);
    expect(after.last_update_time).toBeGreaterThanOrEqual(before.last_update_time);
    const answer = await call("POST", "experiments/update", { experiment_id: experiment, new_name: taken });
    expectError(answer, 400, "BAD_REQUEST");
    const none = await call("POST", "experiments/update", { experiment_id: experiment });
    expectError(none, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'new_name'");
  });

  it("sets, overwrites and deletes tags; deleting a missing one is a 404", async () => {
    const experiment_id = await createExperiment();
    const set = (fields: object) =>
      call("POST", "experiments/set-experiment-tag", { experiment_id, ...fields });
    const remove = (key: string) => call("POST", "experiments/delete-experiment-tag", { experiment_id, key });
    expect(await set({ key: "a", value: "1" })).toMatchObject({ status: 200, body: {} });
    await set({ key: "a", value: "2" });
    await set({ key: "b" });
    const { tags } = await getExperiment(experiment_id);
    expect(tags).toHaveLength(2);
    expect(tags).toEqual(
      expect.arrayContaining([
        { key: "a", value: "2" },
        { key: "b", value: "" },
      ]),
    );
    expect(await remove("a")).toMatchObject({ status: 200, body: {} });
    expectError(await remove("a"), 404, "RESOURCE_DOES_NOT_EXIST", "No tag with name: a");
    expectError(await set({}), 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'key'");
    expectError(
      await set({ key: "a?b", value: "" }),
      400,
      "INVALID_PARAMETER_VALUE",
      "Names may only contain",
    );
    const long = await set({ key: "k".repeat(251), value: "" });
    expectError(long, 400, "INVALID_PARAMETER_VALUE", "exceeds the maximum length of 250 characters");
    await ok("POST", "experiments/set-experiment-tag", {
      experiment_id,
      key: "long",
      value: "v".repeat(20_000),
    });
  });

  it("deletes and restores one, with its runs", async () => {
    const experiment_id = await createExperiment();
    const run = await createRun(experiment_id);
    expect(await ok("POST", "experiments/delete", { experiment_id })).toEqual({});
    expect((await getRun(run.run_id)).info["lifecycle_stage"]).toBe("deleted");
    for (const [path, fields] of [
      ["runs/create", {}],
      ["logged-models", {}],
      ["experiments/set-experiment-tag", { key: "a", value: "1" }],
      ["experiments/delete-experiment-tag", { key: "a" }],
    ] as const) {
      const answer = await call("POST", path, { experiment_id, ...fields });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "must be in the 'active' state");
    }
    const again = await call("POST", "experiments/delete", { experiment_id });
    expectError(again, 404, "RESOURCE_DOES_NOT_EXIST", `No Experiment with id=${experiment_id} exists`);
    expect(await ok("POST", "experiments/restore", { experiment_id })).toEqual({});
    expect((await getRun(run.run_id)).info["lifecycle_stage"]).toBe("active");
    const active = await call("POST", "experiments/restore", { experiment_id });
    expectError(active, 404, "RESOURCE_DOES_NOT_EXIST", `No Experiment with id=${experiment_id} exists`);
  });

  it("searches by name, tag and view type", async () => {
    const prefix = unique("search");
    const make = (suffix: string, tags: object[]) => createExperiment({ name: `${prefix}-${suffix}`, tags });
    await make("a", [{ key: "team", value: "red" }]);
    await make("B", [{ key: "team", value: "blue" }]);
    const deleted = await make("c", []);
    await ok("POST", "experiments/delete", { experiment_id: deleted });
    const [a, b, c] = ["a", "B", "c"].map((suffix) => `${prefix}-${suffix}`);
    const named = (rest: string, more: object = {}) =>
      searchNames({ filter: `name LIKE '${prefix}%'${rest}`, order_by: ["name ASC"], ...more });
    // Text is compared by code point, so an upper-case letter comes first.
    expect(await named("")).toEqual([b, a]);
    expect(await named("", { view_type: "DELETED_ONLY" })).toEqual([c]);
    expect(await named("", { view_type: "ALL" })).toEqual([b, a, c]);
    expect(await named(" AND tags.team = 'red'")).toEqual([a]);
    expect(await named(" AND tags.team != 'red'")).toEqual([b]);
    expect(await named(" AND tags.team IS NULL", { view_type: "ALL" })).toEqual([c]);
    expect(await named(" AND tags.`team` ILIKE 'RE%'")).toEqual([a]);
    expect(await searchNames({ filter: `name ILIKE '${prefix.toUpperCase()}-b'` })).toEqual([b]);
    expect(await searchNames({ filter: `attribute.name = '${a}' AND creation_time > 0` })).toEqual([a]);
    expect(await searchNames({ filter: `experiment_id IN ('${deleted}')`, view_type: "ALL" })).toEqual([c]);
  });

  it("orders newest first by default and pages without gaps", async () => {
    const prefix = unique("page");
    const names: string[] = [];
    for (let i = 0; i < 5; i++) {
      names.unshift(`${prefix}-${i}`);
      await createExperiment({ name: names[0] });
    }
    const filter = `name LIKE '${prefix}%'`;
    const found: string[] = [];
    let page_token: string | undefined;
    let pages = 0;
    do {
      const page = await ok<Found>("POST", "experiments/search", { filter, max_results: 2, page_token });
      found.push(...(page.experiments ?? []).map(({ name }) => name));
      page_token = page.next_page_token;
      pages++;
    } while (page_token !== undefined);
    expect(pages).toBe(3);
    expect(found.sort()).toEqual([...names].sort());
    expect(await ok("POST", "experiments/search", { filter, max_results: 5 })).not.toHaveProperty(
      "next_page_token",
    );
    const query = { filter, max_results: 10, order_by: ["name DESC", "creation_time"] };
    const ordered = await ok<Found>("GET", "experiments/search", query);
    expect(ordered.experiments?.map(({ name }) => name)).toEqual(names);
  });

  it.each<[string, Record<string, unknown>]>([
    ["max_results of 0", { max_results: 0 }],
    ["max_results of -1", { max_results: -1 }],
    ["max_results above 50000", { max_results: 50_001 }],
    ["an unknown attribute", { max_results: 1, filter: "bogus = 'x'" }],
    // Millrace gives OR a meaning.
    ...(targetIsMlflow
      ? [["OR", { max_results: 1, filter: "name = 'a' OR name = 'b'" }] satisfies [string, object]]
      : []),
    ["two statements", { max_results: 1, filter: "name = 'a'; name = 'b'" }],
    ["a blank filter", { max_results: 1, filter: " " }],
    ["a number compared with a name", { max_results: 1, filter: "name = 5" }],
    ["ordering by a tag", { max_results: 1, order_by: ["tags.x"] }],
    ["ordering by an unknown attribute", { max_results: 1, order_by: ["bogus"] }],
    ["a page token that is none", { max_results: 1, page_token: "!!" }],
  ])("refuses a search with %s", async (_, body) => {
    expectError(await call("POST", "experiments/search", body), 400, "INVALID_PARAMETER_VALUE");
  });
});
