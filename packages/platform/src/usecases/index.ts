/** Every use-case by the name of its endpoint. A missing one is a type error. */
import { artifactUseCases } from "./artifacts/index.ts";
import { experimentUseCases } from "./experiments/index.ts";
import type { UseCases } from "./handler.ts";
import { loggedModelUseCases } from "./logged-models/index.ts";
import { metricUseCases } from "./metrics/index.ts";
import { registryUseCases } from "./registry/index.ts";
import { runUseCases } from "./runs/index.ts";
import { serverUseCases } from "./server/index.ts";
import { webhookUseCases } from "./webhooks/index.ts";

export const useCases = {
  ...artifactUseCases,
  ...experimentUseCases,
  ...loggedModelUseCases,
  ...metricUseCases,
  ...registryUseCases,
  ...runUseCases,
  ...serverUseCases,
  ...webhookUseCases,
} satisfies UseCases;
