/**
 * The change feed's trailing marks. A run that logs is marked at most once a second, in its row and in the feed; what
 * it logs within that second after a mark is told of here, a moment later, so that nobody who follows the feed misses
 * the last points of a burst.
 */
import type { Database } from "./database.ts";
import { recordChange } from "./queries/changes.ts";
import type { RunKey } from "./queries/runs.ts";

export interface Activity {
  /** A run wrote something that was not marked. */
  note(run: Pick<RunKey, "id" | "run_id" | "experiment">): void;
  /** Writes the marks that are due. */
  flush(): Promise<void>;
}

export function createActivity(db: Database, clock: () => number): Activity {
  let pending = new Map<number, Pick<RunKey, "id" | "run_id" | "experiment">>();
  return {
    note(run) {
      pending.set(run.id, run);
    },
    async flush() {
      if (pending.size === 0) return;
      const runs = pending;
      pending = new Map();
      await db.background(async (tx) => {
        const now = clock();
        for (const { id, run_id, experiment } of runs.values()) {
          await tx.run("UPDATE runs SET last_activity_time = ? WHERE id = ? AND last_activity_time < ?", [
            now,
            id,
            now,
          ]);
          await recordChange(tx, now, "run", run_id, "metrics", experiment);
        }
      });
    },
  };
}
