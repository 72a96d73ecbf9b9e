import type { Population } from "./data/population.ts";
import type { Api } from "./load/api.ts";
import type { Options } from "./options.ts";
import type { Goal } from "./report/verdict.ts";
import type { RunningServer, Target } from "./targets/target.ts";

/** One number that a workload promises to measure. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** What must be reached; any one of several suffices. None: the figure is printed for information. */
  readonly goals?: readonly Goal[];
  /** The goal in words, shown where its number is only known once something else was measured. */
  readonly rule?: string;
}

export interface Measurement {
  readonly value: number;
  /** Percentiles, spread, sizes: what the number rests on. */
  readonly detail?: string;
  /** The size it was measured at, where that is not the one in the figure's title: `at 5,000 runs`. */
  readonly at?: string;
  /** Replaces the figure's goals, where they depend on something measured beside it. */
  readonly goals?: readonly Goal[];
  /** The bare echo under the same load, in the figure's unit or per second. */
  readonly echo?: number;
  /** Wrong answers. */
  readonly errors?: number;
  readonly firstError?: string;
  /** p50 of the fsync probe around the workload; filled in by the runner. */
  readonly probeMs?: number;
}

export type Measurements = Readonly<Record<string, Measurement>>;

/** What a workload receives: one target, its long-running server, and sizes. */
export interface Session {
  readonly target: Target;
  readonly server: RunningServer;
  readonly api: Api;
  readonly options: Options;
  /** Sizes that MLflow gets smaller, for time's sake. */
  readonly sizes: {
    readonly runs: number;
    readonly largeRuns: number;
    readonly historyPoints: number;
    readonly storageRuns: number;
  };
  /** PSS of the server before the first workload. */
  readonly idlePssMib: number;
  /** The searched experiment, filled up to at least `runs`. */
  population(runs: number): Promise<Population>;
  /** A second server of the same target on an empty folder; the caller stops it. */
  startFresh(name: string): Promise<RunningServer>;
  freePort(): Promise<number>;
  /** Figures of earlier workloads on this target that a later one refers to. */
  readonly remembered: Map<string, number>;
  /** The interpreter of the environment that holds the official client; undefined when there is none. */
  readonly python: string | undefined;
  /** Lines for the reader, on standard error. */
  say(text: string): void;
}

export interface Workload {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Why this target cannot run it; undefined when it can. */
  unavailable?(session: Session): string | undefined;
  run(session: Session): Promise<Measurements>;
}
