import { firstStep, firstTimestampMs, metricTemplate } from "../data/metric-batches.ts";
import { problemUnlessEmptyObject } from "../load/api.ts";
import { driveRepeatedly } from "../load/drive.ts";
import { driveEcho } from "../load/echo.ts";
import type { RequestTemplate } from "../load/requests.ts";
import { bareCommits } from "../measure/disk-probe.ts";
import type { Session, Workload } from "../session.ts";
import { historyLength } from "./history.ts";
import { evidence } from "./summary.ts";

/** New points for one run per connection: every request is another point, so nothing is a repetition. */
class MetricStream {
  readonly #templates: readonly RequestTemplate[];
  readonly sent: number[];

  constructor(runIds: readonly string[]) {
    this.#templates = runIds.map((runId) => metricTemplate(runId, "loss"));
    this.sent = runIds.map(() => 0);
  }

  next = (connection: number): Buffer => {
    const template = this.#templates[connection];
    if (template === undefined) throw new Error(`There is no run for connection ${String(connection)}.`);
    const index = this.sent[connection] ?? 0;
    this.sent[connection] = index + 1;
    template.fillNumbers("step", () => firstStep + index);
    template.fillNumbers("timestamp", () => firstTimestampMs + index);
    template.fillNumbers("value", () => 100_000_000 + Math.floor(Math.random() * 900_000_000));
    return template.bytes;
  };
}

async function stream(
  session: Session,
  experiment: string,
  connections: number,
): Promise<[MetricStream, string[]]> {
  const experimentId = await session.api.createExperiment(experiment);
  const runIds: string[] = [];
  for (let i = 0; i < connections; i++) runIds.push(await session.api.createRun(experimentId));
  return [new MetricStream(runIds), runIds];
}

/** Every acknowledged point must be there, once. */
async function confirm(session: Session, metrics: MetricStream, runIds: readonly string[]): Promise<void> {
  for (const index of [0, runIds.length - 1]) {
    const stored = await historyLength(session.api, runIds[index] ?? "", "loss");
    if (stored !== metrics.sent[index])
      throw new Error(
        `${String(metrics.sent[index])} points were acknowledged and ${String(stored)} are stored.`,
      );
  }
}

export const logMetricOne: Workload = {
  name: "log-metric-1",
  figures: [
    {
      id: "log-metric-1.p50",
      title: "log-metric, 1 connection, p50",
      unit: "ms",
      better: "lower",
      goals: [{ bound: "at most", value: 0.6, synced: true }],
    },
    {
      id: "log-metric-1.p99",
      title: "log-metric, 1 connection, p99",
      unit: "ms",
      better: "lower",
      rule: "≤ p99 of a bare commit + 1.5 ms",
    },
    { id: "log-metric-1.commit", title: "bare commit beside it, p50", unit: "ms", better: "lower" },
  ],
  async run(session) {
    const [metrics, runIds] = await stream(session, "log-metric-1", 1);
    const seconds = Math.min(session.options.seconds, 6);
    const commits = bareCommits(session.server.folder, session.options.quick ? 200 : 2_000);
    const result = await driveRepeatedly(
      { port: session.server.port, connections: 1, next: metrics.next, check: problemUnlessEmptyObject },
      { seconds, repetitions: session.options.repetitions },
    );
    if (result.errors === 0) await confirm(session, metrics, runIds);
    const echo = await driveEcho(await session.freePort(), {
      connections: 1,
      seconds: seconds / 3,
      next: metrics.next,
    });
    const shared = {
      detail: result.latenciesMs.toString(),
      errors: result.errors,
      firstError: result.firstError,
      echo: echo.requests / echo.seconds,
    };
    return {
      "log-metric-1.p50": { ...shared, value: result.latenciesMs.p50 },
      "log-metric-1.p99": {
        ...shared,
        value: result.latenciesMs.p99,
        goals: [{ bound: "at most", value: commits.p99 + 1.5, because: "p99 of a bare commit + 1.5 ms" }],
      },
      "log-metric-1.commit": { value: commits.p50, detail: commits.toString() },
    };
  },
};

export const logMetricMany: Workload = {
  name: "log-metric-64",
  figures: [
    {
      id: "log-metric-64.rate",
      title: "log-metric, 64 connections",
      unit: "/s",
      better: "higher",
      goals: [{ bound: "at least", value: 12_000, synced: true }],
    },
    {
      id: "log-metric-64.p99",
      title: "log-metric, 64 connections, p99",
      unit: "ms",
      better: "lower",
      goals: [{ bound: "at most", value: 20 }],
    },
  ],
  async run(session) {
    const [metrics, runIds] = await stream(session, "log-metric-64", 64);
    const { seconds, repetitions } = session.options;
    const result = await driveRepeatedly(
      { port: session.server.port, connections: 64, next: metrics.next, check: problemUnlessEmptyObject },
      { seconds, repetitions },
    );
    if (result.errors === 0) await confirm(session, metrics, runIds);
    const echo = await driveEcho(await session.freePort(), {
      connections: 64,
      seconds: seconds / 3,
      next: metrics.next,
    });
    const echoRate = echo.requests / echo.seconds;
    const shared = evidence(result);
    return {
      "log-metric-64.rate": {
        ...shared,
        value: result.rate,
        echo: echoRate,
        goals: [
          { bound: "at least", value: 12_000, synced: true },
          { bound: "at least", value: 0.3 * echoRate, because: "30 % of the bare echo" },
        ],
      },
      "log-metric-64.p99": { ...shared, value: result.latenciesMs.p99 },
    };
  },
};
