/** What MLflow 3.17.2 answered to the same requests, where a comment does not say otherwise. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestContext, type TestContext } from "../../testing/context.ts";
import type { RawRequest } from "../handler.ts";
import { createRun } from "../runs/create-run.ts";
import { registryUseCases as registry } from "./index.ts";

type Registry = typeof registry;
let ctx: TestContext;

beforeEach(async () => {
  ctx = await openTestContext();
});
afterEach(() => ctx.close());

// A use-case of the registry never looks at the raw request.
const raw = {} as RawRequest;

async function call<N extends keyof Registry>(
  name: N,
  request: Parameters<Registry[N]>[1],
): Promise<Exclude<Awaited<ReturnType<Registry[N]>>, { body: unknown }>> {
  const run = registry[name] as (...all: unknown[]) => Promise<never>;
  return run(ctx, request, raw);
}

async function model(name = "m"): Promise<string> {
  await call("createRegisteredModel", { name });
  return name;
}

async function version(name: string, source = "s3://b/p"): Promise<string> {
  const { modelVersion } = await call("createModelVersion", { name, source });
  return modelVersion!.version!;
}

test("a model: created, described, tagged, described no more", async () => {
  const tags = [
    { key: "a", value: "1" },
    { key: "a", value: "2" },
  ];
  const created = await call("createRegisteredModel", { name: "m", description: "d", tags });
  const now = ctx.clock();
  const expected = {
    name: "m",
    creationTimestamp: now,
    lastUpdatedTimestamp: now,
    description: "d",
    tags: [{ key: "a", value: "2" }],
    latestVersions: [],
    aliases: [],
  };
  expect(created).toEqual({ registeredModel: expected });
  expect(await call("getRegisteredModel", { name: "m" })).toEqual(created);
  ctx.advance(10);
  const { registeredModel } = await call("updateRegisteredModel", { name: "m" });
  expect(registeredModel).toEqual({ ...expected, description: undefined, lastUpdatedTimestamp: now + 10 });
  ctx.advance(10);
  await call("setRegisteredModelTag", { name: "m", key: "k" });
  await call("deleteRegisteredModelTag", { name: "m", key: "a" });
  await call("deleteRegisteredModelTag", { name: "m", key: "a" });
  const after = (await call("getRegisteredModel", { name: "m" })).registeredModel!;
  expect(after.tags).toEqual([{ key: "k", value: "" }]);
  expect(after.lastUpdatedTimestamp).toBe(now + 10);
});

test.each([
  [" ", "Missing value for required parameter 'name'."],
  ["a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
  ["a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."],
  [
    "..",
    "Invalid value \"..\" for parameter 'name' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '..'",
  ],
])("refuses the name %j", async (name, message) => {
  await expect(call("createRegisteredModel", { name })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message,
  });
});

test("a name is taken once", async () => {
  await model();
  await expect(model()).rejects.toMatchObject({
    code: "RESOURCE_ALREADY_EXISTS",
    message: "Registered Model (name=m) already exists.",
  });
});

test("an unknown model is a 404 in every request", async () => {
  const unknown = {
    code: "RESOURCE_DOES_NOT_EXIST",
    message: "Registered Model with name=nope not found",
  };
  const name = "nope";
  await expect(call("getRegisteredModel", { name })).rejects.toMatchObject(unknown);
  await expect(call("updateRegisteredModel", { name, description: "x" })).rejects.toMatchObject(unknown);
  await expect(call("renameRegisteredModel", { name, newName: "q" })).rejects.toMatchObject(unknown);
  await expect(call("deleteRegisteredModel", { name })).rejects.toMatchObject(unknown);
  await expect(call("setRegisteredModelTag", { name, key: "k" })).rejects.toMatchObject(unknown);
  await expect(call("deleteRegisteredModelTag", { name, key: "k" })).rejects.toMatchObject(unknown);
  await expect(call("getLatestVersions", { name })).rejects.toMatchObject(unknown);
  await expect(call("deleteAlias", { name, alias: "c" })).rejects.toMatchObject(unknown);
  await expect(call("getModelVersionByAlias", { name, alias: "c" })).rejects.toMatchObject(unknown);
  await expect(call("createModelVersion", { name, source: "s3://b/p" })).rejects.toMatchObject(unknown);
  // Two requests name the version that is missing, not the model.
  const noVersion = { message: "Model Version (name=nope, version=1) not found" };
  await expect(call("getModelVersion", { name, version: "1" })).rejects.toMatchObject(noVersion);
  await expect(call("setAlias", { name, alias: "c", version: "1" })).rejects.toMatchObject(noVersion);
});

test("versions count up, and a deleted number is never used again", async () => {
  const name = await model();
  expect([await version(name), await version(name), await version(name)]).toEqual(["1", "2", "3"]);
  await call("setAlias", { name, alias: "old", version: "3" });
  ctx.advance(5);
  await call("deleteModelVersion", { name, version: "3" });
  const gone = {
    code: "RESOURCE_DOES_NOT_EXIST",
    message: "Model Version (name=m, version=3) not found",
  };
  await expect(call("deleteModelVersion", { name, version: "3" })).rejects.toMatchObject(gone);
  await expect(call("getModelVersion", { name, version: "3" })).rejects.toMatchObject(gone);
  await expect(call("getModelVersionByAlias", { name, alias: "old" })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: "Registered model alias old not found.",
  });
  expect(await version(name)).toBe("4");
  expect((await call("getRegisteredModel", { name })).registeredModel!.lastUpdatedTimestamp).toBe(
    ctx.clock(),
  );
});

test("a version as it is answered", async () => {
  const name = await model();
  const { modelVersion } = await call("createModelVersion", {
    name,
    source: "s3://b/p",
    tags: [{ key: "vt" }],
  });
  expect(modelVersion).toEqual({
    name,
    version: "1",
    creationTimestamp: ctx.clock(),
    lastUpdatedTimestamp: ctx.clock(),
    currentStage: "None",
    description: "",
    source: "s3://b/p",
    runId: "",
    status: "READY",
    tags: [{ key: "vt", value: "" }],
    runLink: "",
    aliases: [],
  });
  const { modelVersion: updated } = await call("updateModelVersion", { name, version: "1" });
  expect(updated!.description).toBeUndefined();
});

test("version numbers are whole numbers", async () => {
  const name = await model();
  await expect(call("getModelVersion", { name, version: "x" })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: "Parameter 'version' must be an integer, got 'x'.",
  });
  await expect(call("getModelVersionDownloadUri", { name, version: "" })).rejects.toMatchObject({
    message: "Parameter 'version' must be an integer, got ''.",
  });
  await expect(call("getModelVersion", { name, version: "9".repeat(30) })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
  });
});

test("a source in the registry: kept, resolved for downloads, and its run inherited", async () => {
  const { run } = (await createRun(ctx, { experimentId: "0" }, raw)) as { run: { info: { runId: string } } };
  const { runId } = run.info;
  const files = `mlflow-artifacts:/0/${runId}/artifacts/model`;
  const name = await model("first");
  await call("createModelVersion", { name, source: files, runId });
  await call("setAlias", { name, alias: "champ", version: "1" });
  const copy = await model("second");
  const { modelVersion } = await call("createModelVersion", { name: copy, source: "models:/first/1" });
  expect(modelVersion).toMatchObject({ version: "1", source: "models:/first/1", runId });
  expect(await call("getModelVersionDownloadUri", { name: copy, version: "1" })).toEqual({
    artifactUri: files,
  });
  // The address of a moving target is kept as what it meant.
  const byAlias = await call("createModelVersion", { name: copy, source: "models:/first@champ" });
  expect(byAlias.modelVersion).toMatchObject({ version: "2", source: "models:/first/1", runId });
  await expect(call("createModelVersion", { name: copy, source: "models:/nope/1" })).rejects.toMatchObject({
    message: "Registered Model with name=nope not found",
  });
  await expect(
    call("createModelVersion", { name: copy, source: "models:/first/1", runId: "other" }),
  ).rejects.toMatchObject({
    message:
      "Invalid model version source: 'models:/first/1'. The run_id and model_id request parameters must match the referenced model version.",
  });
});

test.each([
  ["models:/m@nope", "Registered model alias nope not found."],
  ["models:/m/99", "Model Version (name=m, version=99) not found"],
  ["models:/m/Production", "The model 'm' has no such version."],
  ["models:/m/Bogus", "Invalid Model Version stage: Bogus."],
  ["models:/m/1/x", "The model_id request parameter must identify the resource that contains the source"],
  ["models:/m@", "The model_id request parameter must identify the resource that contains the source"],
  ["models:m/1", "The model_id request parameter must identify the resource that contains the source"],
  ["models://host/m/1", "without a host"],
])("the reference %s leads nowhere", async (source, message) => {
  const name = await model();
  await expect(call("createModelVersion", { name, source })).rejects.toMatchObject({
    message: expect.stringContaining(message),
  });
});

test.each([
  ["runs:/R/model", "The run_id request parameter must identify the resource that contains the source."],
  ["mlflow-artifacts:/0/r/artifacts/model", "The run_id request parameter must identify"],
  ["models:/m-nope", "The model_id request parameter must identify the resource that contains the source."],
  ["/etc/passwd", "To use a local path as a model version source, the run_id request parameter"],
  ["relative/path", "To use a local path as a model version source, the run_id request parameter"],
  ["s3://b", "without relative path references"],
  ["s3://b/%252e%252e/x", "without relative path references"],
  ["http://h/x", "'source' cannot use the 'http' scheme"],
])("refuses the source %s", async (source, message) => {
  const name = await model();
  await expect(call("createModelVersion", { name, source })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringContaining(message),
  });
});

test("a pattern on the server narrows sources, for prompts too", async () => {
  await ctx.close();
  ctx = await openTestContext({ settings: { modelVersionSourcePattern: "^s3://allowed/" } });
  const name = await model();
  expect(await version(name, "s3://allowed/x")).toBe("1");
  await expect(version(name, "s3://other/x")).rejects.toMatchObject({
    message: expect.stringContaining("Invalid model version source: 's3://other/x'."),
  });
});

test("aliases move, and answer with the version's other aliases", async () => {
  const name = await model();
  await version(name);
  await version(name);
  await call("setAlias", { name, alias: "champ", version: "1" });
  await call("setAlias", { name, alias: "champ", version: "2" });
  await call("setAlias", { name, alias: "best", version: "2" });
  const { modelVersion } = await call("getModelVersionByAlias", { name, alias: "champ" });
  expect(modelVersion).toMatchObject({ version: "2", aliases: ["best", "champ"] });
  const { registeredModel } = await call("getRegisteredModel", { name });
  expect(registeredModel!.aliases).toEqual([
    { alias: "best", version: "2" },
    { alias: "champ", version: "2" },
  ]);
  // Not inside a model's latest versions.
  expect(registeredModel!.latestVersions!.map(({ aliases }) => aliases)).toEqual([[]]);
  await call("deleteAlias", { name, alias: "champ" });
  await call("deleteAlias", { name, alias: "champ" });
  await expect(call("getModelVersionByAlias", { name, alias: "champ" })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
  });
});

test.each([
  ["latest", "'latest' alias name (case insensitive) is reserved."],
  ["v1", "Version alias name 'v1' is reserved."],
  [
    "a b",
    "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
  ],
  ["x".repeat(256), "'Registered model alias name' exceeds the maximum length of 255 characters"],
])("refuses the alias %s", async (alias, message) => {
  const name = await model();
  await version(name);
  await expect(call("setAlias", { name, alias, version: "1" })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message,
  });
});

test("latest is the highest version, whatever its stage", async () => {
  const name = await model();
  await expect(call("getModelVersionByAlias", { name, alias: "latest" })).rejects.toMatchObject({
    message: "Latest version not found for model m.",
  });
  for (let i = 0; i < 3; i++) await version(name);
  await call("transitionModelVersionStage", {
    name,
    version: "3",
    stage: "Archived",
    archiveExistingVersions: false,
  });
  for (const alias of ["latest", "LATEST"]) {
    const { modelVersion } = await call("getModelVersionByAlias", { name, alias });
    expect(modelVersion).toMatchObject({ version: "3", currentStage: "Archived" });
  }
});

test("stages: any case in, canonical out; archiving moves the others of the stage", async () => {
  const name = await model();
  for (let i = 0; i < 3; i++) await version(name);
  const move = (number: string, stage: string, archiveExistingVersions = false) =>
    call("transitionModelVersionStage", { name, version: number, stage, archiveExistingVersions });
  expect((await move("1", "staging")).modelVersion!.currentStage).toBe("Staging");
  expect((await move("2", "STAGING", true)).modelVersion!.currentStage).toBe("Staging");
  const { modelVersions } = await call("getLatestVersions", { name });
  expect(modelVersions!.map(({ version: number, currentStage }) => [number, currentStage])).toEqual([
    ["1", "Archived"],
    ["2", "Staging"],
    ["3", "None"],
  ]);
  const staged = await call("getLatestVersions", { name, stages: ["staging"] });
  expect(staged.modelVersions!.map(({ version: number }) => number)).toEqual(["2"]);
  const bogus =
    "Invalid Model Version stage: bogus. Value must be one of None, Staging, Production, Archived.";
  await expect(move("2", "bogus")).rejects.toMatchObject({ message: bogus });
  await expect(call("getLatestVersions", { name, stages: ["bogus"] })).rejects.toMatchObject({
    message: bogus,
  });
  // A 500 of MLflow's.
  await expect(move("2", "None", true)).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message:
      "Model version transition cannot archive existing model versions because 'None' is not an Active stage. Valid stages are ['Staging', 'Production']",
  });
});

test("renaming carries versions along", async () => {
  const name = await model("a");
  await model("b");
  await version(name);
  ctx.advance(7);
  const { registeredModel } = await call("renameRegisteredModel", { name, newName: "c" });
  expect(registeredModel).toMatchObject({
    name: "c",
    lastUpdatedTimestamp: ctx.clock(),
    latestVersions: [{ name: "c", version: "1", lastUpdatedTimestamp: ctx.clock() }],
  });
  await expect(call("renameRegisteredModel", { name: "c", newName: "b" })).rejects.toMatchObject({
    code: "RESOURCE_ALREADY_EXISTS",
    message: "Registered Model (name=b) already exists.",
  });
  expect((await call("renameRegisteredModel", { name: "c", newName: "c" })).registeredModel!.name).toBe("c");
  await expect(call("getModelVersion", { name: "a", version: "1" })).rejects.toMatchObject({
    code: "RESOURCE_DOES_NOT_EXIST",
  });
});

test("deleting a model leaves nothing for one of the same name", async () => {
  const name = await model();
  await version(name);
  await call("setModelVersionTag", { name, version: "1", key: "k", value: "v" });
  await call("setAlias", { name, alias: "champ", version: "1" });
  await call("deleteRegisteredModel", { name });
  await model();
  expect(await version(name)).toBe("1");
  expect((await call("getModelVersion", { name, version: "1" })).modelVersion).toMatchObject({
    tags: [],
    aliases: [],
  });
  const left = await ctx.db.read((reader) => reader.get("SELECT count(*) AS n FROM model_version_tags"));
  expect(left).toEqual({ n: 0 });
});

test("long values are refused, not cut", async () => {
  const name = await model();
  const value = "v".repeat(100_001);
  const tooLong = { message: "'value' exceeds the maximum length of 100000 characters" };
  await expect(call("setRegisteredModelTag", { name, key: "k", value })).rejects.toMatchObject(tooLong);
  await version(name);
  await expect(call("setModelVersionTag", { name, version: "1", key: "k", value })).rejects.toMatchObject(
    tooLong,
  );
  await call("setModelVersionTag", { name, version: "1", key: "k", value: value.slice(1) });
});

test("a prompt is a model whose versions have no files", async () => {
  const tags = [
    { key: "mlflow.prompt.is_prompt", value: "true" },
    { key: "mlflow.prompt.text", value: "Say {{x}}" },
  ];
  await call("createRegisteredModel", { name: "p", tags: tags.slice(0, 1) });
  const { modelVersion } = await call("createModelVersion", { name: "p", source: "prompt-template", tags });
  expect(modelVersion).toMatchObject({ version: "1", source: "prompt-template", tags });
  await expect(call("createModelVersion", { name: "p", source: "/etc/passwd", tags })).rejects.toMatchObject({
    message: "Invalid prompt source: '/etc/passwd'. Prompt sources must use an MLflow placeholder.",
  });
  await expect(
    call("createModelVersion", { name: await model(), source: "models:/p/1" }),
  ).rejects.toMatchObject({
    message:
      "Invalid model version source: 'models:/p/1'. Prompt versions cannot be used as model version sources.",
  });
});

test("two hundred writers at once give two hundred numbers", async () => {
  const name = await model();
  const made = await Promise.all(Array.from({ length: 200 }, () => version(name)));
  expect(made.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
});
