import { problemUnlessEmptyObject } from "../load/api.ts";
import { drive } from "../load/drive.ts";
import { apiPost } from "../load/requests.ts";
import { createRunBody, logBatchBody, type Population } from "./population.ts";

const connections = 8;

/** Adds runs to the population until it holds `count`, through the public API: create, then one batch. */
export async function seedPopulation(port: number, population: Population, count: number): Promise<void> {
  let nextIndex = population.count;
  const indices: number[] = [];
  const created: (string | undefined)[] = [];
  const runIds = new Map<number, string>();
  const result = await drive({
    port,
    connections,
    next: (connection) => {
      const index = indices[connection] ?? 0;
      const runId = created[connection];
      if (runId !== undefined) return apiPost("runs/log-batch", logBatchBody(runId, index));
      if (nextIndex >= count) return undefined;
      indices[connection] = nextIndex;
      return apiPost("runs/create", createRunBody(population.experimentId, nextIndex++));
    },
    check: (response, connection) => {
      if (created[connection] !== undefined) {
        created[connection] = undefined;
        return problemUnlessEmptyObject(response);
      }
      const runId = response.status === 200 ? runIdOf(response.body) : undefined;
      if (runId === undefined)
        return `runs/create answered ${String(response.status)}: ${response.body.toString()}`;
      created[connection] = runId;
      runIds.set(indices[connection] ?? 0, runId);
      return undefined;
    },
  });
  if (result.errors > 0)
    throw new Error(`Seeding runs failed ${String(result.errors)} times: ${String(result.firstError)}`);
  for (let index = population.count; index < count; index++) population.runIds.push(runIds.get(index) ?? "");
}

/** The id of the run in an answer of runs/create, without reading all of its JSON. */
export function runIdOf(body: Buffer): string | undefined {
  return /"run_id": ?"([0-9a-f]{32})"/.exec(body.toString("latin1"))?.[1];
}
