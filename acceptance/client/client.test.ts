/**
 * The TypeScript client against a real server, Millrace or MLflow: every assertion holds for both, but for the parts
 * that ask `isMlflow`.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient, MillraceError, type NodeClient } from "@millrace/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";

let server: RunningServer;
let client: NodeClient;
let folder: string;
let experimentId: string;
const unique = randomBytes(4).toString("hex");

beforeAll(async () => {
  server = await startServer();
  client = createClient({ baseUrl: server.url });
  folder = await mkdtemp(path.join(tmpdir(), "millrace-client-"));
  experimentId = await client.experiments.create({
    name: `client-${unique}`,
    tags: [{ key: "team", value: "a" }],
  });
});
afterAll(async () => {
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const newRun = async (runName?: string): Promise<string> =>
  (await client.runs.create({ experimentId, runName })).info.runId;

async function codeOf(call: Promise<unknown>): Promise<[string, number] | "no error"> {
  try {
    await call;
    return "no error";
  } catch (error) {
    if (error instanceof MillraceError) return [error.code, error.status];
    throw error;
  }
}

describe("server", () => {
  test("is healthy and of the 3.17 line", async () => {
    await client.server.health();
    expect(await client.server.version()).toMatch(/^3\.17\./);
    expect((await client.server.info()).workspacesEnabled).toBe(false);
  });
});

describe("experiments", () => {
  test("are found by id and name, and pages lead to all of them", async () => {
    expect(await client.experiments.get(experimentId)).toMatchObject({
      experimentId,
      name: `client-${unique}`,
      lifecycleStage: "active",
      tags: [{ key: "team", value: "a" }],
    });
    expect((await client.experiments.getByName(`client-${unique}`)).experimentId).toBe(experimentId);
    const made = await Promise.all(
      [1, 2, 3].map((n) => client.experiments.create({ name: `paged-${unique}-${n}` })),
    );
    const found: string[] = [];
    for await (const one of client.experiments.search({
      filter: `name LIKE 'paged-${unique}-%'`,
      maxResults: 2,
    })) {
      found.push(one.experimentId);
    }
    expect(found.sort()).toEqual(made.sort());
  });

  test("getOrCreate makes one of many at once", async () => {
    const name = `once-${unique}`;
    const all = await Promise.all(Array.from({ length: 4 }, () => client.experiments.getOrCreate({ name })));
    expect(new Set(all.map((one) => one.experimentId)).size).toBe(1);
  });

  test("are renamed, tagged, deleted and restored", async () => {
    const id = await client.experiments.create({ name: `life-${unique}` });
    await client.experiments.rename(id, `life2-${unique}`);
    await client.experiments.setTag({ experimentId: id, key: "a", value: "1" });
    await client.experiments.setTag({ experimentId: id, key: "b", value: "2" });
    await client.experiments.deleteTag({ experimentId: id, key: "b" });
    await client.experiments.delete(id);
    expect(await client.experiments.get(id)).toMatchObject({
      name: `life2-${unique}`,
      lifecycleStage: "deleted",
    });
    await client.experiments.restore(id);
    expect(await client.experiments.get(id)).toMatchObject({
      lifecycleStage: "active",
      tags: [{ key: "a", value: "1" }],
    });
  });
});

describe("runs", () => {
  test("hold what was logged, exactly", async () => {
    const runId = await newRun("exact");
    await client.runs.logBatch({
      runId,
      metrics: [
        { key: "loss", value: 0.1 + 0.2, timestamp: 1, step: 1 },
        { key: "loss", value: 5e-324, timestamp: 2, step: 9_007_199_254_740_993n },
        { key: "nan", value: Number.NaN, timestamp: 3, step: -2 },
        { key: "inf", value: Number.POSITIVE_INFINITY, timestamp: 3 },
      ],
      params: [{ key: "ünï/code", value: "日本 🚀" }],
      tags: [{ key: "t", value: "" }],
    });
    await client.runs.logMetric({ runId, key: "one", value: -0, timestamp: 4 });
    await client.runs.logParam({ runId, key: "p", value: "1" });
    const { data } = await client.runs.get(runId);
    const latest = Object.fromEntries(data.metrics.map(({ key, value, step }) => [key, { value, step }]));
    expect(latest).toEqual({
      loss: { value: 5e-324, step: 9_007_199_254_740_993n },
      nan: { value: Number.NaN, step: -2 },
      inf: { value: Number.MAX_VALUE, step: 0 },
      one: { value: expect.closeTo(0), step: 0 },
    });
    expect(data.params).toContainEqual({ key: "ünï/code", value: "日本 🚀" });
    expect(data.tags).toContainEqual({ key: "t", value: "" });
    const history = await client.metrics.history({ runId, metricKey: "loss" }).toArray();
    expect(history.map(({ value, step }) => [value, step])).toEqual([
      [0.1 + 0.2, 1],
      [5e-324, 9_007_199_254_740_993n],
    ]);
  });

  test("pages of a search lead to all of them, in order", async () => {
    const inside = await client.experiments.create({ name: `pages-${unique}` });
    for (let n = 0; n < 7; n++) {
      const { info } = await client.runs.create({ experimentId: inside });
      await client.runs.logMetric({ runId: info.runId, key: "m", value: n, timestamp: 1 });
    }
    const search = client.runs.search({
      experimentIds: [inside],
      filter: "metrics.m > 0",
      orderBy: ["metrics.m DESC"],
      maxResults: 3,
    });
    const values = (await search.toArray()).map((run) => run.data.metrics[0]?.value);
    expect(values).toEqual([6, 5, 4, 3, 2, 1]);
    const first = await search.page();
    expect(first.items.length).toBe(3);
    expect((await search.page(first.nextPageToken)).items.map((run) => run.data.metrics[0]?.value)).toEqual([
      3, 2, 1,
    ]);
    expect((await search.toArray(4)).length).toBe(4);
  });

  test("histories of several runs", async () => {
    const runIds = [await newRun(), await newRun()];
    for (const runId of runIds) {
      const metrics = Array.from({ length: 100 }, (_, step) => ({
        key: "m",
        value: step,
        step,
        timestamp: step,
      }));
      await client.runs.logBatch({ runId, metrics });
    }
    const all = await client.metrics.historyBulk({ runId: runIds, metricKey: "m", maxResults: 25_000 });
    expect(all.length).toBe(200);
    const sample = await client.metrics.historySample({ runIds, metricKey: "m", maxResults: 5 });
    expect(sample.filter(({ runId }) => runId === runIds[1]).map(({ value }) => value)).toEqual([
      0, 20, 40, 60, 99,
    ]);
    let points = 0;
    for await (const page of client.metrics
      .history({ runId: runIds[0]!, metricKey: "m", maxResults: 30 })
      .pages()) {
      points += page.items.length;
    }
    expect(points).toBe(100);
  });

  test("are updated, tagged, deleted and restored", async () => {
    const runId = await newRun();
    await client.runs.setTag({ runId, key: "a", value: "1" });
    await client.runs.setTag({ runId, key: "b", value: "1" });
    await client.runs.deleteTag({ runId, key: "b" });
    const info = await client.runs.update({ runId, status: "FINISHED", endTime: 5, runName: "renamed" });
    expect(info).toMatchObject({ runId, status: "FINISHED", endTime: 5, runName: "renamed" });
    await client.runs.delete(runId);
    expect((await client.runs.get(runId)).info.lifecycleStage).toBe("deleted");
    await client.runs.restore(runId);
    const { info: restored, data } = await client.runs.get(runId);
    expect(restored.lifecycleStage).toBe("active");
    expect(data.tags.filter(({ key }) => key === "a" || key === "b")).toEqual([{ key: "a", value: "1" }]);
  });

  test("errors have MLflow's codes", async () => {
    const runId = await newRun();
    await client.runs.logParam({ runId, key: "p", value: "1" });
    expect(await codeOf(client.runs.get("0".repeat(32)))).toEqual(["RESOURCE_DOES_NOT_EXIST", 404]);
    expect(await codeOf(client.runs.logParam({ runId, key: "p", value: "2" }))).toEqual([
      "INVALID_PARAMETER_VALUE",
      400,
    ]);
    expect(await codeOf(client.experiments.create({ name: `client-${unique}` }))).toEqual([
      "RESOURCE_ALREADY_EXISTS",
      400,
    ]);
    expect(
      await codeOf(client.runs.search({ experimentIds: [experimentId], filter: "bogus" }).page()),
    ).toEqual(["INVALID_PARAMETER_VALUE", 400]);
    expect(await codeOf(client.models.get(`none-${unique}`))).toEqual(["RESOURCE_DOES_NOT_EXIST", 404]);
  });

  test("leases, activity and changes are Millrace's; elsewhere the error says so", async () => {
    const runId = await newRun();
    if (server.kind === "mlflow") {
      const missing = ["ENDPOINT_NOT_FOUND", 404];
      expect(await codeOf(client.runs.renewLease({ runId, leaseMs: 1_000 }))).toEqual(missing);
      expect(await codeOf(client.runs.activity([runId]))).toEqual(missing);
      expect(await codeOf(client.changes.list())).toEqual(missing);
      return;
    }
    expect(await client.runs.renewLease({ runId, leaseMs: 60_000 })).toBeGreaterThan(Date.now());
    const { cursor } = await client.changes.list();
    await client.runs.update({ runId, runName: "changed" });
    for await (const { changes } of client.changes.follow({ cursor, pollMs: 20 })) {
      if (changes.some((change) => change.id === runId)) break;
    }
    expect((await client.runs.activity([runId]))[0]).toMatchObject({ runId });
  });

  test("inputs, data sets and outputs", async () => {
    const runId = await newRun();
    const dataset = { name: "wine", digest: "d1", sourceType: "local", source: '{"uri":"w.csv"}' };
    const tags = [{ key: "mlflow.data.context", value: "training" }];
    await client.runs.logInputs({ runId, datasets: [{ dataset, tags }] });
    expect((await client.runs.get(runId)).inputs.datasetInputs).toMatchObject([{ dataset, tags }]);
    expect(await client.experiments.searchDatasets([experimentId])).toContainEqual({
      experimentId,
      name: "wine",
      digest: "d1",
      context: "training",
    });
  });
});

describe("registry", () => {
  test("models, versions, aliases, stages and tags", async () => {
    const name = `wine-${unique}`;
    const runId = await newRun();
    await client.artifacts.upload({ runId }, "model/MLmodel", "flavors: {}");
    const { artifactUri } = (await client.runs.get(runId)).info;
    await client.models.create({ name, description: "d", tags: [{ key: "k", value: "v" }] });
    expect(await codeOf(client.models.create({ name }))).toEqual(["RESOURCE_ALREADY_EXISTS", 400]);
    const source = `${artifactUri}/model`;
    const first = await client.models.versions.create({ name, source, runId });
    const second = await client.models.versions.create({ name, source, runId, description: "two" });
    expect([first.version, second.version]).toEqual(["1", "2"]);
    await client.models.aliases.set({ name, alias: "champion", version: "2" });
    expect((await client.models.aliases.get(name, "champion")).version).toBe("2");
    await client.models.versions.setTag({ name, version: "2", key: "a", value: "b" });
    const staged = await client.models.versions.transitionStage({
      name,
      version: "1",
      stage: "production",
      archiveExistingVersions: false,
    });
    expect(staged.currentStage).toBe("Production");
    const latest = await client.models.latestVersions({ name, stages: ["Production"] });
    expect(latest.map(({ version }) => version)).toEqual(["1"]);
    expect(await client.models.versions.downloadUri(name, "1")).toBe(source);
    expect(await client.models.versions.get(name, "2")).toMatchObject({
      aliases: ["champion"],
      description: "two",
      tags: [{ key: "a", value: "b" }],
    });
    const versions = client.models.versions.search({ filter: `name='${name}'`, maxResults: 1 });
    expect((await versions.toArray()).map(({ version }) => version).sort()).toEqual(["1", "2"]);
    expect(await client.artifacts.text({ name, version: "1" }, "MLmodel")).toBe("flavors: {}");
    expect(
      (await client.artifacts.list({ name, version: "1" }).toArray()).map(({ path: file }) => file),
    ).toEqual(["MLmodel"]);

    await client.models.aliases.delete(name, "champion");
    await client.models.versions.update({ name, version: "2", description: "deux" });
    await client.models.versions.deleteTag({ name, version: "2", key: "a" });
    await client.models.versions.delete(name, "1");
    await client.models.setTag({ name, key: "x", value: "y" });
    await client.models.deleteTag({ name, key: "k" });
    await client.models.update({ name, description: "e" });
    const renamed = await client.models.rename(name, `${name}-2`);
    expect(renamed.name).toBe(`${name}-2`);
    expect(await client.models.get(`${name}-2`)).toMatchObject({
      description: "e",
      tags: [{ key: "x", value: "y" }],
      aliases: [],
      latestVersions: [{ version: "2", description: "deux" }],
    });
    const found = await client.models.search({ filter: `name LIKE '${name}%'` }).toArray();
    expect(found.map((model) => model.name)).toEqual([`${name}-2`]);
    await client.models.delete(`${name}-2`);
    expect(await codeOf(client.models.get(`${name}-2`))).toEqual(["RESOURCE_DOES_NOT_EXIST", 404]);
  });

  test("logged models", async () => {
    const sourceRunId = await newRun();
    const created = await client.loggedModels.create({
      experimentId,
      name: "net",
      sourceRunId,
      modelType: "t",
    });
    const { modelId } = created.info;
    expect(created.info.status).toBe("LOGGED_MODEL_PENDING");
    await client.artifacts.upload({ modelId }, "MLmodel", "flavors: {}");
    await client.loggedModels.logParams({ modelId, params: [{ key: "lr", value: "0.1" }] });
    await client.loggedModels.setTags({ modelId, tags: [{ key: "a/b", value: "c" }] });
    await client.runs.logOutputs({ runId: sourceRunId, models: [{ modelId, step: 3 }] });
    await client.loggedModels.finalize({ modelId, status: "LOGGED_MODEL_READY" });
    const model = await client.loggedModels.get(modelId);
    expect(model.info).toMatchObject({ name: "net", status: "LOGGED_MODEL_READY", sourceRunId });
    expect(model.data.params).toEqual([{ key: "lr", value: "0.1" }]);
    expect(model.info.tags).toContainEqual({ key: "a/b", value: "c" });
    expect((await client.artifacts.list({ modelId }).toArray()).map(({ path: file }) => file)).toEqual([
      "MLmodel",
    ]);
    expect((await client.runs.get(sourceRunId)).outputs.modelOutputs).toMatchObject([{ modelId, step: 3 }]);
    const found = await client.loggedModels
      .search({ experimentIds: [experimentId], filter: "name = 'net' AND params.lr = '0.1'" })
      .toArray();
    expect(found.map(({ info }) => info.modelId)).toEqual([modelId]);
    await client.loggedModels.delete(modelId);
    expect(await codeOf(client.loggedModels.get(modelId))).toEqual(["RESOURCE_DOES_NOT_EXIST", 404]);
  });
});

describe("webhooks", () => {
  test("are created, listed, changed and deleted, and keep their secret", async () => {
    const event = { entity: "MODEL_VERSION", action: "CREATED" } as const;
    const name = `hook-${unique}`;
    const url = "https://8.8.8.8/hook";
    const created = await client.webhooks.create({ name, url, events: [event], secret: "s3cret" });
    const webhookId = created.webhookId!;
    expect(created).toMatchObject({ name, url, events: [event], status: "ACTIVE" });
    await client.webhooks.update({ webhookId, status: "DISABLED", description: "quiet" });
    const read = await client.webhooks.get(webhookId);
    expect(read).toMatchObject({ name, status: "DISABLED", description: "quiet" });
    expect(JSON.stringify(read)).not.toContain("s3cret");
    const listed = await client.webhooks.list({ maxResults: 1 }).toArray();
    expect(listed.map((webhook) => webhook.webhookId)).toContain(webhookId);
    await client.webhooks.delete(webhookId);
    expect(await codeOf(client.webhooks.get(webhookId))).toEqual(["RESOURCE_DOES_NOT_EXIST", 404]);
  });
});

describe("artifacts", () => {
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  test("a folder goes up and comes down the same, with progress", async () => {
    const runId = await newRun();
    const from = path.join(folder, "up");
    await mkdir(path.join(from, "deep", "ünï"), { recursive: true });
    const files: Readonly<Record<string, Uint8Array>> = {
      "a.txt": new TextEncoder().encode("hello"),
      "empty.bin": new Uint8Array(0),
      "deep/big.bin": randomBytes(3 * 1024 * 1024 + 17),
      "deep/ünï/100% 1 ?.txt": randomBytes(100),
    };
    for (const [file, bytes] of Object.entries(files)) await writeFile(path.join(from, file), bytes);
    const totalBytes = Object.values(files).reduce((sum, bytes) => sum + bytes.byteLength, 0);
    const count = Object.keys(files).length;

    const up: unknown[] = [];
    const uploaded = await client.artifacts.uploadFolder({ runId }, from, "data", {
      onProgress: (p) => up.push(p),
    });
    expect(uploaded).toBe(count);
    expect(up.at(-1)).toMatchObject({
      doneBytes: totalBytes,
      totalBytes,
      filesDone: count,
      filesTotal: count,
    });
    expect(up.length).toBeGreaterThan(count);

    const listed = await client.artifacts.list({ runId }, "data").toArray();
    expect(listed.map(({ path: file, isDir }) => [file, isDir])).toEqual([
      ["data/a.txt", false],
      ["data/deep", true],
      ["data/empty.bin", false],
    ]);
    const walked: string[] = [];
    for await (const file of client.artifacts.walk({ runId })) walked.push(file.path);
    expect(walked.sort()).toEqual(
      Object.keys(files)
        .map((file) => `data/${file}`)
        .sort(),
    );

    const to = path.join(folder, "down");
    const down: unknown[] = [];
    await client.artifacts.downloadTo({ runId }, "data", to, { onProgress: (p) => down.push(p) });
    expect(down.at(-1)).toMatchObject({ doneBytes: totalBytes, totalBytes, filesDone: count });
    for (const [file, bytes] of Object.entries(files)) {
      expect(digest(await readFile(path.join(to, "data", file))), file).toBe(digest(bytes));
    }
    // Nothing temporary is left.
    expect((await readdir(path.join(to, "data"))).sort()).toEqual(["a.txt", "deep", "empty.bin"]);
  });

  test("every kind of content goes up", async () => {
    const runId = await newRun();
    const contents = {
      "text.txt": "text",
      "bytes.bin": new TextEncoder().encode("text"),
      "blob.bin": new Blob(["te", "xt"]),
      "stream.bin": new Blob(["text"]).stream(),
    };
    for (const [file, content] of Object.entries(contents)) {
      await client.artifacts.upload({ runId }, file, content);
      expect(await client.artifacts.text({ runId }, file), file).toBe("text");
    }
  });

  test("a single file is downloaded by its path, and a missing one is an error", async () => {
    const runId = await newRun();
    await client.artifacts.upload({ runId }, "a/b.txt", "x");
    const to = path.join(folder, "single");
    expect(await client.artifacts.downloadTo({ runId }, "a/b.txt", to)).toBe(1);
    expect(await readFile(path.join(to, "a/b.txt"), "utf8")).toBe("x");
    expect(await codeOf(client.artifacts.downloadTo({ runId }, "a/none.txt", to))).toEqual([
      "RESOURCE_DOES_NOT_EXIST",
      404,
    ]);
    expect(await readdir(path.join(to, "a"))).toEqual(["b.txt"]);
    await client.artifacts.delete({ runId }, "a");
    expect(await client.artifacts.list({ runId }, "a").toArray()).toEqual([]);
  });

  test("files above the threshold go in parts where the server takes parts, else whole", async () => {
    const runId = await newRun();
    const file = path.join(folder, "parts.bin");
    const bytes = randomBytes(33 * 1024 * 1024);
    await writeFile(file, bytes);
    await client.artifacts.uploadFile({ runId }, file, "m/parts.bin", { multipartBytesMin: 1024 });
    expect(digest(await client.artifacts.bytes({ runId }, "m/parts.bin"))).toBe(digest(bytes));
  });
});

describe("fluent runs", () => {
  test("hold what was logged inside, with MLflow's tags, and children", async () => {
    const [parentId, childId] = await client.withRun(
      { experimentName: `client-${unique}`, runName: "fluent", description: "note", leaseMs: 30_000 },
      async (run) => {
        await run.logParams({ lr: 0.1, deep: true });
        for (let step = 0; step < 2_500; step++) await run.logMetric("loss", 1 / (step + 1), { step });
        await run.logMetrics({ a: 1, b: 2 }, { step: 7 });
        await run.setTags({ mine: "yes" });
        await run.logText("notes/a.txt", "hello");
        await run.logJson("b.json", { c: [1] });
        await run.logInput({ dataset: { name: "d", digest: "1", sourceType: "local", source: "{}" } });
        return [run.runId, await run.withChild({ runName: "child" }, (child) => child.runId)];
      },
    );
    const { info, data } = await client.runs.get(parentId!);
    expect(info).toMatchObject({
      status: "FINISHED",
      runName: "fluent",
      endTime: expect.any(Number),
      experimentId,
    });
    const tags = Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
    expect(tags).toMatchObject({
      "mlflow.user": expect.any(String),
      "mlflow.source.name": process.argv[1],
      "mlflow.source.type": "LOCAL",
      "mlflow.runName": "fluent",
      "mlflow.note.content": "note",
      mine: "yes",
    });
    expect(data.params).toEqual(
      expect.arrayContaining([
        { key: "lr", value: "0.1" },
        { key: "deep", value: "true" },
      ]),
    );
    const history = await client.metrics
      .history({ runId: parentId!, metricKey: "loss", maxResults: 1_000 })
      .toArray();
    expect(history.length).toBe(2_500);
    expect(await client.artifacts.text({ runId: parentId! }, "notes/a.txt")).toBe("hello");
    expect(JSON.parse(await client.artifacts.text({ runId: parentId! }, "b.json"))).toEqual({ c: [1] });
    const child = await client.runs.get(childId!);
    expect(child.info.status).toBe("FINISHED");
    expect(child.data.tags).toContainEqual({ key: "mlflow.parentRunId", value: parentId });
  });

  test("fail when the function throws, with everything logged before, and throw the same error", async () => {
    const failure = new Error("diverged");
    let runId = "";
    const call = client.withRun({ experimentId }, async (run) => {
      runId = run.runId;
      await run.logMetric("loss", 1);
      throw failure;
    });
    await expect(call).rejects.toBe(failure);
    const { info, data } = await client.runs.get(runId);
    expect(info.status).toBe("FAILED");
    expect(data.metrics.map(({ key }) => key)).toEqual(["loss"]);
  });

  test("a batch with refused entries stores the others and tells which were lost", async () => {
    const runId = await newRun();
    const batcher = client.createBatcher();
    const metrics = Array.from({ length: 50 }, (_, n) => ({
      key: n === 20 ? "a//b" : `m${n}`,
      value: n,
      timestamp: 1,
    }));
    await batcher.add(runId, { metrics, params: [{ key: "p", value: "1" }] });
    await expect(batcher.close()).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message: expect.stringMatching(/^1 metrics, params or tags could not be logged.*a\/\/b/s),
    });
    expect((await client.runs.get(runId)).data.metrics.length).toBe(49);
  });
});
