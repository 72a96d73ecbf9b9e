/** A bound that a figure must keep. */
export interface Goal {
  readonly bound: "at most" | "at least";
  readonly value: number;
  /** The work waits for the disk: on a slow one the bound is read as a multiple of the fsync probe. */
  readonly synced?: boolean;
  /** Where the bound comes from, when it is not a plain number. */
  readonly because?: string;
}

/** The fsync time for which bounds on synced work are stated. */
export const referenceProbeMs = 0.3;

/**
 * The bound that counts on this disk. Up to the reference probe it is the stated one; beyond it, a bound of
 * `n` per second or `n` milliseconds keeps the same number of probes: rates shrink and durations grow with it.
 */
export function effectiveBound(goal: Goal, probeMs: number | undefined): number {
  const slower = goal.synced === true && probeMs !== undefined ? Math.max(1, probeMs / referenceProbeMs) : 1;
  return goal.bound === "at most" ? goal.value * slower : goal.value / slower;
}

export type Verdict = "met" | "missed" | "";

/** Whether a value keeps any one of the goals; empty when there is none. */
export function verdict(
  value: number,
  goals: readonly Goal[] | undefined,
  probeMs: number | undefined,
): Verdict {
  if (goals === undefined || goals.length === 0) return "";
  const kept = goals.some((goal) => {
    const bound = effectiveBound(goal, probeMs);
    return goal.bound === "at most" ? value <= bound : value >= bound;
  });
  return kept ? "met" : "missed";
}
