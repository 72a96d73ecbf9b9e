/** Mixed requests of busy connections, each with what its answer must be. */
import { metricValue, type Population } from "../../../bench/data/population.ts";
import { problemUnlessEmptyObject } from "../../../bench/load/api.ts";
import { apiGet, apiPost, httpRequest } from "../../../bench/load/requests.ts";
import type { RawResponse } from "../../../bench/load/response-parser.ts";
import { Random } from "../fuzz/random.ts";

const SEARCH_LIMIT = 20;
const BATCH_METRICS = 20;
/** A connection begins a new run after so many requests, as training scripts do. */
const REQUESTS_PER_RUN = 500;
const HISTORY_POINTS = 50;

type Kind =
  | "create-run"
  | "log-metric"
  | "log-batch"
  | "set-tag"
  | "log-param"
  | "get-run"
  | "search"
  | "history"
  | "put-artifact"
  | "get-artifact";

/** Shares of the requests; a run is created every `REQUESTS_PER_RUN`. */
const mix: readonly (readonly [Kind, number])[] = [
  ["log-metric", 0.42],
  ["log-batch", 0.12],
  ["set-tag", 0.12],
  ["log-param", 0.02],
  ["get-run", 0.14],
  ["search", 0.1],
  ["history", 0.02],
  ["put-artifact", 0.03],
  ["get-artifact", 0.03],
];

/** What one connection knows of its run: nobody else writes to it. */
interface Writer {
  runId: string;
  requests: number;
  step: number;
  params: number;
  lastValue: number;
  tag: string;
  artifact: Buffer | undefined;
  check: (response: RawResponse) => string | undefined;
}

export class Traffic {
  readonly counts = new Map<Kind, number>();
  readonly #population: Population;
  readonly #random: Random;
  readonly #writers: Writer[] = [];
  #remaining: number;

  constructor(population: Population, requests: number, seed: number) {
    this.#population = population;
    this.#random = new Random(seed);
    this.#remaining = requests;
  }

  get remaining(): number {
    return this.#remaining;
  }

