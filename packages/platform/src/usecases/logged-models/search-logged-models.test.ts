import {
  type Candidate,
  checkLoggedModelOrder,
  compareBy,
  completeOrder,
  matches,
  type MetricPoint,
  parseFilter,
  searchables,
} from "@millrace/contract/filter";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noRaw, openSearched, type SearchedDatabase } from "../../db/search/testing.ts";
import { addModelMetrics } from "../../db/queries/logged-models.ts";
import { searchLoggedModels } from "./search-logged-models.ts";

const EXPERIMENT = 7;
const texts = ["a", "A", "ab", "a%b", "é", ""];
const values = [0, 1, -1, 0.5, 2.5, Number.NaN, 1e300];
const statuses = ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"];
const datasets = [
  { name: "wine", digest: "1" },
  { name: "wine", digest: "2" },
  { name: "iris", digest: "1" },
];

let searched: SearchedDatabase;
const models: Candidate[] = [];

beforeAll(async () => {
  searched = await openSearched();
  await searched.db.write(async (tx) => {
    await tx.run("INSERT INTO experiments VALUES (?, 'e', '', 0, 0, 0)", [EXPERIMENT]);
    for (let index = 0; index < 50; index++) {
      const modelId = `m-${((index * 7919) % 1000).toString(16).padStart(4, "0")}`;
      const attributes = {
        model_id: modelId,
        experiment_id: String(EXPERIMENT),
        name: texts[index % 5]!,
        model_type: texts[(index * 5) % texts.length]!,
        status: statuses[index % 3]!,
        status_message: index % 4 === 0 ? "broken" : null,
        lifecycle_stage: "active",
        source_run_id: "",
        artifact_location: `s3://b/${modelId}`,
        creation_timestamp_ms: 1_000 + (index % 6),
        last_updated_timestamp_ms: 2_000 + index,
      };
      const row = await tx.get<{ id: number }>(
        "INSERT INTO logged_models (model_id, experiment, name, artifact_location, creation_time, last_updated_time, status, status_message, model_type, source_run_id, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0) RETURNING id",
        [
          modelId,
          EXPERIMENT,
          attributes.name,
          attributes.artifact_location,
          attributes.creation_timestamp_ms,
          attributes.last_updated_timestamp_ms,
          (index % 3) + 1,
          attributes.status_message,
          attributes.model_type,
        ],
      );
      const params = new Map<string, string>();
      const tags = new Map<string, string>();
      if (index % 3 !== 0) params.set("lr", texts[(index * 3) % texts.length]!);
      if (index % 4 !== 0) tags.set("team", texts[(index * 2) % texts.length]!);
      for (const [table, map] of [
        ["logged_model_params", params],
        ["logged_model_tags", tags],
      ] as const) {
        for (const [key, value] of map)
          await tx.run(`INSERT INTO ${table} VALUES (?, ?, ?)`, [row!.id, key, value]);
      }
      const points: MetricPoint[] = [];
      for (let point = 0; point < index % 5; point++) {
        const dataset = point === 3 ? undefined : datasets[(index + point) % datasets.length]!;
        points.push({
          value: values[(index * 3 + point * 5) % values.length]!,
          timestampMs: 10 + ((index + point) % 2),
          step: point,
          datasetName: dataset?.name ?? null,
          datasetDigest: dataset?.digest ?? null,
        });
      }
      await addModelMetrics(
        tx,
        { run_id: "r" },
        points.map(({ value, timestampMs, step, datasetName, datasetDigest }) => ({
          key: "acc",
          value,
          timestamp: timestampMs!,
          step: step!,
          modelId,
          ...(datasetName ? { datasetName, datasetDigest: datasetDigest! } : {}),
        })),
      );
      models.push({ attributes, params, tags, metrics: points.length === 0 ? {} : { acc: points } });
    }
  });
});
afterAll(() => searched.close());

type Request = Parameters<typeof searchLoggedModels>[1];

async function idsOf(request: Omit<Request, "experimentIds">): Promise<string[]> {
  const found: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await searchLoggedModels(
      searched.ctx,
      { experimentIds: [String(EXPERIMENT)], ...request, ...(pageToken === undefined ? {} : { pageToken }) },
      noRaw,
    );
    if ("body" in page) throw new Error("not an object");
    found.push(...(page.models ?? []).map(({ info }) => info!.modelId!));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return found;
}

