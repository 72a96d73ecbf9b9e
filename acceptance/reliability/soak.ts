/**
 * Many mixed requests over busy connections, with slow clients beside them. Every answer is held against what was
 * written before; the server's memory is read all along.
 *
 * `node --conditions=millrace-source acceptance/reliability/soak.ts 1000000` runs it by itself.
 */
import { Population } from "../../bench/data/population.ts";
import { seedPopulation } from "../../bench/data/seed-population.ts";
import { Api } from "../../bench/load/api.ts";
import { drive } from "../../bench/load/drive.ts";
import { treePssMib } from "../../bench/measure/process-tree.ts";
import { median } from "../../bench/measure/quantiles.ts";
import { startServer } from "../server.ts";
import { runSlowClients } from "./soak/slow-clients.ts";
import { Traffic } from "./soak/traffic.ts";

const CONNECTIONS = 32;
const SLOW_CLIENTS = 64;
const SEARCHED_RUNS = 200;
const MEMORY_SAMPLES = 200;
const TENTHS = 10;
const POLL_MS = 20;

export interface SoakResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly firstError: string | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly slowExchanges: number;
  readonly slowErrors: readonly string[];
  /** Median PSS of the server while each tenth of the requests was sent, in MiB. */
  readonly pssMib: readonly number[];
  /** Last tenth against second tenth; 1.1 is the bound. */
  readonly growth: number;
  readonly healthy: boolean;
}

export async function soak(requests: number, seed = 1): Promise<SoakResult> {
  const server = await startServer();
  const api = new Api(Number(new URL(server.url).port));
  try {
    const population = new Population(await api.createExperiment("soak"));
    const port = Number(new URL(server.url).port);
    await seedPopulation(port, population, SEARCHED_RUNS);
    const slowRunId = await api.createRun(population.experimentId);
    const traffic = new Traffic(population, requests, seed);

    const samples: number[][] = Array.from({ length: TENTHS }, () => []);
    let sampled = 0;
    const sampling = setInterval(() => {
      const done = requests - traffic.remaining;
      if (traffic.remaining === 0 || (done * MEMORY_SAMPLES) / requests < sampled) return;
      sampled = Math.floor((done * MEMORY_SAMPLES) / requests) + 1;
      samples[Math.floor((done * TENTHS) / requests)]!.push(treePssMib(server.pid));
    }, POLL_MS);
    const slow = runSlowClients(server.url, slowRunId, SLOW_CLIENTS, () => traffic.remaining === 0);
    const load = await drive({ port, connections: CONNECTIONS, next: traffic.next, check: traffic.check });
    clearInterval(sampling);
    const { exchanges, errors: slowErrors } = await slow;
    const pssMib = samples.map(median);
    const health = await fetch(`${server.url}/health`);
    return {
      requests: load.requests,
      seconds: load.seconds,
      errors: load.errors,
      firstError: load.firstError,
      p50Ms: load.latenciesMs.p50,
      p99Ms: load.latenciesMs.p99,
      maxMs: load.latenciesMs.quantile(1),
      slowExchanges: exchanges,
      slowErrors,
      pssMib,
      growth: pssMib.at(-1)! / pssMib[1]!,
      healthy: health.status === 200,
    };
  } finally {
    api.close();
    await server.stop();
  }
}

export function describe(result: SoakResult): string {
  const { requests, seconds, errors, slowExchanges, slowErrors, pssMib, growth } = result;
  const ms = [result.p50Ms, result.p99Ms, result.maxMs].map((value) => value.toFixed(1)).join(" / ");
  return [
    `soak: ${requests} requests over ${CONNECTIONS} connections in ${seconds.toFixed(0)} s (${(requests / seconds).toFixed(0)}/s), ${errors} errors; p50 / p99 / max ${ms} ms`,
    `${SLOW_CLIENTS} slow clients: ${slowExchanges} exchanges, ${slowErrors.length} errors`,
    `PSS by tenths: ${pssMib.map((mib) => mib.toFixed(0)).join(", ")} MiB; last against second ${((growth - 1) * 100).toFixed(1)} %`,
    ...(result.firstError === undefined ? [] : [`first error: ${result.firstError}`]),
    ...slowErrors.slice(0, 5),
  ].join("\n");
}

export const GROWTH_MAX = 1.1;

if (import.meta.main) {
  const result = await soak(Number(process.argv[2] ?? 20_000));
  console.log(describe(result));
  const isGood = result.errors === 0 && result.slowErrors.length === 0 && result.growth <= GROWTH_MAX;
  process.exitCode = isGood ? 0 : 1;
}
