/**
 * Removing for good what was deleted. A run's row goes first, in one transaction with the order to remove its
 * artifacts: from then on nobody can restore half of it. Its points follow in small steps; summaries go last, so that
 * an interrupted removal leaves a trace that the next one finds.
 */
import type { OpenDatabase } from "./open.ts";

/** Rows per transaction: a few milliseconds in which a running server waits. */
const POINTS_PER_STEP = 4_000;
const CHUNKS_PER_STEP = 200;
const ROWS_PER_STEP = 2_000;

type Write = Parameters<Parameters<OpenDatabase["write"]>[0]>[0];

export interface DeletedRun {
  readonly id: number;
  readonly run_id: string;
  readonly name: string;
  readonly experiment: number;
  readonly artifact_uri: string;
  readonly deleted: number;
  readonly deleted_time: number | null;
}

export interface DeletedExperiment {
  readonly id: number;
  readonly name: string;
  readonly deleted: number;
  readonly last_update_time: number;
}

export interface DeletedModel {
  readonly id: number;
  readonly model_id: string;
  readonly name: string;
  readonly experiment: number;
  readonly artifact_location: string;
  readonly deleted: number;
  readonly last_updated_time: number;
}

export interface PurgeRow {
  readonly id: number;
  readonly uri: string;
  readonly attempts: number;
}

const runColumns = "id, run_id, name, experiment, artifact_uri, deleted, deleted_time";
const modelColumns = "id, model_id, name, experiment, artifact_location, deleted, last_updated_time";

export function findRun(db: OpenDatabase, runId: string): Promise<DeletedRun | undefined> {
  return db.read((reader) =>
    reader.get<DeletedRun>(`SELECT ${runColumns} FROM runs WHERE run_id = ?`, [runId]),
  );
}

export function deletedRuns(db: OpenDatabase, before: number): Promise<DeletedRun[]> {
  return db.read((reader) =>
    reader.all<DeletedRun>(
      `SELECT ${runColumns} FROM runs WHERE deleted <> 0 AND coalesce(deleted_time, 0) <= ? ORDER BY id`,
      [before],
    ),
  );
}

export function deletedRunsOf(db: OpenDatabase, experiment: number): Promise<DeletedRun[]> {
  return db.read((reader) =>
    reader.all<DeletedRun>(
      `SELECT ${runColumns} FROM runs WHERE experiment = ? AND deleted <> 0 ORDER BY id`,
      [experiment],
    ),
  );
}

export function findExperiment(db: OpenDatabase, id: number): Promise<DeletedExperiment | undefined> {
  return db.read((reader) =>
    reader.get<DeletedExperiment>(
      "SELECT id, name, deleted, last_update_time FROM experiments WHERE id = ?",
      [id],
    ),
  );
}

export function deletedExperiments(db: OpenDatabase, before: number): Promise<DeletedExperiment[]> {
  return db.read((reader) =>
    reader.all<DeletedExperiment>(
      "SELECT id, name, deleted, last_update_time FROM experiments WHERE deleted <> 0 AND last_update_time <= ? ORDER BY id",
      [before],
    ),
  );
}

export function findModel(db: OpenDatabase, modelId: string): Promise<DeletedModel | undefined> {
  return db.read((reader) =>
    reader.get<DeletedModel>(`SELECT ${modelColumns} FROM logged_models WHERE model_id = ?`, [modelId]),
  );
}

export function deletedModels(db: OpenDatabase, before: number): Promise<DeletedModel[]> {
  return db.read((reader) =>
    reader.all<DeletedModel>(
      `SELECT ${modelColumns} FROM logged_models WHERE deleted <> 0 AND last_updated_time <= ? ORDER BY id`,
      [before],
    ),
  );
}

/** Logged models of an experiment that goes; all of them, they have no other home. */
export function modelsOf(db: OpenDatabase, experiment: number): Promise<DeletedModel[]> {
  return db.read((reader) =>
    reader.all<DeletedModel>(`SELECT ${modelColumns} FROM logged_models WHERE experiment = ? ORDER BY id`, [
      experiment,
    ]),
  );
}

/** Versions in the registry that came from these runs: they stay, but their artifacts may go. */
export async function versionsFrom(db: OpenDatabase, runIds: readonly string[]): Promise<string[]> {
  return db.read(async (reader) => {
    const found: string[] = [];
    for (const runId of runIds) {
      const rows = await reader.all<{ name: string; version: number }>(
        "SELECT m.name, v.version FROM model_versions v JOIN registered_models m ON m.id = v.model WHERE v.run_id = ?",
        [runId],
      );
      for (const { name, version } of rows) found.push(`${name}/${version}`);
    }
    return found;
  });
}

/** Removes a run that is still deleted; false when it was restored or removed meanwhile. */
export async function removeRun(db: OpenDatabase, run: DeletedRun, now: number): Promise<boolean> {
  const gone = await db.write(async (tx) => {
    const count = await tx.run("DELETE FROM runs WHERE id = ? AND deleted <> 0", [run.id]);
    if (count === 0) return false;
    await orderPurge(tx, run.artifact_uri, now);
    return true;
  });
  if (gone) await removeRowsOfRun(db, run.id, run.run_id, run.experiment);
  return gone;
}

