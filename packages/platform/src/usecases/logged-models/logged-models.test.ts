/** What MLflow 3.17.2 answered to the same requests, where a comment does not say otherwise. */
import type { LoggedModel, Run } from "@millrace/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestContext, type TestContext } from "../../testing/context.ts";
import type { RawRequest } from "../handler.ts";
import { registryUseCases } from "../registry/index.ts";
import { runUseCases } from "../runs/index.ts";
import { loggedModelUseCases } from "./index.ts";

const all = { ...loggedModelUseCases, ...runUseCases, ...registryUseCases };
type All = typeof all;
let ctx: TestContext;

beforeEach(async () => {
  ctx = await openTestContext();
});
afterEach(() => ctx.close());

async function call<N extends keyof All>(
  name: N,
  request: Parameters<All[N]>[1],
): Promise<Exclude<Awaited<ReturnType<All[N]>>, { body: unknown }>> {
  const useCase = all[name] as (...parameters: unknown[]) => Promise<never>;
  return useCase(ctx, request, {} as RawRequest);
}

async function create(request: object = {}): Promise<LoggedModel> {
  return (await call("createLoggedModel", { experimentId: "0", ...request })).model!;
}

async function createRun(): Promise<string> {
  return (await call("createRun", { experimentId: "0" })).run!.info!.runId!;
}

async function getRun(runId: string): Promise<Run> {
  return (await call("getRun", { runId })).run!;
}

async function data(modelId: string): Promise<NonNullable<LoggedModel["data"]>> {
  return (await call("getLoggedModel", { modelId })).model!.data!;
}

const lr = { key: "lr", value: "0.1" };

test("a model is pending, below the artifacts of its experiment", async () => {
  const model = await create({ name: "lm", modelType: "t", sourceRunId: "r", params: [lr], tags: [lr] });
  const { modelId } = model.info!;
  expect(modelId).toMatch(/^m-[0-9a-f]{32}$/);
  expect(model).toEqual({
    info: {
      modelId,
      experimentId: "0",
      name: "lm",
      creationTimestampMs: ctx.clock(),
      lastUpdatedTimestampMs: ctx.clock(),
      artifactUri: `mlflow-artifacts:/0/models/${modelId}/artifacts`,
      status: "LOGGED_MODEL_PENDING",
      modelType: "t",
      sourceRunId: "r",
      tags: [lr],
    },
    data: { params: [lr], metrics: [] },
  });
  expect(await call("getLoggedModel", { modelId: modelId! })).toEqual({ model });
});

test("an empty name is no name; type and run are empty texts when not given", async () => {
  const { info } = await create({ name: "" });
  expect(info).toMatchObject({
    name: expect.stringMatching(/^[a-z]+-[a-z]+-\d+$/),
    modelType: "",
    sourceRunId: "",
  });
});

