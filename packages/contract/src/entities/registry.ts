import { enumeration, integer, list, message, nested, string, type TypeOf } from "../wire/index.ts";
import { Tag } from "./tag.ts";

export const modelVersionStatuses = { PENDING_REGISTRATION: 1, FAILED_REGISTRATION: 2, READY: 3 } as const;

/** In the order in which answers list them. */
export const stages = ["None", "Staging", "Production", "Archived"] as const;
export type Stage = (typeof stages)[number];

export const ModelVersion = message("ModelVersion", {
  name: string(),
  /** A whole number, written as text. */
  version: string(),
  creationTimestamp: integer(),
  lastUpdatedTimestamp: integer(),
  userId: string(),
  currentStage: string(),
  description: string(),
  source: string(),
  runId: string(),
  status: enumeration(modelVersionStatuses),
  statusMessage: string(),
  tags: list(nested(Tag)),
  runLink: string(),
  aliases: list(string()),
  modelId: string(),
});
export type ModelVersion = TypeOf<typeof ModelVersion>;

export const RegisteredModelAlias = message("RegisteredModelAlias", { alias: string(), version: string() });
export type RegisteredModelAlias = TypeOf<typeof RegisteredModelAlias>;

export const RegisteredModel = message("RegisteredModel", {
  name: string(),
  creationTimestamp: integer(),
  lastUpdatedTimestamp: integer(),
  userId: string(),
  description: string(),
  latestVersions: list(nested(ModelVersion)),
  tags: list(nested(Tag)),
  aliases: list(nested(RegisteredModelAlias)),
});
export type RegisteredModel = TypeOf<typeof RegisteredModel>;
