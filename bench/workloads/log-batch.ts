import { batchTemplate, fillBatch } from "../data/metric-batches.ts";
import { problemUnlessEmptyObject } from "../load/api.ts";
import { driveRepeatedly } from "../load/drive.ts";
import { driveEcho } from "../load/echo.ts";
import type { RequestTemplate } from "../load/requests.ts";
import type { Measurements, Session, Workload } from "../session.ts";
import { historyLength } from "./history.ts";
import { evidence } from "./summary.ts";

const connections = 4;
const metricsPerBatch = 1000;
/** A connection moves to its next run after so many batches. */
const batchesPerRun = 100;
/** Different values in so many consecutive batches: more than one sealed chunk of a series ever holds. */
const templatesPerConnection = 24;

interface Shape {
  readonly keys: number;
  readonly steps: number;
}

/** Batches of points that were never sent before, per connection and in step order. */
class BatchStream {
  readonly #shape: Shape;
  readonly #runIds: readonly string[];
  readonly #templates: RequestTemplate[][];
  readonly #sent = Array.from({ length: connections }, () => 0);
  readonly pointsPerRun = new Map<string, number>();

  constructor(shape: Shape, runIds: readonly string[]) {
    this.#shape = shape;
    this.#runIds = runIds;
    this.#templates = Array.from({ length: connections }, (_, connection) =>
      Array.from({ length: templatesPerConnection }, (_, i) =>
        batchTemplate(shape.keys, shape.steps, connection * 1000 + i),
      ),
    );
  }

  next = (connection: number): Buffer => {
    const batch = this.#sent[connection] ?? 0;
    this.#sent[connection] = batch + 1;
    const template = this.#templates[connection]?.[batch % templatesPerConnection];
    const runsPerConnection = Math.floor(this.#runIds.length / connections);
    const turn = Math.floor(batch / batchesPerRun) % runsPerConnection;
    const runId = this.#runIds[connection * runsPerConnection + turn];
    if (template === undefined || runId === undefined)
      throw new Error("A connection has no run to write to.");
    this.pointsPerRun.set(runId, (this.pointsPerRun.get(runId) ?? 0) + this.#shape.steps);
    return fillBatch(template, runId, this.#shape.keys, batch * this.#shape.steps);
  };
}

async function measure(
  session: Session,
  name: string,
  shape: Shape,
  seconds: number,
  repetitions: number,
): Promise<Measurements> {
  const experimentId = await session.api.createExperiment(name);
  const runIds: string[] = [];
  for (let i = 0; i < connections * 24; i++) runIds.push(await session.api.createRun(experimentId));
  const batches = new BatchStream(shape, runIds);
  const result = await driveRepeatedly(
    { port: session.server.port, connections, next: batches.next, check: problemUnlessEmptyObject },
    { seconds, repetitions },
  );
  if (result.errors === 0) {
    for (const key of [0, shape.keys - 1]) {
      const [runId, expected] = [...batches.pointsPerRun].at(key === 0 ? 0 : -1) ?? ["", 0];
      const stored = await historyLength(session.api, runId, `metric_${String(key)}`);
      if (stored !== expected)
        throw new Error(
          `${String(expected)} points of metric_${String(key)} were acknowledged and ${String(stored)} are stored.`,
        );
    }
  }
  const echo = await driveEcho(await session.freePort(), {
    connections,
    seconds: Math.min(3, seconds / 3),
    next: batches.next,
  });
  return {
    [`${name}.rate`]: {
      ...evidence(result),
      value: result.rate * metricsPerBatch,
      echo: (echo.requests / echo.seconds) * metricsPerBatch,
    },
  };
}

export const logBatch: Workload = {
  name: "log-batch",
  figures: [
    {
      id: "log-batch.rate",
      title: "log-batch of 1,000 new metrics (10 keys × 100 steps), 4 connections",
      unit: "metrics/s",
      better: "higher",
      goals: [{ bound: "at least", value: 200_000, synced: true }],
    },
  ],
  run: (session) =>
    measure(
      session,
      "log-batch",
      { keys: 10, steps: 100 },
      session.options.seconds,
      session.options.repetitions,
    ),
};

export const logBatchKeys: Workload = {
  name: "log-batch-keys",
  figures: [
    {
      id: "log-batch-keys.rate",
      title: "the same as 1,000 keys × 1 step",
      unit: "metrics/s",
      better: "higher",
    },
  ],
  run: (session) =>
    measure(
      session,
      "log-batch-keys",
      { keys: 1000, steps: 1 },
      session.options.seconds,
      session.options.repetitions,
    ),
};

export const logBatchSustained: Workload = {
  name: "log-batch-sustained",
  figures: [
    {
      id: "log-batch-sustained.rate",
      title: "log-batch sustained 60 s, with sealing",
      unit: "metrics/s",
      better: "higher",
      goals: [{ bound: "at least", value: 150_000, synced: true }],
    },
  ],
  unavailable: (session) =>
    session.target.name === "millrace" ? undefined : "nothing is sealed there: the shorter row says the same",
  run: (session) =>
    measure(session, "log-batch-sustained", { keys: 10, steps: 100 }, session.options.sustainedSeconds, 1),
};