test("names become folders", async () => {
  await expect(create({ name: "a/b" })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: `Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
  });
});

test("a param given twice is refused by its name, which MLflow leaves to the database", async () => {
  await expect(create({ params: [lr, lr] })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringContaining("['lr']"),
  });
});

test("the experiment must be there", async () => {
  await expect(create({ experimentId: "99999" })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
    message: "No Experiment with id=99999 exists",
  });
});

test("finalised, deleted, deleted again; gone for readers", async () => {
  const modelId = (await create()).info!.modelId!;
  ctx.advance(3);
  const { model } = await call("finalizeLoggedModel", { modelId, status: "LOGGED_MODEL_READY" });
  expect(model!.info).toMatchObject({ status: "LOGGED_MODEL_READY", lastUpdatedTimestampMs: ctx.clock() });
  await call("deleteLoggedModel", { modelId });
  await call("deleteLoggedModel", { modelId });
  await expect(call("getLoggedModel", { modelId })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
    message: `Logged model with ID '${modelId}' not found.`,
  });
  const { model: deleted } = await call("getLoggedModel", { modelId, allowDeleted: true });
  expect(deleted!.info).toMatchObject({ modelId, status: "LOGGED_MODEL_READY" });
});

test("tags are overwritten, and deleting a missing one is a 404", async () => {
  const modelId = (await create({ tags: [{ key: "a", value: "b" }] })).info!.modelId!;
  await call("setLoggedModelTags", {
    modelId,
    tags: [
      { key: "x", value: "y" },
      { key: "a", value: "c" },
    ],
  });
  await call("setLoggedModelTags", { modelId });
  await call("deleteLoggedModelTag", { modelId, tagKey: "x" });
  expect((await call("getLoggedModel", { modelId })).model!.info!.tags).toEqual([{ key: "a", value: "c" }]);
  await expect(call("deleteLoggedModelTag", { modelId, tagKey: "x" })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
    message: `No tag with key 'x' found for model with ID '${modelId}'.`,
  });
});

test("params are added once; the same value again is fine, another is refused", async () => {
  const modelId = (await create({ params: [lr] })).info!.modelId!;
  const q = { key: "q", value: "1" };
  await call("logLoggedModelParams", { modelId, params: [q] });
  await call("logLoggedModelParams", { modelId, params: [q, lr] });
  expect((await data(modelId)).params).toEqual([lr, q]);
  await expect(
    call("logLoggedModelParams", { modelId, params: [{ key: "z" }, { key: "q", value: "2" }] }),
  ).rejects.toMatchObject({ code: "INVALID_PARAMETER_VALUE", message: expect.stringContaining("key='q'") });
  expect((await data(modelId)).params).toEqual([lr, q]);
});

test("metrics of runs that name the model, with their data sets, each once", async () => {
  const runId = await createRun();
  const modelId = (await create()).info!.modelId!;
  const acc = { key: "acc", value: 0.9, timestamp: 10, step: 1 };
  const onSet = { ...acc, modelId, datasetName: "d", datasetDigest: "x" };
  await call("logMetric", { runId, ...onSet });
  await call("logMetric", { runId, ...onSet });
  await call("logBatch", {
    runId,
    metrics: [
      { ...acc, value: 0.95, timestamp: 11, step: 2, modelId },
      { ...acc, value: Number.POSITIVE_INFINITY, timestamp: 12, step: 2n ** 60n, modelId },
      { key: "nan", value: Number.NaN, timestamp: 11, step: 2, modelId },
      { ...acc, value: 0.1, timestamp: 13, step: 3 },
    ],
  });
  const linked = { modelId, runId };
  expect((await data(modelId)).metrics).toEqual([
    { ...acc, datasetName: "d", datasetDigest: "x", ...linked },
    { ...acc, value: 0.95, timestamp: 11, step: 2, ...linked },
    { ...acc, value: Number.MAX_VALUE, timestamp: 12, step: 2n ** 60n, ...linked },
    // MLflow answers 0 here, and NaN for the run.
    { key: "nan", value: Number.NaN, timestamp: 11, step: 2, ...linked },
  ]);
});

test("one metric at one time on two data sets is two values, which MLflow cannot store", async () => {
  const runId = await createRun();
  const modelId = (await create()).info!.modelId!;
  const metric = { key: "acc", value: 0.9, timestamp: 10, step: 1, modelId };
  await call("logBatch", {
    runId,
    metrics: [
      { ...metric, datasetName: "train" },
      { ...metric, value: 0.8, datasetName: "test" },
    ],
  });
  expect((await data(modelId)).metrics!.map(({ datasetName, value }) => [datasetName, value])).toEqual([
    ["train", 0.9],
    ["test", 0.8],
  ]);
});

test("a metric for an unknown model is refused, for the run too", async () => {
  const runId = await createRun();
  await expect(
    call("logMetric", { runId, key: "acc", value: 1, timestamp: 1, modelId: "m-nope" }),
  ).rejects.toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("'m-nope'") });
  expect((await getRun(runId)).data!.metrics).toEqual([]);
});

test("registered: the source stays, files and run are the model's, and the tag lists the version once", async () => {
  const runId = await createRun();
  const { modelId, artifactUri } = (await create({ sourceRunId: runId })).info!;
  await call("createRegisteredModel", { name: "rm" });
  const source = `models:/${modelId}`;
  const { modelVersion } = await call("createModelVersion", { name: "rm", source, modelId });
  expect(modelVersion).toMatchObject({ version: "1", source, runId });
  expect(await call("getModelVersionDownloadUri", { name: "rm", version: "1" })).toEqual({ artifactUri });
  const listed = async (): Promise<string | undefined> =>
    (await call("getLoggedModel", { modelId: modelId! })).model!.info!.tags!.find(
      ({ key }) => key === "mlflow.modelVersions",
    )?.value;
  expect(JSON.parse((await listed())!)).toEqual([{ name: "rm", version: "1" }]);
  // The Python client appends what the server has listed already; older servers wrote numbers.
  const value = '[{"name": "rm", "version": 1}, {"name": "rm", "version": "1"}]';
  await call("setLoggedModelTags", { modelId: modelId!, tags: [{ key: "mlflow.modelVersions", value }] });
  expect(JSON.parse((await listed())!)).toEqual([{ name: "rm", version: "1" }]);
  await call("createModelVersion", { name: "rm", source, modelId });
  expect(JSON.parse((await listed())!)).toEqual([
    { name: "rm", version: "1" },
    { name: "rm", version: "2" },
  ]);
  await expect(
    call("createModelVersion", { name: "rm", source: "s3://b/p", modelId: "m-nope" }),
  ).rejects.toMatchObject({ message: "Logged model with ID 'm-nope' not found." });
});
