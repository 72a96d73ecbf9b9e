import {
  invalidParameter,
  PlatformError,
  type RunInfo,
  runStatuses,
  type RunStatus,
} from "@millrace/contract";
import type { Reader, Transaction } from "../database.ts";
import { recordChange } from "./changes.ts";

export interface RunRow {
  readonly id: number;
  readonly run_id: string;
  readonly experiment: number;
  readonly name: string;
  readonly user_id: string;
  readonly status: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly deleted: number;
  readonly deleted_time: number | null;
  readonly artifact_uri: string;
  readonly last_activity_time: number;
  readonly lease_expires_at: number | null;
}

/** What most writes need to know of a run. */
export type RunKey = Pick<RunRow, "id" | "run_id" | "experiment" | "deleted" | "last_activity_time">;

const statusNames = new Map<number, RunStatus>(
  Object.entries(runStatuses).map(([name, number]) => [number, name as RunStatus]),
);

export function runInfo(row: RunRow): RunInfo {
  return {
    runUuid: row.run_id,
    experimentId: String(row.experiment),
    runName: row.name,
    userId: row.user_id,
    status: statusNames.get(row.status) ?? "RUNNING",
    startTime: row.start_time ?? undefined,
    endTime: row.end_time ?? undefined,
    artifactUri: row.artifact_uri,
    lifecycleStage: row.deleted === 0 ? "active" : "deleted",
    runId: row.run_id,
  };
}

function noRun(runId: string): PlatformError {
  return new PlatformError("RESOURCE_DOES_NOT_EXIST", `Run with id=${runId} not found`, { runId });
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST */
export async function getRun(reader: Reader, runId: string): Promise<RunRow> {
  const row = await reader.get<RunRow>("SELECT * FROM runs WHERE run_id = ?", [runId]);
  if (row === undefined) throw noRun(runId);
  return row;
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST */
export async function getRunKey(reader: Reader, runId: string): Promise<RunKey> {
  const row = await reader.get<RunKey>(
    "SELECT id, run_id, experiment, deleted, last_activity_time FROM runs WHERE run_id = ?",
    [runId],
  );
  if (row === undefined) throw noRun(runId);
  return row;
}

/** The run, if it may be written to. */
export async function getActiveRun(reader: Reader, runId: string): Promise<RunKey> {
  const run = await getRunKey(reader, runId);
  requireActive(run);
  return run;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE for a deleted run */
export function requireActive(run: Pick<RunRow, "run_id" | "deleted">): void {
  if (run.deleted !== 0) {
    throw invalidParameter(`The run ${run.run_id} must be in the 'active' state. Current state is deleted.`, {
      runId: run.run_id,
    });
  }
}

/** A run that logs metrics is marked at most once in this time, in its row and in the change feed. */
const METRIC_MARKS_EVERY_MS = 1_000;

/** Notes that a run has new points. False when the last mark is too fresh: then a later one must tell of them. */
export async function markMetrics(tx: Transaction, run: RunKey, now: number): Promise<boolean> {
  if (now - run.last_activity_time < METRIC_MARKS_EVERY_MS) return false;
  await mark(tx, run, now, "metrics");
  return true;
}

/** Notes that something else of a run changed: params, tags, inputs, outputs. */
export async function markUpdated(tx: Transaction, run: RunKey, now: number): Promise<void> {
  await mark(tx, run, now, "updated");
}

async function mark(tx: Transaction, run: RunKey, now: number, kind: "metrics" | "updated"): Promise<void> {
  await tx.run("UPDATE runs SET last_activity_time = ? WHERE id = ?", [now, run.id]);
  await recordChange(tx, now, "run", run.run_id, kind, run.experiment);
}
