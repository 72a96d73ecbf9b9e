/**
 * Leases: a run's status changes by itself only where somebody asked for it. A run without a lease that stopped
 * talking stays RUNNING; its last activity tells how long ago that was.
 */
import { invalidParameter, runStatuses } from "@millrace/contract";
import type { Context } from "../../context.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { getActiveRun, getRunKey } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";

const LEASE_MIN_MS = 1_000;
const LEASE_MAX_MS = 7 * 24 * 3600 * 1000;
const EXPIRED_PER_SWEEP_MAX = 200;

export const renewLease: UseCase<"renewLease"> = async (ctx, { runId, leaseMs }) => {
  if (leaseMs !== 0 && (leaseMs < LEASE_MIN_MS || leaseMs > LEASE_MAX_MS)) {
    throw invalidParameter(
      `Invalid value ${leaseMs} for parameter 'lease_ms' supplied: a lease lasts from ${LEASE_MIN_MS} to ${LEASE_MAX_MS} ms, or 0 to give it up.`,
      { leaseMs },
    );
  }
  const expiresAt = await ctx.db.write(async (tx) => {
    const run = await getActiveRun(tx, runId);
    const now = ctx.clock();
    const until = leaseMs === 0 ? null : now + leaseMs;
    await tx.run(
      "UPDATE runs SET lease_expires_at = ?, last_activity_time = ? WHERE id = ? AND status IN (1, 2)",
      [until, now, run.id],
    );
    return until;
  });
  return expiresAt === null ? {} : { expiresAt };
};

export const getRunActivity: UseCase<"getRunActivity"> = (ctx, { runIds }) =>
  ctx.db.read(async (reader) => {
    const activities = [];
    for (const runId of runIds.slice(0, ctx.limits.historyBulkRunsMax)) {
      const { id } = await getRunKey(reader, runId);
      const row = await reader.get<{ last_activity_time: number; lease_expires_at: number | null }>(
        "SELECT last_activity_time, lease_expires_at FROM runs WHERE id = ?",
        [id],
      );
      activities.push({
        runId,
        lastActivityTime: row!.last_activity_time,
        leaseExpiresAt: row!.lease_expires_at ?? undefined,
      });
    }
    return { activities };
  });

/** Marks runs whose lease ran out as failed, ended when they were last heard. Answers how many. */
export async function expireLeases(ctx: Context): Promise<number> {
  const now = ctx.clock();
  const due = await ctx.db.read((reader) =>
    reader.all<{ id: number }>(
      "SELECT id FROM runs WHERE lease_expires_at IS NOT NULL AND lease_expires_at < ? LIMIT ?",
      [now, EXPIRED_PER_SWEEP_MAX],
    ),
  );
  if (due.length === 0) return 0;
  const ended = await ctx.db.write(async (tx) => {
    const runs: number[] = [];
    for (const { id } of due) {
      const row = await tx.get<{ run_id: string; experiment: number }>(
        "SELECT run_id, experiment FROM runs WHERE id = ? AND lease_expires_at < ? AND status IN (1, 2)",
        [id, now],
      );
      if (row === undefined) continue;
      await tx.run(
        "UPDATE runs SET status = ?, end_time = last_activity_time, lease_expires_at = NULL WHERE id = ?",
        [runStatuses.FAILED, id],
      );
      await recordChange(tx, now, "run", row.run_id, "updated", row.experiment);
      runs.push(id);
    }
    return runs;
  });
  for (const id of ended) ctx.sealer.ended(id);
  return ended.length;
}