  next = (connection: number): Buffer | undefined => {
    if (this.#remaining === 0) return undefined;
    this.#remaining--;
    const writer = (this.#writers[connection] ??= newWriter());
    const kind = writer.requests++ % REQUESTS_PER_RUN === 0 ? "create-run" : this.#pick();
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return this.#make(kind, writer);
  };

  check = (response: RawResponse, connection: number): string | undefined =>
    this.#writers[connection]?.check(response);

  #pick(): Kind {
    let at = this.#random.next();
    for (const [kind, share] of mix) {
      at -= share;
      if (at < 0) return kind;
    }
    return "log-metric";
  }

  #make(kind: Kind, writer: Writer): Buffer {
    const random = this.#random;
    const { runId } = writer;
    const timestamp = 1_700_000_000_000 + writer.step * 1_000;
    writer.check = problemUnlessEmptyObject;
    switch (kind) {
      case "create-run":
        writer.check = (response) => {
          const id = /"run_id":"([0-9a-f]{32})"/.exec(response.body.toString("latin1"))?.[1];
          if (response.status !== 200 || id === undefined) return shown(kind, response);
          Object.assign(writer, { ...newWriter(), runId: id, requests: writer.requests });
          return undefined;
        };
        return apiPost("runs/create", { experiment_id: this.#population.experimentId, start_time: 1 });
      case "log-metric":
        writer.lastValue = random.next();
        return apiPost("runs/log-metric", {
          run_id: runId,
          key: "own",
          value: writer.lastValue,
          timestamp,
          step: writer.step++,
        });
      case "log-batch": {
        writer.lastValue = random.next();
        const metrics = Array.from({ length: BATCH_METRICS }, (_, index) => ({
          key: index === 0 ? "own" : `other_${index % 5}`,
          value: index === 0 ? writer.lastValue : index,
          timestamp: timestamp + index,
          step: writer.step,
        }));
        writer.step++;
        return apiPost("runs/log-batch", { run_id: runId, metrics });
      }
      case "set-tag":
        writer.tag = `${random.next()}`;
        return apiPost("runs/set-tag", { run_id: runId, key: "own", value: writer.tag });
      case "log-param":
        return apiPost("runs/log-parameter", { run_id: runId, key: `p${writer.params++}`, value: "x" });
      case "get-run":
        writer.check = (response) => {
          if (response.status !== 200) return shown(kind, response);
          const { run } = JSON.parse(response.body.toString("utf8")) as RunAnswer;
          const value = run.data.metrics?.find(({ key }) => key === "own")?.value;
          const tag = run.data.tags?.find(({ key }) => key === "own")?.value ?? "";
          const isRight =
            run.info.run_id === runId &&
            tag === writer.tag &&
            (run.data.params?.length ?? 0) === writer.params &&
            (writer.step === 0 ? value === undefined : value === writer.lastValue);
          return isRight ? undefined : `get-run: not what was written before: ${shown(kind, response)}`;
        };
        return apiGet("runs/get", { run_id: runId });
      case "search": {
        const threshold = 0.5 + random.next() / 100;
        const keep = (index: number): boolean => metricValue(index, 0) > threshold;
        const expected = this.#population.expectedIds({ keep, orderMetric: 1, limit: SEARCH_LIMIT });
        writer.check = (response) => {
          const text = response.body.toString("latin1");
          const ids = Array.from(text.matchAll(/"run_id": ?"([0-9a-f]{32})"/g), (match) => match[1]);
          return ids.join() === expected.join() ? undefined : shown(kind, response);
        };
        return apiPost("runs/search", {
          experiment_ids: [this.#population.experimentId],
          filter: `metrics.m0 > ${threshold}`,
          order_by: ["metrics.m1 DESC"],
          max_results: SEARCH_LIMIT,
        });
      }
      case "history": {
        const expected = Math.min(writer.step, HISTORY_POINTS);
        writer.check = (response) => {
          const count = response.body.toString("latin1").split('"step":').length - 1;
          return response.status === 200 && count === expected ? undefined : shown(kind, response);
        };
        return apiGet("metrics/get-history", {
          run_id: runId,
          metric_key: "own",
          max_results: HISTORY_POINTS,
        });
      }
      case "put-artifact": {
        const artifact = Buffer.alloc(200 + random.below(20_000), `${random.next()}`);
        writer.artifact = artifact;
        writer.check = ({ status, body }) =>
          status === 200 ? undefined : `put-artifact: ${status} ${body.toString()}`;
        return httpRequest("PUT", artifactOf(runId), artifact, "application/octet-stream");
      }
      case "get-artifact": {
        const { artifact } = writer;
        writer.check = (response) => {
          if (artifact === undefined) return response.status === 404 ? undefined : shown(kind, response);
          return response.status === 200 && response.body.equals(artifact)
            ? undefined
            : shown(kind, response);
        };
        return httpRequest("GET", artifactOf(runId));
      }
    }
  }
}

interface RunAnswer {
  readonly run: {
    readonly info: { readonly run_id: string };
    readonly data: {
      readonly metrics?: readonly { readonly key: string; readonly value: number }[];
      readonly params?: readonly unknown[];
      readonly tags?: readonly { readonly key: string; readonly value: string }[];
    };
  };
}

function newWriter(): Writer {
  return {
    runId: "",
    requests: 0,
    step: 0,
    params: 0,
    lastValue: 0,
    tag: "",
    artifact: undefined,
    check: () => "an answer without a request",
  };
}

function artifactOf(runId: string): string {
  return `/api/2.0/mlflow-artifacts/artifacts/soak/${runId}/data.bin`;
}

function shown(kind: Kind, { status, body }: RawResponse): string {
  return `${kind}: ${status} ${body.toString("latin1", 0, 400)}`;
}
