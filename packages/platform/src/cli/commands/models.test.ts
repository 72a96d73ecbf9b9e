/** The registry's verbs, against a database and, with the same answers, against its server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseOptions } from "../../options.ts";
import { serve } from "../../serve.ts";
import { millrace, type Outcome, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
const env = { MILLRACE_DATA_DIR: `${folder.path}/data` };
let runId = "";

async function ok(...words: readonly string[]): Promise<Outcome> {
  const outcome = await millrace(words, { env });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
  return outcome;
}

beforeAll(async () => {
  const run = (await ok("runs", "create", "--experiment-id", "0", "--json")).json();
  runId = (run as { info: { run_id: string } }).info.run_id;
});
afterAll(() => folder.remove());

test("a model's life", async () => {
  await ok("models", "create", "-n", "wine", "--description", "reds", "-t", "team=a");
  expect((await ok("models", "get", "-n", "wine", "--json")).json()).toMatchObject({
    name: "wine",
    description: "reds",
    tags: [{ key: "team", value: "a" }],
    aliases: [],
    latest_versions: [],
  });
  await ok("models", "update", "-n", "wine", "--description", "whites");
  await ok("models", "rename", "-n", "wine", "--new-name", "white wine");
  await ok("models", "set-tag", "-n", "white wine", "-k", "owner", "--value", "b");
  await ok("models", "delete-tag", "-n", "white wine", "-k", "team");
  expect((await ok("models", "search", "--filter", "name LIKE 'white%'", "--json")).json()).toMatchObject([
    { name: "white wine", description: "whites", tags: [{ key: "owner", value: "b" }] },
  ]);
  await ok("models", "delete", "-n", "white wine");
  expect((await ok("models", "list", "--json")).json()).toEqual([]);
});

test("a version's life", async () => {
  const made = await ok("models", "register", "-n", "it's", "--source", `runs:/${runId}/model`, "--json");
  expect(made.json()).toMatchObject({
    name: "it's",
    version: "1",
    run_id: runId,
    source: `mlflow-artifacts:/0/${runId}/artifacts/model`,
  });
  await ok("models", "create-version", "-n", "it's", "--source", `runs:/${runId}/model`, "-t", "a=b");
  await ok("models", "set-alias", "-n", "it's", "-a", "champion", "-v", "2");
  await ok("models", "set-stage", "-n", "it's", "-v", "1", "--stage", "Production");
  await ok(
    "models",
    "transition",
    "-n",
    "it's",
    "-v",
    "2",
    "--stage",
    "Production",
    "--archive-existing-versions",
  );
  await ok("models", "update-version", "-n", "it's", "-v", "2", "--description", "better");
  await ok("models", "set-tag", "-n", "it's", "-v", "2", "-k", "c", "--value", "d");
  await ok("models", "delete-tag", "-n", "it's", "-v", "2", "-k", "a");
  const byAlias = (await ok("models", "describe", "-n", "it's", "-a", "champion", "--json")).json();
  expect(byAlias).toMatchObject({
    version: "2",
    current_stage: "Production",
    description: "better",
    aliases: ["champion"],
    tags: [{ key: "c", value: "d" }],
  });
  expect((await ok("models", "get-version", "-n", "it's", "-v", "2", "--json")).json()).toEqual(byAlias);
  const versions = (await ok("models", "versions", "-n", "it's", "--json")).json();
  expect(versions).toMatchObject([{ version: "2" }, { version: "1", current_stage: "Archived" }]);

  const fails = async (...words: string[]): Promise<number> => (await millrace(words, { env })).code;
  expect(await fails("models", "describe", "-n", "it's")).toBe(2);
  expect(await fails("models", "describe", "-n", "it's", "-v", "two")).toBe(2);
  expect(await fails("models", "describe", "-n", "it's", "-v", "9")).toBe(1);
  expect(await fails("models", "set-stage", "-n", "it's", "-v", "1", "--stage", "Retired")).toBe(1);
  expect(await fails("models", "register", "-n", "x", "--source", `runs:/${"0".repeat(32)}/model`)).toBe(1);
});

test("metrics: history as table, CSV and JSON; the latest values", async () => {
  const server = await serve(
    parseOptions({ dataDir: `${folder.path}/data`, port: "0", logLevel: "silent" }, {}),
  );
  try {
    const values = [3, 1, "NaN", 2.5];
    const body = JSON.stringify({
      run_id: runId,
      metrics: values.map((value, step) => ({
        key: "loss",
        value,
        step,
        timestamp: 1_700_000_000_000 + step,
      })),
    });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${server.url}/api/2.0/mlflow/runs/log-batch`, {
      method: "POST",
      body,
      headers,
    });
    expect(answer.status).toBe(200);
  } finally {
    await server.stop();
  }
  const words = ["metrics", "get-history", "-r", runId, "-k", "loss"];
  expect((await ok(...words, "--csv")).stdout).toBe(
    "step,timestamp,value\r\n0,1700000000000,3\r\n1,1700000000001,1\r\n2,1700000000002,NaN\r\n3,1700000000003,2.5\r\n",
  );
  expect((await ok(...words, "--json", "--max-results", "3")).json()).toMatchObject([
    { step: 0, value: 3 },
    { step: 1, value: 1 },
    { step: 2, value: "NaN" },
  ]);
  expect((await ok(...words)).stdout).toContain("4 points, 1 to 3\n█▁ ▇\n");
  expect((await ok("metrics", "tail", "-r", runId)).stdout).toMatch(/step {6}3 {2}loss {2}2\.5\n$/);
  const followed = await millrace(["metrics", "tail", "-r", runId, "--follow"], { env });
  expect(followed).toMatchObject({ code: 0, stderr: "The run is FINISHED.\n" });
  expect((await millrace(["metrics", "tail", "-r", runId, "-k", "none"], { env })).code).toBe(2);
  expect((await millrace([...words, "--csv", "--json"], { env })).code).toBe(2);
  expect((await millrace(["metrics", "get-history", "-r", "none", "-k", "x"], { env })).code).toBe(1);
});

test("a server gives the same output as its database", async () => {
  const reads = [
    ["models", "search", "--json"],
    ["models", "search"],
    ["models", "get", "-n", "it's"],
    ["models", "versions", "--json"],
    ["models", "describe", "-n", "it's", "-v", "1"],
    ["metrics", "get-history", "-r", runId, "-k", "loss"],
    ["models", "get", "-n", "none"],
  ];
  const alone: Outcome[] = [];
  for (const words of reads) alone.push(await millrace(words, { env }));
  const server = await serve(
    parseOptions({ dataDir: `${folder.path}/data`, port: "0", logLevel: "silent" }, {}),
  );
  try {
    for (const [at, words] of reads.entries()) {
      const { code, stdout, stderr } = alone[at]!;
      const remote = await millrace(words, { env: { MLFLOW_TRACKING_URI: server.url } });
      expect(remote).toMatchObject({ code, stdout, stderr });
    }
  } finally {
    await server.stop();
  }
});
