import { Run } from "@millrace/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomRuns, type RandomRun } from "../../../../contract/src/filter/random.ts";
import { noRaw, openSearched, putRuns, type SearchedDatabase, textOf } from "../../db/search/testing.ts";
import { getRun } from "./get-run.ts";
import { searchRuns } from "./search-runs.ts";

let searched: SearchedDatabase;
beforeAll(async () => {
  searched = await openSearched();
});
afterAll(() => searched.close());

interface Page {
  readonly runs?: readonly {
    readonly info: { readonly run_id: string };
    readonly data: { readonly metrics?: readonly { readonly key: string; readonly value: unknown }[] };
  }[];
  readonly next_page_token?: string;
}

async function ask(request: Parameters<typeof searchRuns>[1]): Promise<Page> {
  const answer = await searchRuns(searched.ctx, request, noRaw);
  return "body" in answer ? (JSON.parse(await textOf(answer)) as Page) : {};
}

const idsOf = (page: Page): string[] => (page.runs ?? []).map(({ info }) => info.run_id);
const rejection = (request: Parameters<typeof searchRuns>[1]) =>
  expect(searchRuns(searched.ctx, request, noRaw)).rejects;

function runsFrom(
  seed: number,
  count: number,
  change: (run: RandomRun, index: number) => object,
): RandomRun[] {
  return randomRuns(seed, count).map((run, index) => ({ ...run, ...change(run, index) }));
}

test("a run in a page is the run that runs/get answers", async () => {
  const experimentId = await putRuns(searched.db, randomRuns(11, 40));
  const page = await ask({ experimentIds: [experimentId] });
  expect(page.runs).toHaveLength(40);
  for (const run of page.runs!) {
    const alone = await getRun(searched.ctx, { runId: run.info.run_id }, noRaw);
    expect(run).toEqual(JSON.parse(Run.encode((alone as { run: Run }).run)));
  }
});

test("numbers keep all digits, NaN is text, 64-bit steps are exact", async () => {
  const [run] = runsFrom(12, 1, () => ({
    points: new Map([
      ["precise", [{ step: 1, timestampMs: 5, value: 0.1 + 0.2 }]],
      ["nan", [{ step: 1, timestampMs: 5, value: Number.NaN }]],
      ["wide", [{ step: 9007199254740993n as unknown as number, timestampMs: 5, value: 1 }]],
    ]),
  }));
  const experimentId = await putRuns(searched.db, [run!]);
  const answer = await searchRuns(searched.ctx, { experimentIds: [experimentId] }, noRaw);
  const body = await textOf(answer);
  expect(body).toContain('{"key":"precise","value":0.30000000000000004,"timestamp":5,"step":1}');
  expect(body).toContain('{"key":"nan","value":"NaN","timestamp":5,"step":1}');
  expect(body).toContain('{"key":"wide","value":1,"timestamp":5,"step":9007199254740993}');
});

test("runs that come and go between pages move no others", async () => {
  const runs = randomRuns(13, 60);
  const experimentId = await putRuns(searched.db, runs);
  const row = await searched.db.read((reader) =>
    reader.all<{ run_id: string; id: number }>(
      "SELECT run_id, id FROM runs WHERE experiment = ? ORDER BY id",
      [Number(experimentId)],
    ),
  );
  const request = { experimentIds: [experimentId], maxResults: 10, orderBy: ["metrics.loss DESC"] };
  const expected = idsOf(await ask({ ...request, maxResults: 1_000 }));
  const seen: string[] = [];
  let pageToken: string | undefined;
  let removed: string | undefined;
  for (let index = 0; ; index++) {
    const page = await ask({ ...request, ...(pageToken === undefined ? {} : { pageToken }) });
    seen.push(...idsOf(page));
    pageToken = page.next_page_token;
    if (pageToken === undefined) break;
    // A new run that is the newest and another that goes, on either side of the position.
    const late = randomRuns(1_000 + index, 1)[0]!;
    await searched.db.write((tx) =>
      tx.run(
        "INSERT INTO runs (run_id, experiment, name, user_id, status, start_time, deleted, artifact_uri, last_activity_time) VALUES (?, ?, 'late', '', 1, ?, 0, '', 0)",
        [late.attributes.run_id, Number(experimentId), 2_000_000_000_000],
      ),
    );
    if (index === 1) {
      removed = expected.at(-1)!;
      const { id } = row.find(({ run_id }) => run_id === removed)!;
      await searched.db.write((tx) => tx.run("UPDATE runs SET deleted = 1 WHERE id = ?", [id]));
    }
  }
  const known = new Set(expected);
  expect(seen.filter((id) => known.has(id))).toEqual(expected.filter((id) => id !== removed));
  expect(new Set(seen).size).toBe(seen.length);
});

