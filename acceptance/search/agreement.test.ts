/**
 * The same random runs in a real MLflow and in Millrace, through the protocol: every filter that MLflow takes must find
 * the same runs in the same order. Runs are told apart by the order in which they were made, because each server
 * makes ids of its own.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { printFilter, printOrderTerm } from "@millrace/contract/filter";
import type { Condition, Filter, OrderTerm } from "@millrace/contract/filter";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  randomFilter,
  randomOrder,
  type RandomRun,
  randomRuns,
} from "../../packages/contract/src/filter/random.ts";
import { type RunningServer, startServer } from "../server.ts";

const RUNS = 40;
const SEARCHES_DEFAULT = 300;
const PAGE_SIZE = 7;

const mlflowDefault = path.resolve(import.meta.dirname, "../.environments/client-3.17/bin/mlflow");
const mlflow = process.env["MLFLOW_BIN"] || (existsSync(mlflowDefault) ? mlflowDefault : undefined);
const firstSeed = Math.trunc(Math.random() * 2 ** 31);
const seeds = Array.from(
  { length: Number(process.env["MILLRACE_SEEDS"] ?? SEARCHES_DEFAULT) },
  (_, index) => firstSeed + index,
);

/** Unique start times: what ties in everything else would be ordered by ids, which differ. */
const runs: readonly RandomRun[] = randomRuns(firstSeed, RUNS).map((run, index) => ({
  ...run,
  attributes: { ...run.attributes, start_time: run.attributes.start_time + index },
}));

class Loaded {
  readonly server: RunningServer;
  readonly experimentId: string;
  /** Ids in the order of `runs`. */
  readonly ids: readonly string[];

  constructor(server: RunningServer, experimentId: string, ids: readonly string[]) {
    this.server = server;
    this.experimentId = experimentId;
    this.ids = ids;
  }

  /** Which runs a search finds, by their place in `runs`, page by page. */
  async search(filter: Filter, order: readonly OrderTerm[], pageSize: number): Promise<number[]> {
    const found: number[] = [];
    let token: string | undefined;
    do {
      const page: { runs?: { info: { run_id: string } }[]; next_page_token?: string } = await post(
        this.server,
        "runs/search",
        {
          experiment_ids: [this.experimentId],
          filter: printFilter(withIds(filter, this.ids)),
          order_by: order.map(printOrderTerm),
          max_results: pageSize,
          ...(token === undefined ? {} : { page_token: token }),
        },
      );
      found.push(...(page.runs ?? []).map(({ info }) => this.ids.indexOf(info.run_id)));
      token = page.next_page_token;
    } while (token !== undefined);
    return found;
  }
}

