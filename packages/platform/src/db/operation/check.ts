/** Looks through a whole database for damage: of the file, between tables, and in what is derived from other rows. */
import { decodeChunk } from "../chunks/codec.ts";
import { summarize as summarizeChunk } from "../chunks/summary.ts";
import { sortPoints } from "../chunks/points.ts";
import { mergePoints } from "../chunks/merge.ts";
import type { Reader } from "../database.ts";
import { latestVersion, schemaVersion } from "../migrate.ts";
import { pointsOf } from "../queries/history.ts";
import type { SeriesRow } from "../queries/points.ts";
import { comparePoints, type Point, summarize } from "../../domain/series.ts";
import type { OpenDatabase } from "./open.ts";

export interface CheckResult {
  readonly path: string;
  readonly schemaVersion: number;
  readonly latestSchemaVersion: number;
  /** Rows by table; `sealed_points` counts what the chunks hold. */
  readonly counts: Readonly<Record<string, number>>;
  /** Sentences, at most `PROBLEMS_MAX`; empty when all is well. */
  readonly problems: readonly string[];
}

const PROBLEMS_MAX = 100;
const SERIES_PER_PAGE = 500;

const counted = [
  "experiments",
  "runs",
  "params",
  "tags",
  "series",
  "points",
  "chunks",
  "datasets",
  "logged_models",
  "logged_model_metrics",
  "registered_models",
  "model_versions",
  "webhooks",
  "webhook_deliveries",
  "artifact_purges",
  "changes",
] as const;

/** Rows of a table whose column must name a row of another. */
const references: readonly (readonly [table: string, column: string, parent: string, key: string])[] = [
  ["experiment_tags", "experiment", "experiments", "id"],
  ["runs", "experiment", "experiments", "id"],
  ["params", "run", "runs", "id"],
  ["params", "key", "keys", "id"],
  ["tags", "run", "runs", "id"],
  ["tags", "key", "keys", "id"],
  ["series", "run", "runs", "id"],
  ["series", "key", "keys", "id"],
  ["datasets", "experiment", "experiments", "id"],
  ["run_datasets", "run", "runs", "id"],
  ["run_datasets", "dataset", "datasets", "id"],
  ["run_dataset_tags", "input", "run_datasets", "id"],
  ["run_models", "run", "runs", "id"],
  ["logged_models", "experiment", "experiments", "id"],
  ["logged_model_params", "model", "logged_models", "id"],
  ["logged_model_tags", "model", "logged_models", "id"],
  ["logged_model_metrics", "model", "logged_models", "id"],
  ["registered_model_tags", "model", "registered_models", "id"],
  ["registered_model_aliases", "model", "registered_models", "id"],
  ["model_versions", "model", "registered_models", "id"],
  ["model_version_tags", "version", "model_versions", "id"],
  ["webhook_events", "webhook", "webhooks", "id"],
  ["webhook_deliveries", "webhook", "webhooks", "id"],
];

/** Checks one snapshot; a server may go on writing meanwhile. `onProgress` counts series. */
export function checkDatabase(
  db: OpenDatabase,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<CheckResult> {
  return db.read(async (reader) => {
    const problems: string[] = [];
    const add = (problem: string): void => {
      if (problems.length < PROBLEMS_MAX) problems.push(problem);
    };
    for (const row of await reader.all<{ integrity_check: string }>(
      `PRAGMA integrity_check(${PROBLEMS_MAX})`,
    )) {
      if (row.integrity_check !== "ok") add(`The file is damaged: ${row.integrity_check}.`);
    }
    const version = await schemaVersion(reader);
    const counts: Record<string, number> = {};
    const result = {
      path: db.path,
      schemaVersion: version,
      latestSchemaVersion: latestVersion,
      counts,
      problems,
    };
    if (version !== latestVersion) {
      add(
        `The schema has version ${version}, this release works with ${latestVersion}: run \`millrace db upgrade\`.`,
      );
      return result;
    }
    for (const table of counted) {
      counts[table] = (await reader.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))!.n;
    }
    counts["sealed_points"] = (await reader.get<{ n: number }>(
      "SELECT coalesce(sum(points), 0) AS n FROM chunks",
    ))!.n;
    await checkReferences(reader, add);
    await checkSeries(reader, counts["series"]!, add, onProgress);
    return result;
  });
}