async function removeRowsOfRun(
  db: OpenDatabase,
  id: number,
  runId: string | undefined,
  experiment: number,
): Promise<void> {
  await repeat(db, POINTS_PER_STEP, (tx) =>
    tx.run(
      `DELETE FROM points WHERE (run, key, step, time, nan, value) IN
         (SELECT run, key, step, time, nan, value FROM points WHERE run = ? LIMIT ${POINTS_PER_STEP})`,
      [id],
    ),
  );
  await repeat(db, CHUNKS_PER_STEP, (tx) =>
    tx.run(`DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE run = ? LIMIT ${CHUNKS_PER_STEP})`, [
      id,
    ]),
  );
  for (const table of ["params", "tags"]) {
    await repeat(db, ROWS_PER_STEP, (tx) =>
      tx.run(
        `DELETE FROM ${table} WHERE (run, key) IN (SELECT run, key FROM ${table} WHERE run = ? LIMIT ${ROWS_PER_STEP})`,
        [id],
      ),
    );
  }
  await db.write(async (tx) => {
    await tx.run("DELETE FROM run_dataset_tags WHERE input IN (SELECT id FROM run_datasets WHERE run = ?)", [
      id,
    ]);
    await tx.run("DELETE FROM run_datasets WHERE run = ?", [id]);
    await tx.run("DELETE FROM run_models WHERE run = ?", [id]);
    if (runId !== undefined) {
      await tx.run("DELETE FROM logged_model_metrics WHERE experiment = ? AND run_id = ?", [
        experiment,
        runId,
      ]);
    }
  });
  // A server may have sealed points into a chunk meanwhile; then the summaries wait for the sweep.
  await repeat(db, ROWS_PER_STEP, (tx) =>
    tx.run(
      `DELETE FROM series WHERE (run, key) IN (SELECT s.run, s.key FROM series s WHERE s.run = ?
         AND NOT EXISTS (SELECT 1 FROM points p WHERE p.run = s.run AND p.key = s.key)
         AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.run = s.run AND c.key = s.key) LIMIT ${ROWS_PER_STEP})`,
      [id],
    ),
  );
}

/** Finishes removals that were interrupted. Gives the number of runs whose rows were left. */
export async function sweepInterrupted(db: OpenDatabase): Promise<number> {
  const rows = await db.read((reader) =>
    reader.all<{ run: number; experiment: number }>(
      `SELECT DISTINCT run, experiment FROM series s WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = s.run)
       UNION SELECT DISTINCT run, experiment FROM params s WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = s.run)
       UNION SELECT DISTINCT run, experiment FROM tags s WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = s.run)`,
    ),
  );
  for (const { run, experiment } of rows) await removeRowsOfRun(db, run, undefined, experiment);
  return rows.length;
}

/** Removes a logged model. With `evenActive` also one that lives in an experiment that goes. */
export async function removeModel(
  db: OpenDatabase,
  model: DeletedModel,
  now: number,
  evenActive = false,
): Promise<boolean> {
  return db.write(async (tx) => {
    const count = await tx.run(
      `DELETE FROM logged_models WHERE id = ?${evenActive ? "" : " AND deleted <> 0"}`,
      [model.id],
    );
    if (count === 0) return false;
    for (const table of ["logged_model_params", "logged_model_tags", "logged_model_metrics"]) {
      await tx.run(`DELETE FROM ${table} WHERE model = ?`, [model.id]);
    }
    await tx.run("DELETE FROM run_models WHERE model_id = ?", [model.model_id]);
    await orderPurge(tx, model.artifact_location, now);
    return true;
  });
}

/** Removes an experiment whose runs and models are gone; false when one is left or it was restored. */
export async function removeExperiment(db: OpenDatabase, id: number): Promise<boolean> {
  return db.write(async (tx) => {
    const count = await tx.run(
      `DELETE FROM experiments WHERE id = ? AND deleted <> 0
         AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment = ?)
         AND NOT EXISTS (SELECT 1 FROM logged_models WHERE experiment = ?)`,
      [id, id, id],
    );
    if (count === 0) return false;
    await tx.run("DELETE FROM experiment_tags WHERE experiment = ?", [id]);
    await tx.run("DELETE FROM datasets WHERE experiment = ?", [id]);
    return true;
  });
}

async function orderPurge(tx: Write, uri: string, now: number): Promise<void> {
  await tx.run("INSERT INTO artifact_purges (uri, attempts, next_attempt_time) VALUES (?, 0, ?)", [uri, now]);
}

export function duePurges(db: OpenDatabase, now: number, countMax: number): Promise<PurgeRow[]> {
  return db.read((reader) =>
    reader.all<PurgeRow>(
      "SELECT id, uri, attempts FROM artifact_purges WHERE next_attempt_time <= ? ORDER BY id LIMIT ?",
      [now, countMax],
    ),
  );
}

export async function purgesLeft(db: OpenDatabase): Promise<number> {
  const row = await db.read((reader) =>
    reader.get<{ n: number }>("SELECT count(*) AS n FROM artifact_purges"),
  );
  return row!.n;
}

export async function purgeDone(db: OpenDatabase, id: number): Promise<void> {
  await db.write((tx) => tx.run("DELETE FROM artifact_purges WHERE id = ?", [id]));
}

export async function purgeFailed(
  db: OpenDatabase,
  { id, attempts }: PurgeRow,
  nextAttemptTime: number,
): Promise<void> {
  await db.write((tx) =>
    tx.run("UPDATE artifact_purges SET attempts = ?, next_attempt_time = ? WHERE id = ?", [
      attempts + 1,
      nextAttemptTime,
      id,
    ]),
  );
}

async function repeat(
  db: OpenDatabase,
  rowsPerStep: number,
  step: (tx: Write) => number | Promise<number>,
): Promise<void> {
  while ((await db.write(step)) === rowsPerStep);
}
