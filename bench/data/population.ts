import { hash32, uniform } from "./random.ts";

export const metricsPerRun = 10;
export const paramsPerRun = 5;
export const tagsPerRun = 3;
export const optimizers = ["adam", "sgd", "rmsprop", "lion"] as const;
const firstStartMs = 1_700_000_000_000;

/**
 * The searched runs: every value follows from the run's index, so that the expected answer of a search is
 * computed here and never taken from a server. m0 is what filters ask for, m1 is independent of it, m2 falls
 * as m0 rises (the best by m2 fail a filter on m0). No two runs tie.
 */
export class Population {
  readonly experimentId: string;
  /** Server's run id by index; filled by the seeding. */
  readonly runIds: string[] = [];
  readonly #orders = new Map<string, { readonly count: number; readonly indices: Uint32Array }>();

  constructor(experimentId: string) {
    this.experimentId = experimentId;
  }

  get count(): number {
    return this.runIds.length;
  }

  /**
   * Ids that a search must answer, in order: runs that pass `keep`, by a metric or else by start time, both
   * descending, from `offset`.
   */
  expectedIds(query: {
    readonly keep?: (index: number) => boolean;
    readonly orderMetric?: number;
    readonly offset?: number;
    readonly limit: number;
  }): string[] {
    const ids: string[] = [];
    let skipped = 0;
    for (const index of this.#descending(query.orderMetric)) {
      if (query.keep !== undefined && !query.keep(index)) continue;
      if (skipped++ < (query.offset ?? 0)) continue;
      ids.push(this.runIds[index] ?? "");
      if (ids.length === query.limit) break;
    }
    return ids;
  }

  #descending(metric: number | undefined): Uint32Array {
    const name = metric === undefined ? "start" : `m${String(metric)}`;
    const known = this.#orders.get(name);
    if (known?.count === this.count) return known.indices;
    const keys = Float64Array.from({ length: this.count }, (_, index) =>
      metric === undefined ? startTimeMs(index) : metricValue(index, metric),
    );
    const indices = Uint32Array.from(keys.keys()).sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0));
    this.#orders.set(name, { count: this.count, indices });
    return indices;
  }
}

export function startTimeMs(index: number): number {
  return firstStartMs + index * 1000;
}

export function metricValue(index: number, metric: number): number {
  if (metric === 2) return 1 - uniform(index, 0) + 0.01 * uniform(index, 2);
  return uniform(index, metric);
}

export function paramValue(index: number, param: number): string {
  if (param === 0) return optimizers[hash32(index, 900) % optimizers.length] ?? "";
  return (uniform(index, 900 + param) * 10).toPrecision(4);
}

export function tagValue(index: number, tag: number): string {
  if (tag === 0) return hash32(index, 800).toString(16).padStart(8, "0");
  return `${tag === 1 ? "team" : "stage"}-${String(hash32(index, 800 + tag) % 7)}`;
}

export function createRunBody(experimentId: string, index: number): unknown {
  return {
    experiment_id: experimentId,
    start_time: startTimeMs(index),
    run_name: `run-${String(index)}`,
    tags: Array.from({ length: tagsPerRun }, (_, tag) => ({
      key: `t${String(tag)}`,
      value: tagValue(index, tag),
    })),
  };
}

export function logBatchBody(runId: string, index: number): unknown {
  return {
    run_id: runId,
    metrics: Array.from({ length: metricsPerRun }, (_, metric) => ({
      key: `m${String(metric)}`,
      value: metricValue(index, metric),
      timestamp: startTimeMs(index) + 500,
      step: 0,
    })),
    params: Array.from({ length: paramsPerRun }, (_, param) => ({
      key: `p${String(param)}`,
      value: paramValue(index, param),
    })),
  };
}
