/** Backup, restore, check and removal on real files, beside a server that writes. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type NodeClient } from "@millrace/client/node";
import { parseOptions } from "../../options.ts";
import { type RunningServer, serve } from "../../serve.ts";
import { millrace, type Outcome, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
const dataDir = `${folder.path}/data`;
const database = `${dataDir}/millrace.db`;
const env = { MILLRACE_DATA_DIR: dataDir };
let server: RunningServer;
let client: NodeClient;

async function start(): Promise<void> {
  server = await serve(parseOptions({ dataDir, port: "0", logLevel: "silent" }, {}));
  client = createClient({ baseUrl: server.url });
}

async function ok(words: readonly string[]): Promise<Outcome> {
  const outcome = await millrace(words, { env });
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

function tables(path: string): Record<string, unknown[]> {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const names = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return Object.fromEntries(
      names
        .map(({ name }) => String(name))
        .filter((name) => !["changes", "sqlite_sequence", "millrace_meta"].includes(name))
        .map((name) => [name, db.prepare(`SELECT * FROM ${name}`).all()]),
    );
  } finally {
    db.close();
  }
}

/** A run with enough points that some are sealed, an artifact, a tag and a param. */
async function makeRun(experimentId: string, points: number): Promise<string> {
  const { info } = await client.runs.create({ experimentId, tags: [{ key: "made", value: "here" }] });
  const { runId } = info;
  await client.runs.logParam({ runId, key: "alpha", value: "0.5" });
  for (let first = 0; first < points; first += 1_000) {
    const metrics = Array.from({ length: Math.min(1_000, points - first) }, (_, at) => ({
      key: "loss",
      value: 1 / (first + at + 1),
      timestamp: 1_700_000_000_000 + first + at,
      step: first + at,
    }));
    await client.runs.logBatch({ runId, metrics });
  }
  await client.artifacts.upload({ runId }, "model/weights.bin", new Uint8Array([1, 2, 3, 4]));
  await client.runs.update({ runId, status: "FINISHED", endTime: 1_700_000_100_000 });
  return runId;
}

beforeAll(start);
afterAll(async () => {
  await server.stop();
  folder.remove();
});

test("a backup made while a server writes is whole, and restores to what was there", async () => {
  const runId = await makeRun("0", 2_500);
  let writing = true;
  let acknowledged = 0;
  const writer = (async () => {
    while (writing) {
      await client.runs.logMetric({
        runId,
        key: "late",
        value: acknowledged,
        timestamp: 5,
        step: acknowledged,
      });
      acknowledged++;
    }
  })();
  while (acknowledged < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  const before = acknowledged;
  const file = `${folder.path}/copy.db`;
  const manifest = (await ok(["backup", file, "--artifacts", "--json"])).json() as Record<string, unknown>;
  writing = false;
  await writer;
  expect(manifest).toMatchObject({ counts: { runs: 1 }, artifacts: { files: 1, bytes: 4 } });
  expect(readdirSync(folder.path).filter((name) => name.startsWith("copy.db"))).toEqual([
    "copy.db",
    "copy.db.artifacts",
    "copy.db.manifest.json",
  ]);
  const late = tables(file)["points"]!.concat(tables(file)["chunks"]!);
  expect(late.length).toBeGreaterThanOrEqual(before);
  expect((await ok(["db", "check", file, "--json"])).json()).toMatchObject({ ok: true, problems: [] });
  expect((await millrace(["backup", file], { env })).stderr).toContain("exists already");

  const refused = await millrace(["restore", file], { env });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(server.url) as string });

  const atBackup = tables(file);
  await client.runs.delete(runId);
  await client.experiments.create({ name: "after the backup" });
  await server.stop();
  const artifact = (await findFiles(`${dataDir}/artifacts`))[0]!;
  writeFileSync(artifact, "overwritten");
  const restored = (await ok(["restore", file, "--json"])).json() as { kept: string };
  expect(tables(database)).toEqual(atBackup);
  expect(readFileSync(artifact)).toEqual(Buffer.from([1, 2, 3, 4]));
  expect(tables(restored.kept)["experiments"]).toHaveLength(2);

  await start();
  expect((await client.runs.get(runId)).data.params).toEqual([{ key: "alpha", value: "0.5" }]);
  const points = await client.metrics.history({ runId, metricKey: "loss" }).toArray();
  expect(points.map(({ value }) => value)).toEqual(Array.from({ length: 2_500 }, (_, at) => 1 / (at + 1)));
});

