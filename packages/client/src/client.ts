import type { Surroundings } from "./exchange.ts";
import { type Changes, createChanges } from "./nouns/changes.ts";
import { createExperiments, type Experiments } from "./nouns/experiments.ts";
import { createLoggedModels, type LoggedModels } from "./nouns/logged-models.ts";
import { createMetrics, type Metrics } from "./nouns/metrics.ts";
import { createModels, type Models } from "./nouns/models.ts";
import { createRuns, type Runs } from "./nouns/runs.ts";
import { createServer, type Server } from "./nouns/server.ts";
import { createWebhooks, type Webhooks } from "./nouns/webhooks.ts";
import type { ClientOptions } from "./options.ts";
import { createTransport, type Transport } from "./transport.ts";

export interface Client {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly metrics: Metrics;
  /** The registry. */
  readonly models: Models;
  readonly loggedModels: LoggedModels;
  readonly webhooks: Webhooks;
  readonly changes: Changes;
  readonly server: Server;
  /** The layer below, for callers that need an endpoint as it is. */
  readonly transport: Transport;
}

/** A client of a server, or of an application in this process (`createClient({ fetch: app.fetch })`). */
export function createClient(options: ClientOptions = {}, surroundings: Partial<Surroundings> = {}): Client {
  const transport = createTransport(options, surroundings);
  return {
    experiments: createExperiments(transport),
    runs: createRuns(transport),
    metrics: createMetrics(transport),
    models: createModels(transport),
    loggedModels: createLoggedModels(transport),
    webhooks: createWebhooks(transport),
    changes: createChanges(transport),
    server: createServer(transport),
    transport,
  };
}
