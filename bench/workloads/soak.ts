import { metricValue, Population } from "../data/population.ts";
import { firstTimestampMs } from "../data/metric-batches.ts";
import { uniformStream } from "../data/random.ts";
import { seedPopulation } from "../data/seed-population.ts";
import { problemUnlessEmptyObject } from "../load/api.ts";
import { driveRepeatedly } from "../load/drive.ts";
import { apiGet, apiPost } from "../load/requests.ts";
import type { RawResponse } from "../load/response-parser.ts";
import type { Workload } from "../session.ts";
import { evidence } from "./summary.ts";

const connections = 16;
const runCount = 200;
const searchLimit = 20;
/** Metrics of one small batch. */
const batchMetrics = 20;

type Kind = "search" | "log-metric" | "log-batch" | "set-tag" | "get-run";

/**
 * The mix: shares of the requests, over an experiment of 200 runs (10 metrics, 5 params, 3 tags each). A search
 * filters by one metric (half of the runs pass) and orders by another, and asks for 20 runs.
 */
const mix: readonly (readonly [Kind, number])[] = [
  ["search", 0.1],
  ["log-metric", 0.45],
  ["log-batch", 0.15],
  ["set-tag", 0.15],
  ["get-run", 0.15],
];

class MixedTraffic {
  readonly counts = new Map<Kind, number>();
  readonly #population: Population;
  readonly #random = uniformStream(4711);
  readonly #pending: { readonly kind: Kind; readonly expected: readonly string[] }[] = [];
  #step = 0;

  constructor(population: Population) {
    this.#population = population;
  }

  next = (connection: number): Buffer => {
    const kind = pick(this.#random());
    const runId = this.#population.runIds[Math.floor(this.#random() * runCount)] ?? "";
    const { request, expected } = this.#make(kind, runId);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#pending[connection] = { kind, expected };
    return request;
  };

  check = (response: RawResponse, connection: number): string | undefined => {
    const pending = this.#pending[connection];
    if (pending === undefined) return "An answer came without a request.";
    if (pending.kind !== "search" && pending.kind !== "get-run") return problemUnlessEmptyObject(response);
    const text = response.body.toString("latin1");
    if (response.status !== 200)
      return `${pending.kind} answered ${String(response.status)}: ${text.slice(0, 200)}`;
    const ids = Array.from(text.matchAll(/"run_id": ?"([0-9a-f]{32})"/g), (match) => match[1]);
    return ids.join() === pending.expected.join()
      ? undefined
      : `${pending.kind} answered other runs: ${ids.join(" ")}`;
  };

  #make(kind: Kind, runId: string): { readonly request: Buffer; readonly expected: readonly string[] } {
    const step = this.#step++;
    const timestamp = firstTimestampMs + step;
    const value = this.#random();
    const none: readonly string[] = [];
    switch (kind) {
      case "log-metric":
        return {
          request: apiPost("runs/log-metric", { run_id: runId, key: "soak", value, timestamp, step }),
          expected: none,
        };
      case "log-batch": {
        const metrics = Array.from({ length: batchMetrics }, (_, i) => ({
          key: `soak_${String(i % 5)}`,
          value: value + i,
          timestamp: timestamp + i,
          step,
        }));
        return { request: apiPost("runs/log-batch", { run_id: runId, metrics }), expected: none };
      }
      case "set-tag":
        return {
          request: apiPost("runs/set-tag", { run_id: runId, key: "soak", value: `step ${String(step)}` }),
          expected: none,
        };
      case "get-run":
        return { request: apiGet("runs/get", { run_id: runId }), expected: [runId] };
      case "search": {
        const threshold = 0.5 + value / 100;
        const keep = (index: number): boolean => metricValue(index, 0) > threshold;
        const body = {
          experiment_ids: [this.#population.experimentId],
          filter: `metrics.m0 > ${String(threshold)}`,
          order_by: ["metrics.m1 DESC"],
          max_results: searchLimit,
        };
        return {
          request: apiPost("runs/search", body),
          expected: this.#population.expectedIds({ keep, orderMetric: 1, limit: searchLimit }),
        };
      }
    }
  }
}

function pick(at: number): Kind {
  let sum = 0;
  for (const [kind, share] of mix) {
    sum += share;
    if (at < sum) return kind;
  }
  return "log-metric";
}

export const soak: Workload = {
  name: "soak",
  figures: [
    {
      id: "soak.rate",
      title: "mixed soak, 16 connections (10 % searches)",
      unit: "/s",
      better: "higher",
      goals: [{ bound: "at least", value: 4_000, synced: true }],
    },
    {
      id: "soak.p99",
      title: "mixed soak, p99",
      unit: "ms",
      better: "lower",
      goals: [{ bound: "at most", value: 20 }],
    },
  ],
  async run(session) {
    const population = new Population(await session.api.createExperiment("soak"));
    await seedPopulation(session.server.port, population, runCount);
    const traffic = new MixedTraffic(population);
    const result = await driveRepeatedly(
      { port: session.server.port, connections, next: traffic.next, check: traffic.check },
      { seconds: session.options.soakSeconds, repetitions: session.options.repetitions },
    );
    const shared = evidence(result);
    const shares = Array.from(traffic.counts, ([kind, count]) => `${kind} ${String(count)}`).join(", ");
    return {
      "soak.rate": { ...shared, value: result.rate, detail: `${shared.detail ?? ""}; sent ${shares}` },
      "soak.p99": { ...shared, value: result.latenciesMs.p99 },
    };
  },
};
