import {
  type Candidate,
  compareBy,
  completeOrder,
  matches,
  parseFilter,
  parseOrderBy,
  searchables,
} from "@millrace/contract/filter";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noRaw, openSearched, type SearchedDatabase } from "../../db/search/testing.ts";
import { searchExperiments } from "./search-experiments.ts";

let searched: SearchedDatabase;
const texts = ["a", "A", "ab", "a%b", "a_c", "[a]", "é", "😀", ""];
const experiments: Candidate[] = [];

beforeAll(async () => {
  searched = await openSearched();
  await searched.db.write(async (tx) => {
    for (let index = 0; index < 40; index++) {
      const name = `${texts[index % texts.length]}-${index}`;
      const creation = 1_000 + (index % 5);
      const updated = 2_000 + (index % 7);
      const row = await tx.get<{ id: number }>(
        "INSERT INTO experiments (name, artifact_location, deleted, creation_time, last_update_time) VALUES (?, '', 0, ?, ?) RETURNING id",
        [name, creation, updated],
      );
      const tags = new Map<string, string>();
      for (const [at, key] of ["x", "y z"].entries()) {
        if ((index >> at) % 3 === 0) continue;
        const value = texts[(index * (at + 2)) % texts.length]!;
        tags.set(key, value);
        await tx.run("INSERT INTO experiment_tags VALUES (?, ?, ?)", [row!.id, key, value]);
      }
      experiments.push({
        attributes: {
          name,
          experiment_id: row!.id,
          creation_time: creation,
          last_update_time: updated,
        },
        tags,
      });
    }
  });
});
afterAll(() => searched.close());

const quoted = fc.constantFrom(...texts, "a-0", "A-1", "%a%", "a_%", "_-1").map((text) => `'${text}'`);
const textual = fc
  .tuple(
    fc.constantFrom("name", "tags.x", "tags.`y z`", "tags.none"),
    fc.constantFrom("=", "!=", "LIKE", "ILIKE"),
    quoted,
  )
  .map((parts) => parts.join(" "));
const numeric = fc
  .tuple(
    fc.constantFrom("creation_time", "last_update_time"),
    fc.constantFrom("=", "!=", ">", ">=", "<", "<="),
    fc.integer({ min: 999, max: 2_007 }),
  )
  .map((parts) => parts.join(" "));
const byId = fc
  .tuple(
    fc.constantFrom("IN", "NOT IN"),
    fc.array(fc.integer({ min: 1, max: 45 }), { minLength: 1, maxLength: 4 }),
  )
  .map(([operator, ids]) => `experiment_id ${operator} (${ids.map((id) => `'${id}'`).join(", ")})`);
const missing = fc.constantFrom("tags.x IS NULL", "tags.`y z` IS NOT NULL", "tags.none IS NULL");
const condition = fc.oneof(textual, numeric, byId, missing);
const filter = fc
  .array(fc.tuple(condition, fc.constantFrom("AND", "OR", "AND NOT")), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map(([text, join], index) => (index === 0 ? text : `${join} ${text}`)).join(" "));
const order = fc.uniqueArray(fc.constantFrom("name", "experiment_id", "creation_time", "last_update_time"), {
  maxLength: 2,
});

test("random searches agree with the plain predicate, page by page", async () => {
  await fc.assert(
    fc.asyncProperty(
      filter,
      order,
      fc.boolean(),
      fc.constantFrom(3, 1_000),
      async (text, keys, ascending, size) => {
        const orderBy = keys.map((key) => `${key} ${ascending ? "ASC" : "DESC"}`);
        const tree = parseFilter("experiments", text);
        const terms = completeOrder(searchables.experiments, parseOrderBy("experiments", orderBy));
        // Ids are text in filters and numbers in orders.
        const asText = ({ attributes, ...rest }: Candidate): Candidate => ({
          ...rest,
          attributes: { ...attributes, experiment_id: String(attributes["experiment_id"]) },
        });
        const expected = experiments
          .filter((experiment) => matches(asText(experiment), tree))
          .toSorted(compareBy(terms))
          .map(({ attributes }) => String(attributes["experiment_id"]));
        const found: string[] = [];
        let pageToken: string | undefined;
        do {
          const page = await searchExperiments(
            searched.ctx,
            { maxResults: size, filter: text, orderBy, ...(pageToken === undefined ? {} : { pageToken }) },
            noRaw,
          );
          if ("body" in page) throw new Error("not an object");
          found.push(...page.experiments!.map(({ experimentId }) => experimentId!));
          pageToken = page.nextPageToken;
        } while (pageToken !== undefined);
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

test("answers are whole, and the size of a page is required", async () => {
  const page = await searchExperiments(searched.ctx, { maxResults: 1, filter: "name = 'A-1'" }, noRaw);
  expect(page).toMatchObject({
    experiments: [{ name: "A-1", lifecycleStage: "active", creationTime: 1_001, lastUpdateTime: 2_001 }],
    nextPageToken: undefined,
  });
  for (const [maxResults, message] of [
    [undefined, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"],
    [-1, "Invalid value -1 for parameter 'max_results' supplied. It must be a positive integer"],
    [50_001, "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"],
  ] as const) {
    await expect(searchExperiments(searched.ctx, { maxResults }, noRaw)).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message,
    });
  }
});