const quoted = fc.constantFrom(...texts, "%a%", "m-0%").map((text) => `'${text}'`);
const condition = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "name",
        "model_id",
        "model_type",
        "status_message",
        "experiment_id",
        "params.lr",
        "tags.team",
      ),
      fc.constantFrom("=", "!=", "LIKE", "ILIKE"),
      quoted,
    )
    .map((parts) => parts.join(" ")),
  fc
    .tuple(
      fc.constantFrom("status", "lifecycle_stage"),
      fc.constantFrom("=", "!="),
      fc.constantFrom(...statuses, "active"),
    )
    .map(([left, operator, value]) => `${left} ${operator} '${value}'`),
  fc
    .tuple(
      fc.constantFrom("metrics.acc", "metrics.none", "creation_timestamp"),
      fc.constantFrom("=", "!=", ">", ">=", "<", "<="),
      fc.constantFrom("0", "1", "-1", "0.5", "1003"),
    )
    .map((parts) => parts.join(" ")),
  fc.constantFrom(
    "metrics.acc IS NULL",
    "params.lr IS NOT NULL",
    "status_message IS NULL",
    "name IN ('a', 'A')",
  ),
);
const filter = fc
  .array(fc.tuple(condition, fc.constantFrom("AND", "OR", "AND NOT")), { maxLength: 3 })
  .map((parts) => parts.map(([text, join], index) => (index === 0 ? text : `${join} ${text}`)).join(" "));
const order = fc.array(
  fc.record({
    fieldName: fc.constantFrom("metrics.acc", "name", "status_message", "creation_timestamp_ms", "model_id"),
    ascending: fc.boolean(),
    datasetName: fc.constantFrom(undefined, "wine"),
    datasetDigest: fc.constantFrom(undefined, "1"),
  }),
  { maxLength: 2 },
);
const chosen = fc.subarray(datasets);

test("random searches agree with the plain predicate, page by page", async () => {
  await fc.assert(
    fc.asyncProperty(filter, order, chosen, fc.constantFrom(4, 1_000), async (text, asked, on, size) => {
      const tree = parseFilter("loggedModels", text);
      const terms = completeOrder(
        searchables.loggedModels,
        checkLoggedModelOrder(
          asked.map(({ fieldName, ascending, datasetName, datasetDigest }) => ({
            field_name: fieldName,
            ascending,
            dataset_name: datasetName,
            dataset_digest: datasetDigest,
          })),
        ),
      );
      const hasMetricOn = ({ metrics }: Candidate): boolean =>
        ((metrics as { acc?: MetricPoint[] }).acc ?? []).some((point) =>
          on.some(({ name, digest }) => point.datasetName === name && point.datasetDigest === digest),
        );
      const expected = models
        .filter((model) => matches(model, tree, on))
        .filter((model) => on.length === 0 || text.includes("metrics.") || hasMetricOn(model))
        .toSorted(compareBy(terms))
        .map(({ attributes }) => attributes["model_id"]);
      const found = await idsOf({
        filter: text,
        orderBy: asked,
        datasets: on.map(({ name, digest }) => ({ datasetName: name, datasetDigest: digest })),
        maxResults: size,
      });
      expect(found).toEqual(expected);
    }),
    { numRuns: 400 },
  );
});

test("what MLflow 3.17 answers to odd requests", async () => {
  const ask = (request: Request) => searchLoggedModels(searched.ctx, request, noRaw);
  expect(await ask({ experimentIds: [] })).toEqual({});
  expect(await ask({ experimentIds: ["99999"] })).toMatchObject({ models: [] });
  const here = { experimentIds: [String(EXPERIMENT)] };
  expect((await ask({ ...here, maxResults: 0 })) as object).toMatchObject({ models: { length: 50 } });
  const none = await ask({ ...here, maxResults: -1 });
  expect(none).toEqual({ models: [], nextPageToken: expect.any(String) });
  // A dataset without a digest means values that were logged without one.
  const wine = { ...here, filter: "metrics.acc > -10" };
  expect(await ask({ ...wine, datasets: [{ datasetName: "wine" }] })).toMatchObject({ models: [] });
  const refused = { code: "INVALID_PARAMETER_VALUE" };
  await expect(ask({ ...here, pageToken: "xx" })).rejects.toMatchObject(refused);
  await expect(ask({ ...here, filter: "bogus='x'" })).rejects.toMatchObject(refused);
  await expect(ask({ ...here, orderBy: [{ fieldName: "bogus" }] })).rejects.toMatchObject(refused);
});
