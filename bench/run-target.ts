import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Population } from "./data/population.ts";
import { seedPopulation } from "./data/seed-population.ts";
import { Api } from "./load/api.ts";
import { probeFsync } from "./measure/disk-probe.ts";
import { settle, treePssMib } from "./measure/process-tree.ts";
import type { Options } from "./options.ts";
import type { TargetResults } from "./report/table.ts";
import type { Measurement, Session, Workload } from "./session.ts";
import { startServer, type RunningServer, type Target } from "./targets/target.ts";

const probeWrites = 200;

export interface Surroundings {
  readonly options: Options;
  readonly folder: string;
  freePort(): Promise<number>;
  say(text: string): void;
}

/** Runs the workloads one after another on one server of the target. A workload that fails stops only itself. */
export async function runTarget(
  target: Target,
  workloads: readonly Workload[],
  { options, folder, freePort, say }: Surroundings,
): Promise<TargetResults> {
  const measurements: Record<string, Measurement> = {};
  const skipped: Record<string, string> = {};
  const failed: Record<string, string> = {};
  const unavailable = target.unavailable();
  const results = { ...describe(target), measurements, skipped, failed };
  if (unavailable !== undefined) {
    say(`${target.title}: ${unavailable}`);
    return { ...results, unavailable };
  }
  const startFresh = async (name: string): Promise<RunningServer> => {
    const fresh = join(folder, target.name, name);
    mkdirSync(fresh, { recursive: true });
    return startServer(target, fresh, await freePort());
  };
  let server: RunningServer;
  try {
    server = await startFresh("main");
  } catch (error) {
    const message = messageOf(error);
    say(`${target.title}: ${message}`);
    failed["server"] = message;
    return { ...results, unavailable: message };
  }
  await settle(server.pid);
  let population: Population | undefined;
  const api = new Api(server.port);
  const python = join(dirname(resolve(options.mlflow)), "python");
  const isMillrace = target.name === "millrace";
  const session: Session = {
    target,
    server,
    api,
    options,
    sizes: {
      runs: isMillrace ? options.runs : Math.min(options.runs, options.mlflowRuns),
      largeRuns: isMillrace ? options.largeRuns : options.mlflowLargeRuns,
      historyPoints: options.historyPoints,
      storageRuns: isMillrace
        ? options.storageRuns
        : Math.max(1, Math.round(options.storageRuns * options.mlflowScale)),
    },
    idlePssMib: treePssMib(server.pid),
    population: async (runs) => {
      population ??= new Population(await api.createExperiment("population"));
      if (population.count < runs) {
        say(`  seeding ${String(runs - population.count)} runs`);
        await seedPopulation(server.port, population, runs);
        await settle(server.pid);
      }
      return population;
    },
    startFresh,
    freePort,
    remembered: new Map(),
    python: existsSync(python) ? python : undefined,
    say,
  };
  try {
    for (const workload of workloads) {
      const reason = workload.unavailable?.(session);
      if (reason !== undefined) {
        skipped[workload.name] = reason;
        continue;
      }
      say(`${target.title}: ${workload.name}`);
      try {
        await settle(server.pid);
        const before = probeFsync(folder, probeWrites).p50;
        const measured = await workload.run(session);
        // The disk is not ours alone, so the probe brackets the workload; the faster one asks for more.
        const probeMs = Math.min(before, probeFsync(folder, probeWrites).p50);
        for (const [id, one] of Object.entries(measured)) measurements[id] = { ...one, probeMs };
      } catch (error) {
        failed[workload.name] = messageOf(error);
        say(`  failed: ${messageOf(error)}`);
      }
    }
  } finally {
    api.close();
    await server.stop();
  }
  return results;
}

function describe(target: Target): Omit<TargetResults, "measurements" | "skipped" | "failed"> {
  const { name, title, durability, artifactDurability } = target;
  return { name, title, durability, artifactDurability };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