test("a long page is made while it is read, and is the same as its short pages", async () => {
  const runs = Array.from({ length: 6 }, (_, index) => randomRuns(100 + index, 400)).flat();
  const experimentId = await putRuns(searched.db, runs);
  const answer = await searchRuns(searched.ctx, { experimentIds: [experimentId], maxResults: 2_300 }, noRaw);
  const long = JSON.parse(await textOf(answer)) as Page;
  const short: NonNullable<Page["runs"]>[number][] = [];
  let pageToken: string | undefined;
  while (short.length < 2_300) {
    const page = await ask({
      experimentIds: [experimentId],
      maxResults: 100,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    short.push(...page.runs!);
    pageToken = page.next_page_token;
  }
  expect(long.runs).toEqual(short);
  expect(long.next_page_token).toBe(pageToken);
});

test("a token comes only when more runs exist", async () => {
  const experimentId = await putRuns(searched.db, randomRuns(14, 20));
  expect((await ask({ experimentIds: [experimentId], maxResults: 20 })).next_page_token).toBeUndefined();
  const first = await ask({ experimentIds: [experimentId], maxResults: 19 });
  const second = await ask({
    experimentIds: [experimentId],
    maxResults: 19,
    pageToken: first.next_page_token!,
  });
  expect([first.runs!.length, second.runs!.length, second.next_page_token]).toEqual([19, 1, undefined]);
});

test("a token belongs to its query and to this server", async () => {
  const experimentId = await putRuns(searched.db, randomRuns(15, 5));
  const { next_page_token: pageToken } = await ask({ experimentIds: [experimentId], maxResults: 2 });
  const asked = { experimentIds: [experimentId], maxResults: 2, pageToken: pageToken! };
  const invalid = { code: "INVALID_PARAMETER_VALUE", message: expect.stringMatching(/^Invalid page token/) };
  await rejection({ ...asked, filter: "metrics.loss > 0" }).toMatchObject(invalid);
  await rejection({ ...asked, orderBy: ["metrics.loss"] }).toMatchObject(invalid);
  await rejection({ ...asked, experimentIds: [experimentId, "0"] }).toMatchObject(invalid);
  await rejection({ ...asked, runViewType: "ALL" }).toMatchObject(invalid);
  await rejection({ ...asked, pageToken: "!!" }).toMatchObject(invalid);
  await rejection({
    ...asked,
    pageToken: `${pageToken!.slice(0, 12)}A${pageToken!.slice(13)}`,
  }).toMatchObject(invalid);
});

test("a view looks at the stage of the run", async () => {
  const runs = randomRuns(16, 9);
  const experimentId = await putRuns(searched.db, runs, (index) => index % 3 === 0);
  const counts = await Promise.all(
    (["ACTIVE_ONLY", "DELETED_ONLY", "ALL"] as const).map(
      async (runViewType) => idsOf(await ask({ experimentIds: [experimentId], runViewType })).length,
    ),
  );
  expect(counts).toEqual([6, 3, 9]);
  const all = idsOf(await ask({ experimentIds: [experimentId], runViewType: "ALL", orderBy: ["run_id"] }));
  expect(all).toEqual(runs.map((run) => run.attributes.run_id).toSorted());
});

test("what MLflow 3.17 answers to odd requests", async () => {
  expect(await ask({})).toEqual({});
  expect(await ask({ experimentIds: [] })).toEqual({});
  expect(await ask({ experimentIds: ["99999"] })).toEqual({});
  const invalid = (message: string) => ({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringContaining(message),
  });
  await rejection({ experimentIds: ["abc"] }).toMatchObject(
    invalid("Invalid experiment ID 'abc'. Experiment ID must be a valid integer."),
  );
  const outside = "supplied. It must be a positive integer";
  await rejection({ maxResults: 0 }).toMatchObject(
    invalid(`Invalid value 0 for parameter 'max_results' ${outside}`),
  );
  await rejection({ maxResults: -1 }).toMatchObject(
    invalid(`Invalid value -1 for parameter 'max_results' ${outside}`),
  );
  await rejection({ maxResults: 50_001 }).toMatchObject(
    invalid("Invalid value 50001 for parameter 'max_results' supplied"),
  );
  await rejection({ orderBy: ["metrics.a", "metrics.a DESC"] }).toMatchObject(invalid("twice"));
  await rejection({ filter: "bogus.a = 5" }).toMatchObject(invalid("bogus"));
});

test("a latest NaN satisfies != only, and is ordered after numbers both ways", async () => {
  const value = (number: number) => ({
    points: new Map([["m", [{ step: 0, timestampMs: 1, value: number }]]]),
  });
  const runs = runsFrom(17, 4, (_, index) =>
    index === 3 ? { points: new Map() } : value([2, Number.NaN, 1][index]!),
  );
  const experimentId = await putRuns(searched.db, runs);
  const [two, nan, one, missing] = runs.map((run) => run.attributes.run_id);
  const ordered = async (orderBy: string): Promise<string[]> =>
    idsOf(await ask({ experimentIds: [experimentId], orderBy: [orderBy] }));
  expect(await ordered("metrics.m ASC")).toEqual([one, two, nan, missing]);
  expect(await ordered("metrics.m DESC")).toEqual([two, one, nan, missing]);
  const found = async (filter: string): Promise<string[]> =>
    idsOf(await ask({ experimentIds: [experimentId], filter, orderBy: ["metrics.m"] }));
  expect(await found("metrics.m > -1")).toEqual([one, two]);
  expect(await found("metrics.m != 1")).toEqual([two, nan]);
  expect(await found("NOT metrics.m > -1")).toEqual([nan, missing]);
});
