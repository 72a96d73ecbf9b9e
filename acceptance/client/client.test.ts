/**
 * The TypeScript client against a real server, Millrace or MLflow: every assertion holds for both, but for the parts
 * that ask `isMlflow`.
 */
import { describe, expect, test } from "vitest";
import { client, codeOf, experimentId, newRun, server, unique, useServer } from "./session.ts";

useServer();

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
