import { integer, list, message, nested, string, type TypeOf } from "../wire/index.ts";
import { Tag } from "./tag.ts";

export const Experiment = message("Experiment", {
  experimentId: string(),
  name: string(),
  artifactLocation: string(),
  /** `active` or `deleted`. */
  lifecycleStage: string(),
  lastUpdateTime: integer(),
  creationTime: integer(),
  tags: list(nested(Tag)),
  /** Always `default`: the newest clients expect the field. */
  workspace: string(),
});
export type Experiment = TypeOf<typeof Experiment>;
