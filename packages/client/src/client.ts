import { type Batcher, type BatcherOptions, createBatcher } from "./batch/batcher.ts";
import type { Surroundings } from "./exchange.ts";
import { type Changes, createChanges } from "./nouns/changes.ts";
import { type Artifacts, createArtifacts } from "./nouns/artifacts.ts";
import { createExperiments, type Experiments } from "./nouns/experiments.ts";
import { createLoggedModels, type LoggedModels } from "./nouns/logged-models.ts";
import { createMetrics, type Metrics } from "./nouns/metrics.ts";
import { createModels, type Models } from "./nouns/models.ts";
import { createRuns, type Runs } from "./nouns/runs.ts";
import { createServer, type Server } from "./nouns/server.ts";
import { createWebhooks, type Webhooks } from "./nouns/webhooks.ts";
import type { ClientOptions } from "./options.ts";
import { type ActiveRun, type RunOptions, withRun } from "./run-scope.ts";
import { createTransport, type Transport } from "./transport.ts";

export interface Client {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly metrics: Metrics;
  /** The registry. */
  readonly models: Models;
  readonly loggedModels: LoggedModels;
  readonly artifacts: Artifacts;
  readonly webhooks: Webhooks;
  readonly changes: Changes;
  readonly server: Server;
  /** Groups metrics, params and tags of any number of runs. */
  createBatcher(options?: BatcherOptions): Batcher;
  /** Runs a function inside a run, which ends with it. */
  withRun<T>(options: RunOptions, body: (run: ActiveRun) => Promise<T> | T): Promise<T>;
  /** The layer below, for callers that need an endpoint as it is. */
  readonly transport: Transport;
}

/** A client of a server, or of an application in this process (`createClient({ fetch: app.fetch })`). */
export function createClient(options: ClientOptions = {}, surroundings: Partial<Surroundings> = {}): Client {
  const transport = createTransport(options, surroundings);
  const server = createServer(transport);
  const runs = createRuns(transport);
  const client: Client = {
    experiments: createExperiments(transport),
    runs,
    metrics: createMetrics(transport),
    models: createModels(transport),
    loggedModels: createLoggedModels(transport),
    artifacts: createArtifacts(transport, server),
    webhooks: createWebhooks(transport),
    changes: createChanges(transport),
    server,
    createBatcher: (batcherOptions) => createBatcher(runs, batcherOptions),
    withRun: (runOptions, body) => withRun(client, runOptions, body),
    transport,
  };
  return client;
}
