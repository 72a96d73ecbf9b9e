import { integer, message, string, type TypeOf } from "../wire/index.ts";

/** One entry of the change feed: what changed, not how; read the entity to learn that. */
export const Change = message("Change", {
  sequence: integer(),
  timestamp: integer(),
  /** `experiment`, `run`, `logged_model`, `registered_model` or `model_version`. */
  entity: string(),
  /** Id of the entity; for a model version `name/version`. */
  id: string(),
  experimentId: string(),
  /** `created`, `updated`, `deleted`, `restored` or `metrics`. */
  kind: string(),
});
export type Change = TypeOf<typeof Change>;
