import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Candidate, MetricSummary } from "./candidate.ts";
import { parseFilter } from "./check.ts";
import { searchables } from "./entities.ts";
import { matches } from "./matches.ts";
import { parseOrderBy } from "./order.ts";
import { printFilter, printOrderTerm } from "./print.ts";
import { compareBy, completeOrder } from "./sort.ts";

/** Runs that MLflow 3.17.2 stored, and what it found among them; fixtures/filter/make-answers.py asked it. */
interface Answers {
  readonly runs: readonly StoredRun[];
  readonly searches: readonly [filter: string, orderBy: string[], found: number[]][];
}
interface StoredRun {
  readonly run_id: string;
  readonly run_name: string;
  readonly user_id: string;
  readonly status: string;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, readonly Point[]>>;
  readonly datasets: readonly [name: string, digest: string, context: string | null][];
}
type Point = readonly [value: number | "nan" | "inf", timestampMs: number, step: number];

const { runs, searches } = JSON.parse(
  readFileSync(new URL("../../../../fixtures/filter/answers.json", import.meta.url), "utf8"),
) as Answers;

const candidates = runs.map((run): Candidate => {
  const { run_id, run_name, user_id, status, start_time, end_time, params, tags } = run;
  return {
    attributes: { run_id, run_name, user_id, status, start_time, end_time },
    params,
    tags,
    metrics: new Map(Object.entries(run.metrics).map(([key, points]) => [key, latestOf(points)])),
    datasets: run.datasets.map(([name, digest, context]) => ({ name, digest, context })),
  };
});

function latestOf(points: readonly Point[]): MetricSummary {
  const value = points.toSorted((a, b) => a[2] - b[2]).at(-1)?.[0] ?? "nan";
  if (value === "nan") return { latest: Number.NaN };
  return { latest: value === "inf" ? Number.MAX_VALUE : value };
}

test.each(searches)("%s ordered by %j", (filter, orderBy, found) => {
  const tree = parseFilter("runs", filter);
  const order = parseOrderBy("runs", orderBy);
  const ours = candidates
    .filter((candidate) => matches(candidate, tree))
    .toSorted(compareBy(completeOrder(searchables.runs, order)));
  expect(ours.map((candidate) => candidates.indexOf(candidate))).toEqual(found);
  expect(parseFilter("runs", printFilter(tree))).toEqual(tree);
  expect(parseOrderBy("runs", order.map(printOrderTerm))).toEqual(order);
});

test("most searches find some runs and leave some out", () => {
  const telling = searches.filter(([, , found]) => found.length > 0 && found.length < runs.length);
  expect(telling.length).toBeGreaterThan(searches.length / 3);
});