async function findFiles(path: string): Promise<string[]> {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

test("a damaged backup, or one that was changed, is refused and nothing moves", async () => {
  const file = `${folder.path}/damaged.db`;
  await ok(["backup", file]);
  const bytes = readFileSync(file);
  const changed = Buffer.from(bytes);
  changed[bytes.length - 100]! ^= 0xff;
  writeFileSync(file, changed);
  const target = ["--data-dir", `${folder.path}/elsewhere`];
  expect(await millrace(["restore", file, ...target])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("SHA-256") as string,
  });
  // Without a manifest, integrity_check has to find it: pages of zeros in the middle.
  const holed = Buffer.from(bytes).fill(0, 8_192 * 3, 8_192 * 6);
  mkdirSync(`${folder.path}/bare`);
  writeFileSync(`${folder.path}/bare/holed.db`, holed);
  expect((await millrace(["restore", `${folder.path}/bare/holed.db`, ...target])).code).toBe(1);
  writeFileSync(`${folder.path}/bare/text.db`, "this is no database");
  expect((await millrace(["restore", `${folder.path}/bare/text.db`, ...target])).code).toBe(1);
  expect(existsSync(`${folder.path}/elsewhere/millrace.db`)).toBe(false);
});

test("db check names each kind of damage", async () => {
  const file = `${folder.path}/to-break.db`;
  await ok(["backup", file]);
  const broken = async (sql: string): Promise<string> => {
    const copy = `${folder.path}/broken.db`;
    cpSync(file, copy);
    const db = new DatabaseSync(copy);
    db.exec(sql);
    db.close();
    const { code, stdout } = await millrace(["db", "check", `sqlite:///${copy}`], { env: {} });
    expect(code).toBe(1);
    return stdout;
  };
  expect(await broken("DELETE FROM keys WHERE name = 'alpha'")).toMatch(/rows of params name a row of keys/);
  expect(await broken("UPDATE series SET max_value = max_value + 1")).toMatch(/minimum or maximum/);
  expect(await broken("UPDATE series SET latest_step = latest_step - 1")).toMatch(/latest value disagrees/);
  expect(await broken("DELETE FROM points")).toMatch(/recent points are counted/);
  expect(await broken("DELETE FROM chunks")).toMatch(/sealed points are counted/);
  expect(await broken("UPDATE chunks SET data = substr(data, 1, 40)")).toMatch(/cannot be read/);
  expect(await broken("UPDATE chunks SET last_step = last_step + 1")).toMatch(/described wrongly/);
  expect((await millrace(["db", "check", `${folder.path}/none.db`], { env: {} })).code).toBe(1);
});

