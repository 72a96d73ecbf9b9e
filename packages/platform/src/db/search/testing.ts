/** Test support: random runs in a real database file, and a context that searches it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits, runStatuses, type RunStatus } from "@millrace/contract";
import type { RandomRun } from "../../../../contract/src/filter/random.ts";
import type { Context } from "../../context.ts";
import type { RawAnswer, RawRequest } from "../../usecases/handler.ts";
import type { Transaction } from "../database.ts";
import { openSqlite, type SqliteDatabase } from "../dialects/sqlite/index.ts";
import { keyCache } from "../queries/keys.ts";
import { addPoints } from "../queries/points.ts";
import { addParams, setTags } from "../queries/run-texts.ts";

export interface SearchedDatabase {
  readonly db: SqliteDatabase;
  readonly ctx: Context;
  close(): Promise<void>;
}

export async function openSearched(): Promise<SearchedDatabase> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-search-"));
  const db = await openSqlite({ path: join(directory, "m.db") });
  return {
    db,
    ctx: { db, limits, tokenKey: new Uint8Array(32).fill(7), clock: () => 0 } as unknown as Context,
    async close() {
      await db.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Searches look at nothing but the decoded request. */
export const noRaw = {} as RawRequest;

/** The text of an answer that the use-case rendered itself. */
export async function textOf(answer: object): Promise<string> {
  const { body } = answer as RawAnswer;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Puts runs into a new experiment through the statements that log them; answers its id. */
export async function putRuns(
  db: SqliteDatabase,
  runs: readonly RandomRun[],
  isDeleted: (index: number) => boolean = () => false,
): Promise<string> {
  return db.write(async (tx) => {
    const row = await tx.get<{ id: number }>(
      "INSERT INTO experiments (name, artifact_location, deleted, creation_time, last_update_time) VALUES ((SELECT 'e' || count(*) FROM experiments), '', 0, 0, 0) RETURNING id",
    );
    for (const [index, run] of runs.entries()) await putRun(tx, db, row!.id, run, isDeleted(index) ? 1 : 0);
    return String(row!.id);
  });
}

async function putRun(
  tx: Transaction,
  db: SqliteDatabase,
  experiment: number,
  run: RandomRun,
  deleted: number,
): Promise<void> {
  const { attributes } = run;
  const cache = keyCache(db);
  const row = await tx.get<{ id: number }>(
    "INSERT INTO runs (run_id, experiment, name, user_id, status, start_time, end_time, deleted, artifact_uri, last_activity_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING id",
    [
      attributes.run_id,
      experiment,
      attributes.run_name,
      attributes.user_id,
      runStatuses[attributes.status as RunStatus],
      attributes.start_time,
      attributes.end_time,
      deleted,
      attributes.artifact_uri,
    ],
  );
  const key = { id: row!.id, run_id: attributes.run_id, experiment, deleted, last_activity_time: 0 };
  const texts = (map: ReadonlyMap<string, string>): { key: string; value: string }[] =>
    [...map].map(([name, value]) => ({ key: name, value }));
  await addParams(tx, cache, key, texts(run.params));
  await setTags(tx, cache, key, texts(run.tags));
  for (const [name, points] of run.points) {
    await addPoints(
      tx,
      cache,
      key,
      points.map(({ step, timestampMs, value }) => ({ key: name, step, timestamp: timestampMs, value })),
    );
  }
  for (const { name, digest, context } of run.datasets) {
    await tx.run(
      "INSERT INTO datasets (experiment, name, digest, source_type, source) VALUES (?, ?, ?, 's', '') ON CONFLICT DO NOTHING",
      [experiment, name, digest],
    );
    const input = await tx.get<{ id: number }>(
      "INSERT INTO run_datasets (run, dataset) SELECT ?, id FROM datasets WHERE experiment = ? AND name = ? AND digest = ? RETURNING id",
      [key.id, experiment, name, digest],
    );
    if (context !== null) {
      await tx.run("INSERT INTO run_dataset_tags (input, key, value) VALUES (?, 'mlflow.data.context', ?)", [
        input!.id,
        context,
      ]);
    }
  }
}

/** Seeds of this run of the tests: as many as `MILLRACE_SEEDS` says, after those that once failed. */
export function seeds(byDefault: number, kept: readonly number[] = []): readonly number[] {
  const count = Number(process.env["MILLRACE_SEEDS"] ?? byDefault);
  const start = Math.trunc(Math.random() * 2 ** 31);
  return [...kept, ...Array.from({ length: count }, (_, index) => start + index)];
}
