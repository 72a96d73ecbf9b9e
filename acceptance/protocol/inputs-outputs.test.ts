import { describe, expect, it } from "vitest";
import { ajax, call, expectError, ok } from "./call.ts";
import { createExperiment, createLoggedModel, createRun, getRun } from "./entities.ts";

const dataset = { name: "wine", digest: "d1", source_type: "local", source: "{}" };

describe("runs/log-inputs", () => {
  it("keeps datasets with their tags, schema and profile", async () => {
    const { run_id } = await createRun();
    const full = { ...dataset, schema: '{"columns":[]}', profile: '{"rows":3}' };
    const tags = [{ key: "mlflow.data.context", value: "training" }];
    const datasets = [{ tags, dataset: full }];
    expect(await ok("POST", "runs/log-inputs", { run_id, datasets })).toEqual({});
    expect((await getRun(run_id)).inputs).toEqual({ dataset_inputs: [{ tags, dataset: full }] });
  });

  it("leaves out what was not given", async () => {
    const { run_id } = await createRun();
    await ok("POST", "runs/log-inputs", { run_id, datasets: [{ dataset }] });
    expect((await getRun(run_id)).inputs).toEqual({ dataset_inputs: [{ dataset }] });
  });

  it("keeps one row for the same dataset logged twice", async () => {
    const experiment = await createExperiment();
    const runs = [await createRun(experiment), await createRun(experiment)];
    for (const { run_id } of [...runs, ...runs])
      await ok("POST", "runs/log-inputs", { run_id, datasets: [{ dataset }] });
    for (const { run_id } of runs)
      expect((await getRun(run_id)).inputs).toEqual({ dataset_inputs: [{ dataset }] });
  });

  it("keeps models, once each", async () => {
    const run = await createRun();
    const { model_id } = (await createLoggedModel(run.experiment_id)).info;
    for (let i = 0; i < 2; i++)
      await ok("POST", "runs/log-inputs", { run_id: run.run_id, models: [{ model_id }] });
    expect((await getRun(run.run_id)).inputs).toEqual({ model_inputs: [{ model_id }] });
  });

  it("accepts nothing at all", async () => {
    const { run_id } = await createRun();
    expect(await ok("POST", "runs/log-inputs", { run_id })).toEqual({});
  });

  const long = (characters: number) => "x".repeat(characters);
  it.each([
    ["name", { dataset: { ...dataset, name: long(501) } }, 500],
    ["digest", { dataset: { ...dataset, digest: long(37) } }, 36],
    ["source", { dataset: { ...dataset, source: long(65_536) } }, 65_535],
    ["schema", { dataset: { ...dataset, schema: long(1_048_576) } }, 1_048_575],
    ["tag key", { dataset, tags: [{ key: long(256), value: "" }] }, 255],
    ["tag value", { dataset, tags: [{ key: "k", value: long(501) }] }, 500],
  ])("refuses a long %s", async (_, input, limit) => {
    const { run_id } = await createRun();
    const answer = await call("POST", "runs/log-inputs", { run_id, datasets: [input] });
    expectError(answer, 400, "INVALID_PARAMETER_VALUE", `exceeds the maximum length of ${limit} characters`);
  });

  it("refuses no run and an unknown one", async () => {
    const none = await call("POST", "runs/log-inputs", { datasets: [{ dataset }] });
    expectError(none, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'");
    const unknown = await call("POST", "runs/log-inputs", { run_id: "unknown", datasets: [{ dataset }] });
    expectError(unknown, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=unknown not found");
  });
});

describe("runs/outputs", () => {
  it("keeps models with their step", async () => {
    const run = await createRun();
    const models = [];
    for (const step of [0, 7]) {
      models.push({ model_id: (await createLoggedModel(run.experiment_id)).info.model_id, step });
    }
    expect(await ok("POST", "runs/outputs", { run_id: run.run_id, models })).toEqual({});
    const { outputs } = await getRun(run.run_id);
    expect(outputs).toEqual({ model_outputs: expect.arrayContaining(models) });
  });

  it("wants the list, which may be empty, and a run that exists", async () => {
    const { run_id } = await createRun();
    const none = await call("POST", "runs/outputs", { run_id });
    expectError(none, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'models'");
    expect(await ok("POST", "runs/outputs", { run_id, models: [] })).toEqual({});
    const unknown = await call("POST", "runs/outputs", {
      run_id: "unknown",
      models: [{ model_id: "m-1", step: 0 }],
    });
    expectError(unknown, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=unknown not found");
  });
});

describe("experiments/search-datasets", () => {
  it("summarises the datasets of the experiments, one row per context", async () => {
    const experiments = [await createExperiment(), await createExperiment()];
    const contexts = ["train", "eval", undefined];
    for (const [i, context] of contexts.entries()) {
      const { run_id } = await createRun(experiments[i % 2]);
      const tags = context === undefined ? [] : [{ key: "mlflow.data.context", value: context }];
      await ok("POST", "runs/log-inputs", { run_id, datasets: [{ tags, dataset }] });
    }
    const search = { experiment_ids: experiments };
    const { dataset_summaries } = await ok<{ dataset_summaries: object[] }>(
      "POST",
      `${ajax}experiments/search-datasets`,
      search,
    );
    const [first, second] = experiments.map((experiment_id) => ({
      experiment_id,
      name: "wine",
      digest: "d1",
    }));
    expect(dataset_summaries).toHaveLength(3);
    expect(dataset_summaries).toEqual(
      expect.arrayContaining([{ ...first, context: "train" }, first, { ...second, context: "eval" }]),
    );
  });

  it("wants 1 to 20 experiments", async () => {
    for (const count of [0, 21]) {
      const experiment_ids = Array.from({ length: count }, (_, i) => String(i));
      const answer = await call("POST", `${ajax}experiments/search-datasets`, { experiment_ids });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "experiment_id");
    }
  });
});