async function post<T>(server: RunningServer, endpoint: string, body: object): Promise<T> {
  const response = await fetch(`${server.url}/api/2.0/mlflow/${endpoint}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body, (_, value: unknown) => (Number.isNaN(value) ? "NaN" : value)),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${server.kind} answered ${endpoint} with ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

async function load(target: "mlflow" | "millrace"): Promise<Loaded> {
  const before = { target: process.env["MILLRACE_TARGET"], bin: process.env["MLFLOW_BIN"] };
  process.env["MILLRACE_TARGET"] = target;
  if (mlflow !== undefined) process.env["MLFLOW_BIN"] = mlflow;
  const server = await startServer().finally(() => {
    process.env["MILLRACE_TARGET"] = before.target ?? "";
    process.env["MLFLOW_BIN"] = before.bin ?? "";
  });
  const { experiment_id: experimentId } = await post<{ experiment_id: string }>(
    server,
    "experiments/create",
    {
      name: "agreement",
    },
  );
  const ids: string[] = [];
  for (const run of runs) ids.push(await log(server, experimentId, run));
  return new Loaded(server, experimentId, ids);
}

async function log(server: RunningServer, experimentId: string, run: RandomRun): Promise<string> {
  const { attributes } = run;
  const created = await post<{ run: { info: { run_id: string } } }>(server, "runs/create", {
    experiment_id: experimentId,
    start_time: attributes.start_time,
    user_id: attributes.user_id,
    run_name: attributes.run_name,
  });
  const { run_id } = created.run.info;
  const texts = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
  await post(server, "runs/log-batch", {
    run_id,
    params: texts(run.params),
    tags: texts(run.tags),
    metrics: [...run.points].flatMap(([key, points]) =>
      points.map(({ step, timestampMs, value }) => ({ key, value, step, timestamp: timestampMs })),
    ),
  });
  if (run.datasets.length > 0) {
    await post(server, "runs/log-inputs", {
      run_id,
      datasets: run.datasets.map(({ name, digest, context }) => ({
        tags: context === null ? [] : [{ key: "mlflow.data.context", value: context }],
        dataset: { name, digest, source_type: "local", source: "{}" },
      })),
    });
  }
  await post(server, "runs/update", {
    run_id,
    status: attributes.status,
    ...(attributes.end_time === null ? {} : { end_time: attributes.end_time }),
  });
  return run_id;
}

/** Conditions on ids ask for some of the server's own: which ones follows from the values asked for. */
function withIds(filter: Filter, ids: readonly string[]): Filter {
  switch (filter.kind) {
    case "and":
    case "or":
      return { kind: filter.kind, terms: filter.terms.map((term) => withIds(term, ids)) };
    case "not":
      return { kind: "not", term: withIds(filter.term, ids) };
    default:
      return isOnId(filter) ? conditionWithIds(filter, ids) : filter;
  }
}

function conditionWithIds(condition: Condition, ids: readonly string[]): Condition {
  const own = (value: string | number): string => ids[String(value).length % ids.length]!;
  if (condition.kind === "in") return { ...condition, values: condition.values.map(own) };
  if (condition.kind !== "comparison" || /LIKE/.test(condition.operator)) return condition;
  return { ...condition, value: own(condition.value) };
}

const isOnId = ({ left }: Condition): boolean => left.entity === "attribute" && left.key === "run_id";

/** Patterns on ids and addresses find other runs on another server, and so does an order by them. */
function dependsOnServer(filter: Filter, order: readonly OrderTerm[]): boolean {
  const terms = filter.kind === "and" ? filter.terms : [filter];
  return (
    order.some(({ operand }) => operand.key === "run_id" || operand.key === "artifact_uri") ||
    terms.some(
      (term) =>
        term.kind === "comparison" &&
        term.left.entity === "attribute" &&
        (term.left.key === "artifact_uri" || (isOnId(term) && /LIKE/.test(term.operator))),
    )
  );
}

describe.skipIf(mlflow === undefined)(
  mlflow === undefined
    ? "agreement with MLflow (skipped: set MLFLOW_BIN to its command, or run the client tests once)"
    : "agreement with MLflow",
  () => {
    let theirs: Loaded;
    let ours: Loaded;
    beforeAll(async () => {
      [theirs, ours] = await Promise.all([load("mlflow"), load("millrace")]);
    }, 300_000);
    afterAll(async () => {
      await Promise.all([theirs?.server.stop(), ours?.server.stop()]);
    });

    test(`${seeds.length} searches from seed ${firstSeed}`, { timeout: 1_200_000 }, async () => {
      let compared = 0;
      for (const seed of seeds) {
        const filter = randomFilter(seed, { mlflowOnly: true });
        const order = randomOrder(seed, { mlflowOnly: true });
        if (dependsOnServer(filter, order)) continue;
        const pageSize = seed % 5 === 0 ? PAGE_SIZE : 1_000;
        const [expected, found] = await Promise.all([
          theirs.search(filter, order, pageSize),
          ours.search(filter, order, pageSize),
        ]);
        const shown = `seed ${seed}: ${printFilter(filter)} | ${order.map(printOrderTerm).join(", ")}`;
        expect(found, shown).toEqual(expected);
        compared++;
      }
      expect(compared).toBeGreaterThan(seeds.length / 3);
    });
  },
);
