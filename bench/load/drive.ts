import { median, Samples } from "../measure/quantiles.ts";
import { Connection } from "./connection.ts";
import type { RawResponse } from "./response-parser.ts";

/** A closed loop: every connection sends its next request as soon as the last one was answered. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  /** The next request of a connection, or undefined when that connection has nothing left to do. */
  next(connection: number): Buffer | undefined;
  /** What is wrong with an answer; undefined when nothing is. */
  check(response: RawResponse, connection: number): string | undefined;
  /** No request starts after this many seconds; without it the load ends when `next` gives nothing. */
  readonly seconds?: number;
}

export interface LoadResult {
  readonly requests: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly latenciesMs: Samples;
  readonly errors: number;
  readonly firstError: string | undefined;
}

/** Runs a load on fresh connections. A wrong answer is counted, a broken connection ends the load. */
export async function drive(load: Load): Promise<LoadResult> {
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => Connection.open(load.port, 65_536)),
  );
  const latenciesMs = new Samples();
  let requests = 0;
  let errors = 0;
  let firstError: string | undefined;
  const startMs = performance.now();
  const endMs = load.seconds === undefined ? Number.POSITIVE_INFINITY : startMs + load.seconds * 1000;
  let lastMs = startMs;

  const loop = (connection: Connection, index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentMs = 0;
      const send = (): void => {
        sentMs = performance.now();
        const request = sentMs >= endMs ? undefined : load.next(index);
        if (request === undefined) resolve();
        else connection.send(request, answered, reject);
      };
      const answered = (response: RawResponse): void => {
        lastMs = performance.now();
        latenciesMs.add(lastMs - sentMs);
        requests++;
        const problem = load.check(response, index);
        if (problem !== undefined) {
          errors++;
          firstError ??= problem;
        }
        send();
      };
      send();
    });

  try {
    await Promise.all(connections.map(loop));
  } finally {
    for (const connection of connections) connection.close();
  }
  return { requests, seconds: Math.max(lastMs - startMs, 0.001) / 1000, latenciesMs, errors, firstError };
}

export interface RepeatedLoad {
  /** Requests per second: the median over the repetitions. */
  readonly rate: number;
  /** (fastest − slowest) / median of the repetitions' rates. */
  readonly spread: number;
  readonly latenciesMs: Samples;
  readonly requests: number;
  readonly errors: number;
  readonly firstError: string | undefined;
}

/** A warm-up, then several repetitions of a timed load. */
export async function driveRepeatedly(
  load: Omit<Load, "seconds">,
  plan: { readonly seconds: number; readonly repetitions: number },
): Promise<RepeatedLoad> {
  const each = plan.seconds / plan.repetitions;
  const warmUp = await drive({ ...load, seconds: Math.min(2, each) });
  const results: LoadResult[] = [];
  for (let i = 0; i < plan.repetitions; i++) results.push(await drive({ ...load, seconds: each }));
  const rates = results.map((result) => result.requests / result.seconds);
  const all = [warmUp, ...results];
  return {
    rate: median(rates),
    spread: (Math.max(...rates) - Math.min(...rates)) / median(rates),
    latenciesMs: Samples.merge(results.map((result) => result.latenciesMs)),
    requests: results.reduce((sum, result) => sum + result.requests, 0),
    errors: all.reduce((sum, result) => sum + result.errors, 0),
    firstError: all.find((result) => result.firstError !== undefined)?.firstError,
  };
}