test("gc removes what is deleted, with its files, and nothing else", async () => {
  const kept = await makeRun("0", 1_500);
  const before = tables(database);
  const filesBefore = (await findFiles(`${dataDir}/artifacts`)).sort();

  const experimentId = await client.experiments.create({ name: "to go" });
  const runs = [
    await makeRun(experimentId, 3_000),
    await makeRun(experimentId, 10),
    await makeRun("0", 1_200),
  ];
  const model = await client.loggedModels.create({ experimentId, name: "model", sourceRunId: runs[0] });
  await client.artifacts.upload({ modelId: model.info.modelId }, "MLmodel", "flavors: {}");
  await client.runs.delete(runs[2]!);
  await client.experiments.delete(experimentId);

  const dry = (await ok(["gc", "--dry-run", "--json"])).json() as { runs: string[]; experiments: string[] };
  expect(dry.runs.sort()).toEqual([...runs].sort());
  expect(dry.experiments).toEqual([experimentId]);
  expect(tables(database)["runs"]).toHaveLength(before["runs"]!.length + 3);

  const old = (await ok(["gc", "--older-than", "1d", "--json"])).json();
  expect(old).toMatchObject({ runs: [], experiments: [] });
  expect((await millrace(["gc", "--run-ids", kept], { env })).stderr).toContain("is not deleted");
  expect((await millrace(["gc", "--run-ids", runs[2]!, "--older-than", "1h"], { env })).code).toBe(1);
  expect((await millrace(["gc", "--older-than", "soon"], { env })).code).toBe(2);
  expect(await millrace(["gc"], { env, answer: false })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Nothing was removed") as string,
  });

  await ok(["gc", "--run-ids", runs[2]!]);
  expect(tables(database)["runs"]).toHaveLength(before["runs"]!.length + 2);
  expect((await millrace(["gc"], { env, answer: true })).code).toBe(0);

  const after = tables(database);
  for (const [name, rows] of Object.entries(before)) {
    // Names stay interned; summaries of the kept run may have been sealed meanwhile.
    if (["keys", "points", "chunks", "series"].includes(name)) continue;
    expect(after[name], name).toEqual(rows);
  }
  expect((await findFiles(`${dataDir}/artifacts`)).sort()).toEqual(filesBefore);
  expect((await ok(["db", "check", "--json"])).json()).toMatchObject({ ok: true });
  expect(await client.metrics.history({ runId: kept, metricKey: "loss" }).toArray()).toHaveLength(1_500);
  await expect(client.runs.get(runs[0]!)).rejects.toThrow(/not found/);
});

test("artifacts that cannot be removed wait in the queue and are tried again", async () => {
  const runId = await makeRun("0", 5);
  await client.runs.delete(runId);
  const db = new DatabaseSync(database);
  db.prepare("UPDATE runs SET artifact_uri = ? WHERE run_id = ?").run("/etc/not-ours/artifacts", runId);
  db.close();
  const first = await millrace(["gc", "--json"], { env });
  expect(first.code).toBe(1);
  expect(first.json()).toMatchObject({
    artifacts: { removed: 0, waiting: 1, failed: [{ uri: "/etc/not-ours/artifacts" }] },
  });
  const again = new DatabaseSync(database);
  expect(again.prepare("SELECT attempts FROM artifact_purges").all()).toEqual([{ attempts: 1 }]);
  again.prepare("UPDATE artifact_purges SET next_attempt_time = 0, uri = 'mlflow-artifacts:/gone'").run();
  again.close();
  expect((await ok(["gc", "--json"])).json()).toMatchObject({ artifacts: { removed: 1, waiting: 0 } });
});

test("an interrupted removal is finished by the next one", async () => {
  const runId = await makeRun("0", 3_000);
  const db = new DatabaseSync(database);
  // What a process leaves that was killed after its first transaction.
  const { id } = db.prepare("SELECT id FROM runs WHERE run_id = ?").get(runId) as { id: number };
  db.prepare("DELETE FROM runs WHERE id = ?").run(id);
  db.close();
  expect((await millrace(["db", "check"], { env })).code).toBe(1);
  expect((await ok(["gc"])).stdout).toContain("Finished 1 removal that had been interrupted");
  expect((await ok(["db", "check", "--json"])).json()).toMatchObject({ ok: true });
  const after = tables(database);
  for (const name of ["params", "tags", "series", "points", "chunks"]) {
    expect(
      after[name]!.filter((row) => (row as { run: number }).run === id),
      name,
    ).toEqual([]);
  }
});

test("db upgrade says that nothing is to do, and refuses what is not ours", async () => {
  expect((await millrace(["db", "upgrade"], { env })).stderr).toContain("in use by process");
  await server.stop();
  expect((await ok(["db", "upgrade", `sqlite:///${database}`])).stdout).toContain("up to date");
  const foreign = `${folder.path}/mlflow.db`;
  const db = new DatabaseSync(foreign);
  db.exec("CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE runs (run_uuid TEXT)");
  db.close();
  const bytes = readFileSync(foreign);
  for (const words of [
    ["db", "upgrade", foreign],
    ["db", "check", foreign],
    ["gc", "--backend-store-uri", foreign],
  ]) {
    const { code, stderr } = await millrace(words, { env: {} });
    expect(code).toBe(1);
    expect(stderr).toContain("MLflow");
  }
  expect(readFileSync(foreign)).toEqual(bytes);
  await start();
});
