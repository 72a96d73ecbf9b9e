/** Removing for good what is deleted: rows first, then artifacts, by a queue that survives failures. */
import type { OpenDatabase } from "../../db/operation/open.ts";
import {
  duePurges,
  purgeDone,
  purgeFailed,
  purgesLeft,
  removeExperiment,
  removeModel,
  removeRun,
  sweepInterrupted,
} from "../../db/operation/removal.ts";
import type { GcPlan } from "./gc-plan.ts";

const PURGES_PER_PAGE = 100;
/** Within one call a removal is tried so often; later calls try again. */
const ATTEMPTS = 3;
const FIRST_DELAY_MS = 200;
const DELAY_MS_MAX = 24 * 3_600_000;

export interface GcSurroundings {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly pause: (delayMs: number) => Promise<void>;
  /** Removes all that lies at an artifact address; nothing there is fine. */
  readonly removeArtifacts: (uri: string) => Promise<void>;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface GcResult {
  readonly runs: number;
  readonly experiments: number;
  readonly loggedModels: number;
  /** Removals that an earlier call had left unfinished. */
  readonly finished: number;
  readonly artifacts: {
    readonly removed: number;
    /** Tried in vain; they stay in the queue for the next call. */
    readonly failed: readonly { readonly uri: string; readonly reason: string }[];
    readonly waiting: number;
  };
}

/** Carries a plan out. What was restored since the plan stays. */
export async function collectGarbage(
  db: OpenDatabase,
  plan: GcPlan,
  surroundings: GcSurroundings,
): Promise<GcResult> {
  const { clock, onProgress } = surroundings;
  const total = plan.runs.length + plan.loggedModels.length + plan.experiments.length;
  let done = 0;
  const counts = { runs: 0, experiments: 0, loggedModels: 0 };
  const step = (noun: keyof typeof counts, gone: boolean): void => {
    if (gone) counts[noun]++;
    onProgress?.(++done, total);
  };
  for (const run of plan.runs) step("runs", await removeRun(db, run, clock()));
  const going = new Set(plan.experiments.map(({ id }) => id));
  for (const model of plan.loggedModels) {
    step("loggedModels", await removeModel(db, model, clock(), going.has(model.experiment)));
  }
  for (const { id } of plan.experiments) step("experiments", await removeExperiment(db, id));
  const finished = await sweepInterrupted(db);
  return { ...counts, finished, artifacts: await purgeArtifacts(db, surroundings) };
}

async function purgeArtifacts(
  db: OpenDatabase,
  { clock, pause, removeArtifacts }: GcSurroundings,
): Promise<GcResult["artifacts"]> {
  let removed = 0;
  const failed: { uri: string; reason: string }[] = [];
  for (;;) {
    const due = await duePurges(db, clock(), PURGES_PER_PAGE);
    for (const purge of due) {
      const reason = await attempt(() => removeArtifacts(purge.uri), pause);
      if (reason === undefined) {
        await purgeDone(db, purge.id);
        removed++;
      } else {
        failed.push({ uri: purge.uri, reason });
        const delayMs = Math.min(DELAY_MS_MAX, 60_000 * 2 ** Math.min(purge.attempts, 20));
        await purgeFailed(db, purge, clock() + delayMs);
      }
    }
    if (due.length < PURGES_PER_PAGE) return { removed, failed, waiting: await purgesLeft(db) };
  }
}

/** Why all attempts failed, or undefined. */
async function attempt(
  work: () => Promise<void>,
  pause: (delayMs: number) => Promise<void>,
): Promise<string | undefined> {
  for (let number = 1; ; number++) {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (number === ATTEMPTS) return error instanceof Error ? error.message : String(error);
      await pause(FIRST_DELAY_MS * 2 ** (number - 1));
    }
  }
}
