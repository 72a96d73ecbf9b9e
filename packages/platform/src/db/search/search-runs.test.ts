import { decodeAnswer, endpoints, type ResponseOf } from "@millrace/contract";
import {
  compareBy,
  completeOrder,
  matches,
  parseFilter,
  parseOrderBy,
  printFilter,
  printOrderTerm,
  searchables,
} from "@millrace/contract/filter";
import {
  randomFilter,
  randomOrder,
  randomRuns,
  type RandomRun,
} from "../../../../contract/src/filter/random.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { searchRuns } from "../../usecases/runs/search-runs.ts";
import { keyCache } from "../queries/keys.ts";
import type { SortPosition } from "./order.ts";
import { findRuns, type SearchThresholds } from "./search-runs.ts";
import { noRaw, openSearched, putRuns, type SearchedDatabase, seeds, textOf } from "./testing.ts";

const POPULATIONS = 12;
const RUNS_PER_POPULATION = 60;
/** Seeds that find what few others do: values equal to the end of a range that most runs are in. */
const keptSeeds = [1_639_485_448, 1_639_485_700, 1_639_486_144];
/** Told with every failure; set it to get the same runs again. */
const populationSeed = Number(process.env["MILLRACE_POPULATION_SEED"] ?? Math.trunc(Math.random() * 2 ** 31));

interface Population {
  readonly experimentId: string;
  readonly runs: readonly RandomRun[];
}

let searched: SearchedDatabase;
const populations: Population[] = [];

beforeAll(async () => {
  searched = await openSearched();
  for (let index = 0; index < POPULATIONS; index++) {
    // One population is large enough that bounded counts and walks give up in it.
    const runs = randomRuns(
      populationSeed + index,
      index === 0 ? 10 * RUNS_PER_POPULATION : RUNS_PER_POPULATION,
    );
    populations.push({ runs, experimentId: await putRuns(searched.db, runs) });
  }
});
afterAll(() => searched.close());

type SearchRunsResponse = ResponseOf<(typeof endpoints)["searchRuns"]>;

interface Asked {
  readonly experimentIds: readonly string[];
  readonly filter: string;
  readonly orderBy: readonly string[];
}

/** What a client reads of an answer. */
async function answerOf(answer: Awaited<ReturnType<typeof searchRuns>>): Promise<SearchRunsResponse> {
  return "body" in answer ? decodeAnswer(endpoints.searchRuns.response, await textOf(answer)) : answer;
}

async function idsOf(asked: Asked, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await searchRuns(
      searched.ctx,
      { ...asked, maxResults: pageSize, ...(pageToken === undefined ? {} : { pageToken }) },
      noRaw,
    );
    const { runs = [], nextPageToken } = await answerOf(page);
    ids.push(...runs.map((run) => run.info!.runId!));
    pageToken = nextPageToken;
    if (pageToken !== undefined) expect(runs).toHaveLength(pageSize);
  } while (pageToken !== undefined);
  return ids;
}

/** So low that the ways of a search among many runs are taken among few. */
const low: SearchThresholds = {
  scopesMergedMax: 1,
  drivenMax: 4,
  listedAtOnceMax: 15,
  listedMax: 200,
  shortWalkRows: 12,
};

/** Row ids do not leave the database: runs are told apart by their place among all runs. */
async function foundWith(thresholds: SearchThresholds, asked: Asked, limit: number): Promise<string[]> {
  return searched.db.read(async (reader) => {
    const ids: number[] = [];
    let position: SortPosition | undefined;
    do {
      const page = await findRuns(
        reader,
        searched.db.dialect,
        keyCache(searched.db),
        {
          experiments: asked.experimentIds.map(Number),
          filter: parseFilter("runs", asked.filter),
          order: parseOrderBy("runs", asked.orderBy),
          deleted: [0],
          limit,
          position,
        },
        thresholds,
      );
      ids.push(...page.ids);
      position = page.end;
    } while (position !== undefined);
    const names = new Map(
      (await reader.all<{ id: number; run_id: string }>("SELECT id, run_id FROM runs")).map((row) => [
        row.id,
        row.run_id,
      ]),
    );
    return ids.map((id) => names.get(id)!);
  });
}

describe("random searches agree with the plain predicate", () => {
  const batches = Object.values(
    Object.groupBy(
      seeds(1_000, keptSeeds).map((seed, index) => ({ seed, index })),
      ({ index }) => Math.trunc(index / 250),
    ),
  ).map((batch) => batch!.map(({ seed }) => seed));

  test.each(batches)("seeds from %i", async (...batch) => {
    for (const seed of batch) {
      const several = seed % 4 === 0;
      const chosen = several
        ? [populations[seed % POPULATIONS]!, populations[(seed + 5) % POPULATIONS]!]
        : [populations[(seed >> 2) % POPULATIONS]!];
      const text = printFilter(randomFilter(seed));
      const order = randomOrder(seed);
      const tree = parseFilter("runs", text);
      const expected = chosen
        .flatMap(({ runs }) => runs)
        .filter((run) => matches(run, tree))
        .toSorted(compareBy(completeOrder(searchables.runs, order)))
        .map((run) => run.attributes.run_id);
      const asked = {
        experimentIds: chosen.map(({ experimentId }) => experimentId),
        filter: text,
        orderBy: order.map(printOrderTerm),
      };
      const shown = `population ${populationSeed}, seed ${seed}: ${text} | ${asked.orderBy.join(", ")}`;
      expect(await idsOf(asked, seed % 3 === 0 ? 7 : 1_000), shown).toEqual(expected);
      expect(await foundWith(low, asked, seed % 2 === 0 ? 11 : 1_000), `low, ${shown}`).toEqual(expected);
    }
  });
});
