import { firstTimestampMs } from "../data/metric-batches.ts";
import { uniform } from "../data/random.ts";
import { runIdOf } from "../data/seed-population.ts";
import { problemUnlessEmptyObject } from "../load/api.ts";
import { driveRepeatedly } from "../load/drive.ts";
import { apiPost } from "../load/requests.ts";
import type { RawResponse } from "../load/response-parser.ts";
import type { Workload } from "../session.ts";
import { evidence } from "./summary.ts";

const connections = 4;
const requestsPerRun = 3;

interface RunReply {
  readonly run: {
    readonly info: { readonly status: string; readonly end_time?: number };
    readonly data: Readonly<
      Record<"metrics" | "params" | "tags", readonly { key: string; value: unknown }[]>
    >;
  };
}

/** create, one batch of 10 params + 20 metrics + 5 tags, finish: each connection one run after another. */
class RunWriter {
  readonly finished: string[] = [];
  readonly #experimentId: string;
  readonly #stage = Array.from({ length: connections }, () => 0);
  readonly #runIds = Array.from({ length: connections }, () => "");
  #count = 0;

  constructor(experimentId: string) {
    this.#experimentId = experimentId;
  }

  next = (connection: number): Buffer => {
    const runId = this.#runIds[connection] ?? "";
    switch (this.#stage[connection]) {
      case 0:
        return apiPost("runs/create", { experiment_id: this.#experimentId, start_time: firstTimestampMs });
      case 1:
        return apiPost("runs/log-batch", batchBody(runId, this.#count++));
      default:
        return apiPost("runs/update", {
          run_id: runId,
          status: "FINISHED",
          end_time: firstTimestampMs + 1000,
        });
    }
  };

  check = (response: RawResponse, connection: number): string | undefined => {
    const stage = this.#stage[connection] ?? 0;
    this.#stage[connection] = (stage + 1) % requestsPerRun;
    if (stage === 1) return problemUnlessEmptyObject(response);
    const runId = response.status === 200 ? runIdOf(response.body) : undefined;
    if (runId === undefined)
      return `status ${String(response.status)}: ${response.body.toString().slice(0, 200)}`;
    if (stage === 0) {
      this.#runIds[connection] = runId;
      return undefined;
    }
    this.finished.push(runId);
    return runId === this.#runIds[connection] ? undefined : `runs/update answered run ${runId}.`;
  };
}

function batchBody(runId: string, index: number): unknown {
  return {
    run_id: runId,
    params: Array.from({ length: 10 }, (_, i) => ({
      key: `p${String(i)}`,
      value: `value-${String((index + i) % 97)}`,
    })),
    metrics: Array.from({ length: 20 }, (_, i) => ({
      key: `m${String(i)}`,
      value: uniform(index, i),
      timestamp: firstTimestampMs + 500,
      step: 1,
    })),
    tags: Array.from({ length: 5 }, (_, i) => ({
      key: `t${String(i)}`,
      value: `tag ${String((index * 7 + i) % 31)}`,
    })),
  };
}

export const smallRuns: Workload = {
  name: "small-runs",
  figures: [
    {
      id: "small-runs.rate",
      title: "whole small runs (create, 10 params + 20 metrics + 5 tags, finish), 4 connections",
      unit: "runs/s",
      better: "higher",
      goals: [{ bound: "at least", value: 1_500, synced: true }],
    },
  ],
  async run(session) {
    const writer = new RunWriter(await session.api.createExperiment("small-runs"));
    const result = await driveRepeatedly(
      { port: session.server.port, connections, next: writer.next, check: writer.check },
      session.options,
    );
    for (const runId of [writer.finished[0], writer.finished.at(-1)]) {
      const { run } = (await session.api.get("runs/get", { run_id: runId ?? "" })) as Partial<RunReply>;
      if (run?.data === undefined) throw new Error(`runs/get knows nothing of run ${String(runId)}.`);
      const own = run.data.tags.filter((tag) => /^t\d$/.test(tag.key));
      const counts = [run.data.params.length, run.data.metrics.length, own.length];
      if (run.info.status !== "FINISHED" || counts.join() !== "10,20,5")
        throw new Error(
          `Run ${String(runId)} is ${run.info.status} with ${counts.join(", ")} params, metrics, tags.`,
        );
    }
    return { "small-runs.rate": { ...evidence(result), value: result.rate / requestsPerRun } };
  },
};
