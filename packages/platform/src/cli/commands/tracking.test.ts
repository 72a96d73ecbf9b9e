/** Experiments and runs: the same verbs against a database and against the server that has it open. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseOptions } from "../../options.ts";
import { type RunningServer, serve } from "../../serve.ts";
import { millrace, type Outcome, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
const database = `${folder.path}/store.db`;
const local = { MLFLOW_TRACKING_URI: `sqlite:///${database}` };
let server: RunningServer | undefined;

async function ok(words: readonly string[], env: Record<string, string> = local): Promise<Outcome> {
  const outcome = await millrace(words, { env });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
  return outcome;
}

const runIds: string[] = [];

beforeAll(async () => {
  await ok(["experiments", "create", "-n", "wine", "-t", "team=red"]);
  for (const [name, status] of [
    ['first, with "quotes"', "finished"],
    ["second\u001b[31m", "failed"],
    ["third", "killed"],
  ] as const) {
    const words = [
      "runs",
      "create",
      "--experiment-id",
      "1",
      "--run-name",
      name,
      "--status",
      status,
      "--json",
    ];
    const run = (await ok([...words, "-t", "kind=test", "--description", "two\nlines"])).json();
    runIds.push((run as { info: { run_id: string } }).info.run_id);
  }
});

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

describe("against a database", () => {
  test("experiments: get by id and name, rename, delete, restore", async () => {
    const byName = (await ok(["experiments", "get", "-n", "wine", "--json"])).json();
    expect(byName).toMatchObject({
      experiment_id: "1",
      lifecycle_stage: "active",
      tags: [{ key: "team", value: "red" }],
    });
    expect((await ok(["experiments", "get", "-x", "1", "--output", "json"])).json()).toEqual(byName);
    await ok(["experiments", "create", "-n", "short-lived"]);
    await ok(["experiments", "rename", "-x", "2", "--new-name", "renamed"]);
    await ok(["experiments", "delete", "-x", "2"]);
    const views = async (view: string): Promise<string[]> => {
      const found = (await ok(["experiments", "search", "--view", view, "--json"])).json();
      return (found as { name: string }[]).map(({ name }) => name).sort();
    };
    expect(await views("deleted_only")).toEqual(["renamed"]);
    expect(await views("active_only")).toEqual(["Default", "wine"]);
    expect(await views("all")).toEqual(["Default", "renamed", "wine"]);
    await ok(["experiments", "restore", "-x", "2"]);
    expect(await views("deleted_only")).toEqual([]);
    await ok(["experiments", "delete", "-x", "2"]);
  });

  test("what does not exist fails with 1, what is called wrongly with 2", async () => {
    const failing = async (words: readonly string[]): Promise<number> =>
      (await millrace(words, { env: local })).code;
    expect(await failing(["experiments", "get", "-x", "77"])).toBe(1);
    expect(await failing(["experiments", "create", "-n", "wine"])).toBe(1);
    expect(await failing(["runs", "describe", "--run-id", "0".repeat(32)])).toBe(1);
    expect(await failing(["runs", "list", "--experiment-id", "77"])).toBe(1);
    expect(await failing(["experiments", "get"])).toBe(2);
    expect(await failing(["experiments", "search", "--view", "some"])).toBe(2);
    expect(await failing(["experiments", "search", "--max-results", "0"])).toBe(2);
    expect(await failing(["runs", "create", "--experiment-id", "1", "--status", "done"])).toBe(2);
    expect(await failing(["runs", "create", "--experiment-id", "1", "-t", "novalue"])).toBe(2);
  });

  test("runs: status, tags and description arrive as MLflow's own", async () => {
    const run = (await ok(["runs", "describe", "--run-id", runIds[1]!, "--json"])).json();
    expect(run).toMatchObject({
      info: { status: "FAILED", experiment_id: "1" },
      inputs: { dataset_inputs: [] },
    });
    const { tags } = (run as { data: { tags: { key: string; value: string }[] } }).data;
    expect(tags).toContainEqual({ key: "mlflow.note.content", value: "two\nlines" });
    expect(tags).toContainEqual({ key: "kind", value: "test" });
  });

  test("a terminal gets a table of its width, and no control characters of others", async () => {
    const { stdout } = await millrace(["runs", "list", "--experiment-id", "1"], {
      env: { ...local, NO_COLOR: "1" },
      columns: 90,
    });
    for (const line of stdout.trimEnd().split("\n")) expect(line.length).toBeLessThanOrEqual(90);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain(runIds[0]);
    const coloured = await millrace(["runs", "list", "--experiment-id", "1"], { env: local, columns: 90 });
    expect(coloured.stdout).toContain("\u001b[1m");
  });

  test("csv quotes what must be quoted", async () => {
    const file = `${folder.path}/runs.csv`;
    await ok(["experiments", "csv", "-x", "1", "-o", file]);
    const text = readFileSync(file, "utf8");
    expect(text).toContain('"first, with ""quotes"""');
    expect(text).toContain('"two\nlines"');
    expect(text.split("\r\n")[0]).toMatch(
      /^run_id,experiment_id,status,artifact_uri,start_time,end_time,tags\.kind,/,
    );
    expect((await ok(["experiments", "csv", "-x", "1"])).stdout).toBe(text);
  });

  test("runs: delete and restore several", async () => {
    const stages = async (): Promise<number[]> => {
      const lists = await Promise.all(
        ["active_only", "deleted_only"].map((view) => ok(["runs", "list", "-x", "1", "-v", view, "--json"])),
      );
      return lists.map((list) => (list.json() as unknown[]).length);
    };
    await ok(["runs", "delete", "--run-id", runIds[0]!, "--run-id", runIds[1]!]);
    expect(await stages()).toEqual([1, 2]);
    await ok(["runs", "restore", "--run-id", runIds[0]!, "--run-id", runIds[1]!]);
    expect(await stages()).toEqual([3, 0]);
  });
});

test("a server gives the same output as its database", async () => {
  const reads = [
    ["experiments", "search", "--json"],
    ["experiments", "search", "--view", "all"],
    ["experiments", "get", "-n", "wine"],
    ["experiments", "csv", "-x", "1"],
    ["runs", "list", "-x", "1", "--order-by", "attributes.run_name ASC", "--json"],
    [
      "runs",
      "list",
      "-x",
      "1",
      "--filter",
      "tags.kind = 'test'",
      "--max-results",
      "2",
      "--columns",
      "tags.kind",
    ],
    ["runs", "describe", "-r", runIds[0]!],
    ["runs", "compare", ...runIds, "--all"],
    ["experiments", "get", "-x", "77"],
  ];
  const alone: Outcome[] = [];
  for (const words of reads) alone.push(await millrace(words, { env: local }));
  server = await serve(parseOptions({ backendStoreUri: database, port: "0", logLevel: "silent" }, {}));
  for (const [at, words] of reads.entries()) {
    const { code, stdout, stderr } = alone[at]!;
    const remote = { MLFLOW_TRACKING_URI: server.url };
    expect(await millrace(words, { env: remote })).toMatchObject({ code, stdout, stderr });
    // The database's address finds the server that has it open.
    expect(await millrace(words, { env: local })).toMatchObject({ code, stdout, stderr });
  }
});
