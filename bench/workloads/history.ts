import { fillBatch, batchTemplate, firstStep, firstTimestampMs } from "../data/metric-batches.ts";
import { sampledPositions } from "../data/sampled-history.ts";
import { jsonOf, problemUnlessEmptyObject, type Api } from "../load/api.ts";
import { drive } from "../load/drive.ts";
import { apiGet } from "../load/requests.ts";
import { settle } from "../measure/process-tree.ts";
import { Samples } from "../measure/quantiles.ts";
import type { Session, Workload } from "../session.ts";
import { sizeNote } from "./summary.ts";

interface Point {
  readonly key: string;
  readonly value: number;
  readonly step: number;
  readonly timestamp: number;
  readonly run_id?: string;
}

interface HistoryPage {
  readonly metrics?: readonly Point[];
  readonly next_page_token?: string;
}

const pageSize = 25_000;
const intervalRuns = 20;
const intervalPoints = 320;

/** How many points of a metric the server holds. */
export async function historyLength(api: Api, runId: string, key: string): Promise<number> {
  return (await readHistory(api, runId, key)).points.length;
}

/** The whole history in pages; `ms` is the time on the wire and in the server, without reading the JSON. */
async function readHistory(api: Api, runId: string, key: string): Promise<{ points: Point[]; ms: number }> {
  const points: Point[] = [];
  let ms = 0;
  let token: string | undefined;
  do {
    const query = { run_id: runId, metric_key: key, max_results: pageSize };
    const answer = await api.timed(
      apiGet("metrics/get-history", token === undefined ? query : { ...query, page_token: token }),
    );
    ms += answer.ms;
    const page = jsonOf(answer, "metrics/get-history") as HistoryPage;
    for (const point of page.metrics ?? []) points.push(point);
    token = page.next_page_token || undefined;
  } while (token !== undefined);
  return { points, ms };
}

/** A run with `count` points of `metric_0`, logged in order, and the values that were sent. */
async function seedSeries(session: Session, runId: string, count: number, seed: number): Promise<number[]> {
  const perBatch = Math.min(1000, count);
  const values: number[] = [];
  let batches = 0;
  const result = await drive({
    port: session.server.port,
    connections: 1,
    next: () => {
      if (batches * perBatch >= count) return undefined;
      const template = batchTemplate(1, perBatch, seed + batches);
      const bytes = fillBatch(template, runId, 1, batches * perBatch);
      const body = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4).toString();
      for (const metric of (JSON.parse(body) as { metrics: Point[] }).metrics) values.push(metric.value);
      batches++;
      return bytes;
    },
    check: problemUnlessEmptyObject,
  });
  if (result.errors > 0) throw new Error(`Seeding a history failed: ${String(result.firstError)}`);
  return values;
}

function confirmPoint(point: Point | undefined, position: number, values: readonly number[]): void {
  if (
    point?.step !== firstStep + position ||
    point.timestamp !== firstTimestampMs + position * 1000 ||
    point.value !== values[position]
  )
    throw new Error(
      `Point ${String(position)} should have step ${String(firstStep + position)} and value ${String(values[position])}, not ${JSON.stringify(point)}.`,
    );
}

export const history: Workload = {
  name: "history",
  figures: [
    {
      id: "history.pages",
      title: "get-history of 50,000 points, pages of 25,000",
      unit: "ms",
      better: "lower",
      goals: [{ bound: "at most", value: 80 }],
    },
  ],
  async run(session) {
    const count = session.options.historyPoints;
    const runId = await session.api.createRun(await session.api.createExperiment("history"));
    const values = await seedSeries(session, runId, count, 70_000);
    await settle(session.server.pid);
    const samples = new Samples();
    for (let i = 0; i < (session.options.quick ? 4 : 12); i++) {
      const { points, ms } = await readHistory(session.api, runId, "metric_0");
      if (points.length !== count)
        throw new Error(`${String(points.length)} of ${String(count)} points came back.`);
      for (const [position, point] of points.entries()) confirmPoint(point, position, values);
      if (i >= 2) samples.add(ms);
    }
    return {
      "history.pages": {
        value: samples.p50,
        detail: samples.toString(),
        at: sizeNote(count, 50_000, "points"),
      },
    };
  },
};

export const historyInterval: Workload = {
  name: "history-interval",
  figures: [
    {
      id: "history-interval.p50",
      title: "get-history-bulk-interval, 320 steps, 20 runs × 10,000 points",
      unit: "ms",
      better: "lower",
      goals: [{ bound: "at most", value: 25 }],
    },
  ],
  async run(session) {
    const count = session.options.historyPoints / 5;
    const experimentId = await session.api.createExperiment("history-interval");
    const runIds: string[] = [];
    const seeded: number[][] = [];
    for (let run = 0; run < intervalRuns; run++) {
      const runId = await session.api.createRun(experimentId);
      runIds.push(runId);
      seeded.push(await seedSeries(session, runId, count, 80_000 + run * 100));
    }
    await settle(session.server.pid);
    const positions = sampledPositions(count, intervalPoints);
    const samples = new Samples();
    for (let i = 0; i < (session.options.quick ? 4 : 22); i++) {
      const answer = await session.api.timed(
        apiGet("metrics/get-history-bulk-interval", {
          run_ids: runIds,
          metric_key: "metric_0",
          max_results: intervalPoints,
        }),
      );
      const points = (jsonOf(answer, "get-history-bulk-interval") as HistoryPage).metrics ?? [];
      if (points.length !== intervalRuns * positions.length)
        throw new Error(
          `${String(points.length)} points came back, not ${String(intervalRuns * positions.length)}.`,
        );
      for (const [index, point] of points.entries()) {
        const run = Math.floor(index / positions.length);
        if (point.run_id !== runIds[run])
          throw new Error(`Point ${String(index)} belongs to run ${String(point.run_id)}.`);
        confirmPoint(point, positions[index % positions.length] ?? -1, seeded[run] ?? []);
      }
      if (i >= 2) samples.add(answer.ms);
    }
    return {
      "history-interval.p50": {
        value: samples.p50,
        detail: samples.toString(),
        at: sizeNote(count, 10_000, "points a run"),
      },
    };
  },
};
