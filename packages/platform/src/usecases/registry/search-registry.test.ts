import { randomFillSync } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noRaw, openSearched, type SearchedDatabase } from "../../db/search/testing.ts";
import { insertVersion } from "../../db/queries/model-versions.ts";
import { insertRegisteredModel, setRegisteredModelTags } from "../../db/queries/registered-models.ts";
import { searchModelVersions } from "./search-model-versions.ts";
import { searchRegisteredModels } from "./search-registered-models.ts";

let searched: SearchedDatabase;
const isPrompt = { key: "mlflow.prompt.is_prompt", value: "true" };

beforeAll(async () => {
  searched = await openSearched();
  await searched.db.write(async (tx) => {
    const models = [
      {
        name: "alpha",
        tags: [{ key: "team", value: "red" }],
        versions: [{ run_id: "r1" }, { run_id: "R2" }],
      },
      { name: "Beta", tags: [{ key: "team", value: "blue" }], versions: [{ run_id: "" }] },
      { name: "a_c", tags: [], versions: [] },
      { name: "greeting", tags: [isPrompt], versions: [{ run_id: "", tags: [isPrompt] }, { run_id: "" }] },
    ];
    for (const [index, { name, tags, versions }] of models.entries()) {
      const model = await insertRegisteredModel(tx, name, null, 100 + index);
      await setRegisteredModelTags(tx, model.id, tags);
      for (const version of versions) {
        await insertVersion(
          tx,
          model,
          {
            description: "",
            source: `s3://b/${name}`,
            storage_location: null,
            run_id: version.run_id,
            run_link: "",
          },
          ("tags" in version ? version.tags : undefined) ?? [],
          200 + index,
        );
      }
    }
  });
});
afterAll(() => searched.close());

type ModelsRequest = Parameters<typeof searchRegisteredModels>[1];
type VersionsRequest = Parameters<typeof searchModelVersions>[1];

async function models(request: ModelsRequest): Promise<(string | undefined)[]> {
  const page = await searchRegisteredModels(searched.ctx, request, noRaw);
  return "body" in page ? [] : (page.registeredModels ?? []).map(({ name }) => name);
}

async function versions(request: VersionsRequest): Promise<string[]> {
  const page = await searchModelVersions(searched.ctx, request, noRaw);
  return "body" in page ? [] : (page.modelVersions ?? []).map(({ name, version }) => `${name}/${version}`);
}

const tag = "tags.`mlflow.prompt.is_prompt`";

test.each([
  ["", ["Beta", "a_c", "alpha"]],
  [`${tag} != 'true'`, ["Beta", "a_c", "alpha"]],
  [`${tag} = 'false'`, ["Beta", "a_c", "alpha"]],
  [`${tag} LIKE 'x'`, ["Beta", "a_c", "alpha"]],
  [`name = 'alpha' AND ${tag} != 'true'`, ["alpha"]],
  [`NOT ${tag} = 'nothing'`, ["Beta", "a_c", "alpha"]],
  [`${tag} = 'true'`, ["greeting"]],
  [`${tag} != 'false'`, ["greeting"]],
  [`${tag} = 'true' AND name LIKE 'x%'`, []],
  ["name = 'greeting'", []],
])("prompts are left out unless asked for: %s", async (filter, expected) => {
  expect(await models({ filter })).toEqual(expected);
});

test("versions follow the same rule, by the tags of any version of a model", async () => {
  const ordinary = ["Beta/1", "alpha/2", "alpha/1"];
  expect(await versions({})).toEqual(ordinary);
  expect(await versions({ filter: `${tag} != 'true'` })).toEqual(ordinary);
  expect(await versions({ filter: `${tag} = 'true'` })).toEqual(["greeting/1"]);
});

test("models are found by name and tags, and ordered", async () => {
  expect(await models({ filter: "name LIKE 'a%'" })).toEqual(["a_c", "alpha"]);
  expect(await models({ filter: "name ILIKE 'B%'" })).toEqual(["Beta"]);
  expect(await models({ filter: "name IN ('alpha', 'Beta')" })).toEqual(["Beta", "alpha"]);
  expect(await models({ filter: "tags.team != 'red'" })).toEqual(["Beta"]);
  expect(await models({ filter: "tags.team LIKE '%e%' AND tags.team != 'red'" })).toEqual(["Beta"]);
  expect(await models({ orderBy: ["timestamp DESC"] })).toEqual(["a_c", "Beta", "alpha"]);
  expect(await models({ orderBy: ["name DESC"], maxResults: 2 })).toEqual(["alpha", "a_c"]);
});

test("versions are found by number, run and source, and ordered", async () => {
  expect(await versions({ filter: "name = 'alpha' AND version_number > 1" })).toEqual(["alpha/2"]);
  expect(await versions({ filter: "run_id IN ('R2', 'r9')" })).toEqual(["alpha/2"]);
  expect(await versions({ filter: "source_path LIKE '%Beta'" })).toEqual(["Beta/1"]);
  expect(await versions({ orderBy: ["version_number DESC"] })).toEqual(["alpha/2", "Beta/1", "alpha/1"]);
  expect(await versions({ orderBy: ["creation_timestamp"] })).toEqual(["alpha/2", "alpha/1", "Beta/1"]);
});

test("walking pages finds each model and version once", async () => {
  const seen: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await searchModelVersions(
      searched.ctx,
      { maxResults: 1, ...(pageToken && { pageToken }) },
      noRaw,
    );
    if ("body" in page) throw new Error("not an object");
    seen.push(...page.modelVersions!.map(({ name, version }) => `${name}/${version}`));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  expect(seen).toEqual(await versions({}));
});

test("a page of no models has a token that starts at the first", async () => {
  for (const maxResults of [0, -1]) {
    const page = await searchRegisteredModels(searched.ctx, { maxResults }, noRaw);
    expect(page).toEqual({ registeredModels: [], nextPageToken: expect.any(String) });
    const { nextPageToken } = page as { nextPageToken: string };
    expect(await models({ pageToken: nextPageToken })).toEqual(["Beta", "a_c", "alpha"]);
  }
});

test("what MLflow 3.17 refuses", async () => {
  const refused = (message: string) => ({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringContaining(message),
  });
  const positive = "Invalid value for max_results. It must be a positive integer, but got 0";
  await expect(versions({ maxResults: 0 })).rejects.toMatchObject(refused(positive));
  await expect(versions({ maxResults: 200_001 })).rejects.toMatchObject(refused("Invalid value 200001"));
  await expect(models({ maxResults: 1_001 })).rejects.toMatchObject(refused("Invalid value 1001"));
  await expect(models({ pageToken: "xx" })).rejects.toMatchObject(refused("Invalid page token"));
  await expect(models({ orderBy: ["name", "name"] })).rejects.toMatchObject(refused("twice"));
  await expect(models({ filter: "name > 'x'" })).rejects.toMatchObject(refused(""));
});

test("a key that nobody made signs no token", async () => {
  const tokenKey = new Uint8Array(32);
  randomFillSync(tokenKey);
  const page = await searchRegisteredModels({ ...searched.ctx, tokenKey }, { maxResults: 1 }, noRaw);
  const { nextPageToken } = page as { nextPageToken: string };
  await expect(models({ pageToken: nextPageToken })).rejects.toMatchObject({
    message: expect.stringMatching(/^Invalid page token/),
  });
});