async function checkReferences(reader: Reader, add: (problem: string) => void): Promise<void> {
  for (const [table, column, parent, key] of references) {
    const row = await reader.get<{ n: number; example: unknown }>(
      `SELECT count(*) AS n, min(c.${column}) AS example FROM ${table} c
       WHERE NOT EXISTS (SELECT 1 FROM ${parent} p WHERE p.${key} = c.${column})`,
    );
    if (row!.n > 0) {
      add(
        `${row!.n} rows of ${table} name a row of ${parent} that is not there (for instance ${column} ${String(row!.example)}).`,
      );
    }
  }
  for (const table of ["points", "chunks"]) {
    const row = await reader.get<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT DISTINCT run, key FROM ${table}) c
       WHERE NOT EXISTS (SELECT 1 FROM series s WHERE s.run = c.run AND s.key = c.key)`,
    );
    if (row!.n > 0) add(`${table} holds points of ${row!.n} metrics that have no summary.`);
  }
}

async function checkSeries(
  reader: Reader,
  total: number,
  add: (problem: string) => void,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  let after = { run: -1, key: -1 };
  let done = 0;
  for (;;) {
    const page = await reader.all<SeriesRow>(
      `SELECT * FROM series WHERE (run, key) > (?, ?) ORDER BY run, key LIMIT ${SERIES_PER_PAGE}`,
      [after.run, after.key],
    );
    for (const row of page) {
      for (const problem of await problemsOfSeries(reader, row)) {
        add(`Metric ${row.key} of run ${row.run}: ${problem}.`);
      }
    }
    done += page.length;
    onProgress(done, total);
    const last = page.at(-1);
    if (last === undefined || page.length < SERIES_PER_PAGE) return;
    after = last;
  }
}

interface ChunkRow {
  readonly id: number;
  readonly points: number;
  readonly first_step: number | bigint;
  readonly last_step: number | bigint;
  readonly min_value: number | null;
  readonly max_value: number | null;
  readonly data: Uint8Array;
}

async function problemsOfSeries(reader: Reader, row: SeriesRow): Promise<string[]> {
  const problems: string[] = [];
  const chunks = await reader.all<ChunkRow>(
    "SELECT id, points, first_step, last_step, min_value, max_value, data FROM chunks WHERE run = ? AND key = ?",
    [row.run, row.key],
  );
  const sources = [];
  for (const chunk of chunks) {
    try {
      const points = decodeChunk(chunk.data);
      const summary = summarizeChunk(points);
      const same =
        points.count === chunk.points &&
        // oxlint-disable-next-line eqeqeq -- a step may be a number here and a bigint there
        summary.minStep == chunk.first_step &&
        // oxlint-disable-next-line eqeqeq -- as above
        summary.maxStep == chunk.last_step &&
        (summary.min ?? null) === chunk.min_value &&
        (summary.max ?? null) === chunk.max_value;
      if (!same) problems.push(`chunk ${chunk.id} is described wrongly`);
      sources.push(sortPoints(points, "step"));
    } catch (error) {
      problems.push(`chunk ${chunk.id} cannot be read: ${(error as Error).message}`);
    }
  }
  const hot = await reader.rows(
    "SELECT step, time, value, nan FROM points WHERE run = ? AND key = ? ORDER BY step, time, nan, value",
    [row.run, row.key],
  );
  if (hot.length !== row.hot) problems.push(`${row.hot} recent points are counted, ${hot.length} are there`);
  const sealed = chunks.reduce((sum, { points }) => sum + points, 0);
  if (sealed !== row.sealed) problems.push(`${row.sealed} sealed points are counted, ${sealed} are there`);
  if (problems.length > 0) return problems;

  const merged = mergePoints([...sources, pointsOf(hot)], "step");
  if (merged.count === 0) return ["it has no points"];
  const points: Point[] = [];
  for (let at = 0; at < merged.count; at++) {
    points.push({ step: merged.steps[at]!, time: merged.timestampsMs[at]!, value: merged.values[at]! });
  }
  const truth = summarize(points);
  const stored = (kind: "latest" | "first"): Point => ({
    step: row[`${kind}_step`],
    time: row[`${kind}_time`],
    value: row[`${kind}_nan`] === 1 ? Number.NaN : row[`${kind}_value`],
  });
  if (!samePlace(truth.latest, stored("latest"))) problems.push("the latest value disagrees with its points");
  if (!samePlace(truth.first, stored("first"))) problems.push("the first value disagrees with its points");
  if ((truth.min ?? null) !== row.min_value || (truth.max ?? null) !== row.max_value) {
    problems.push("minimum or maximum disagree with its points");
  }
  return problems;
}

/** Equal by the order of points, in which NaN counts as 0: among such equals the first logged one stays. */
function samePlace(a: Point, b: Point): boolean {
  // oxlint-disable-next-line eqeqeq -- a step may be a number here and a bigint there
  return a.step == b.step && comparePoints({ ...a, step: 0 }, { ...b, step: 0 }) === 0;
}
