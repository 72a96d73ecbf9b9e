/** What MLflow 3.17.2 answered to the same requests, where a comment does not say otherwise. */
import type { Run } from "@millrace/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readInputs } from "../../db/queries/inputs.ts";
import { openTestContext, type TestContext } from "../../testing/context.ts";
import { experimentUseCases } from "../experiments/index.ts";
import type { RawRequest } from "../handler.ts";
import { runUseCases } from "./index.ts";

const all = { ...runUseCases, ...experimentUseCases };
type All = typeof all;
let ctx: TestContext;
let runId: string;

beforeEach(async () => {
  ctx = await openTestContext();
  runId = await createRun();
});
afterEach(() => ctx.close());

async function call<N extends keyof All>(
  name: N,
  request: Parameters<All[N]>[1],
): Promise<Exclude<Awaited<ReturnType<All[N]>>, { body: unknown }>> {
  const useCase = all[name] as (...parameters: unknown[]) => Promise<never>;
  return useCase(ctx, request, {} as RawRequest);
}

async function createRun(): Promise<string> {
  return (await call("createRun", { experimentId: "0" })).run!.info!.runId!;
}

async function getRun(id = runId): Promise<Run> {
  return (await call("getRun", { runId: id })).run!;
}

const context = { key: "mlflow.data.context", value: "train" };
const wine = { name: "d", digest: "abc", sourceType: "local", source: "{}" };

test("data sets with their tags; a known one stays as it was logged first", async () => {
  const full = { ...wine, schema: "{}", profile: "{}" };
  await call("logInputs", { runId, datasets: [{ tags: [context], dataset: full }] });
  await call("logInputs", {
    runId,
    datasets: [
      { tags: [{ key: "late", value: "1" }], dataset: { ...wine, source: "elsewhere" } },
      { dataset: { name: "d2", digest: "x", sourceType: "local", source: "s" } },
      { dataset: { name: "d" } },
      {},
    ],
  });
  expect((await getRun()).inputs).toEqual({
    datasetInputs: [
      { tags: [context], dataset: full },
      { tags: [], dataset: { name: "d2", digest: "x", sourceType: "local", source: "s" } },
      { tags: [], dataset: { name: "d", digest: "", sourceType: "", source: "" } },
      { tags: [], dataset: { name: "", digest: "", sourceType: "", source: "" } },
    ],
    modelInputs: [],
  });
  const { datasetSummaries } = await call("searchDatasets", { experimentIds: ["0"] });
  expect(datasetSummaries).toEqual([
    { experimentId: "0", name: "", digest: "" },
    { experimentId: "0", name: "d", digest: "" },
    { experimentId: "0", name: "d", digest: "abc", context: "train" },
    { experimentId: "0", name: "d2", digest: "x" },
  ]);
});

test.each([
  [{ dataset: { ...wine, name: "x".repeat(501) } }, "'name' exceeds the maximum length of 500 characters"],
  [{ dataset: { ...wine, digest: "x".repeat(37) } }, "'digest' exceeds the maximum length of 36 characters"],
  [{ dataset: wine, tags: [{ key: "x".repeat(256) }] }, "'key' exceeds the maximum length of 255 characters"],
  [
    { dataset: wine, tags: [{ key: "k", value: "x".repeat(501) }] },
    "'value' exceeds the maximum length of 500 characters",
  ],
])("refuses what is too long (%#)", async (input, message) => {
  await expect(call("logInputs", { runId, datasets: [input] })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message,
  });
});

test("models in and out, in the order in which they came, unknown ones too", async () => {
  const models = [{ modelId: "m-b" }, { modelId: "m-a" }];
  await call("logInputs", { runId, models });
  await call("logInputs", { runId, models });
  await call("logOutputs", { runId, models: [{ modelId: "m-a", step: 3 }] });
  await call("logOutputs", { runId, models: [{ modelId: "m-nope", step: 2n ** 62n }] });
  // MLflow's database refuses the second time, so that a client that lost the first answer fails.
  await call("logOutputs", { runId, models: [{ modelId: "m-a", step: 3 }] });
  const { inputs, outputs } = await getRun();
  expect(inputs!.modelInputs).toEqual(models);
  expect(outputs).toEqual({
    modelOutputs: [
      { modelId: "m-a", step: 3 },
      { modelId: "m-nope", step: 2n ** 62n },
    ],
  });
});

test("neither belongs to a run that is missing or deleted", async () => {
  await expect(call("logInputs", { runId: "nope", datasets: [] })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
    message: "Run with id=nope not found",
  });
  await call("deleteRun", { runId });
  await expect(call("logOutputs", { runId, models: [] })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
  });
});

test("a page of runs has the inputs of each run with it", async () => {
  const runs = await Promise.all(Array.from({ length: 260 }, createRun));
  await Promise.all(
    runs.map((id, index) =>
      call("logInputs", { runId: id, datasets: [{ dataset: { ...wine, digest: String(index) } }] }),
    ),
  );
  const digests = await ctx.db.read(async (reader) => {
    const rows = await reader.all<{ id: number; run_id: string }>("SELECT id, run_id FROM runs");
    const links = await readInputs(
      reader,
      rows.map(({ id }) => id),
    );
    const digestsOf = (row: number) =>
      links.get(row)?.inputs.datasetInputs?.map(({ dataset }) => dataset?.digest);
    return new Map(rows.map(({ id, run_id }) => [run_id, digestsOf(id)]));
  });
  expect(runs.map((id) => digests.get(id))).toEqual(runs.map((_, index) => [String(index)]));
  expect(digests.get(runId)).toBeUndefined();
});

test("datasets are searched in 1 to 20 experiments", async () => {
  await expect(call("searchDatasets", {})).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: "SearchDatasets request must specify at least one experiment_id.",
  });
  const experimentIds = Array.from({ length: 21 }, (_, index) => String(index));
  await expect(call("searchDatasets", { experimentIds })).rejects.toMatchObject({
    message: "SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.",
  });
});

const modelJson = JSON.stringify({
  artifact_path: "model",
  flavors: { python_function: { loader_module: "m", config: { secret: 1 } } },
  utc_time_created: "2026",
  run_id: "r",
  mlflow_version: "2.22.0",
});

test("the history of models grows in a tag", async () => {
  await call("logModel", { runId, modelJson });
  await call("logModel", { runId, modelJson });
  const tag = (await getRun()).data!.tags!.find(({ key }) => key === "mlflow.log-model.history");
  const entry = {
    run_id: "r",
    artifact_path: "model",
    utc_time_created: "2026",
    flavors: { python_function: { loader_module: "m" } },
  };
  expect(JSON.parse(tag!.value!)).toEqual([entry, entry]);
});

test("a history longer than a tag may be stays whole", async () => {
  for (let index = 0; index < 80; index++) await call("logModel", { runId, modelJson });
  const tag = (await getRun()).data!.tags!.find(({ key }) => key === "mlflow.log-model.history");
  expect(JSON.parse(tag!.value!)).toHaveLength(80);
  expect(tag!.value!.length).toBeGreaterThan(ctx.limits.runTagValueLengthMax);
});

test.each([
  ["x", "Malformed model info. \n x \n is not a valid JSON."],
  [
    "{}",
    "Model json is missing mandatory fields: {'artifact_path', 'flavors', 'run_id', 'utc_time_created'}",
  ],
  // A 500 of MLflow's.
  ["[]", "Malformed model info. \n [] \n is not a JSON object. Send the MLmodel's fields."],
])("refuses the model %s", async (text, message) => {
  await expect(call("logModel", { runId, modelJson: text })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message,
  });
});
