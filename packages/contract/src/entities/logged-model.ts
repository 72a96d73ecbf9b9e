import { enumeration, integer, list, message, nested, string, type TypeOf } from "../wire/index.ts";
import { Metric } from "./metric.ts";
import { Param, Tag } from "./tag.ts";

export const loggedModelStatuses = {
  LOGGED_MODEL_STATUS_UNSPECIFIED: 0,
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
} as const;
export type LoggedModelStatus = keyof typeof loggedModelStatuses;

export const LoggedModelInfo = message("LoggedModelInfo", {
  modelId: string(),
  experimentId: string(),
  name: string(),
  creationTimestampMs: integer(),
  lastUpdatedTimestampMs: integer(),
  artifactUri: string(),
  status: enumeration(loggedModelStatuses),
  modelType: string(),
  sourceRunId: string(),
  statusMessage: string(),
  tags: list(nested(Tag)),
});
export type LoggedModelInfo = TypeOf<typeof LoggedModelInfo>;

export const LoggedModelData = message("LoggedModelData", {
  params: list(nested(Param)),
  metrics: list(nested(Metric)),
});
export type LoggedModelData = TypeOf<typeof LoggedModelData>;

export const LoggedModel = message("LoggedModel", {
  info: nested(LoggedModelInfo),
  data: nested(LoggedModelData),
});
export type LoggedModel = TypeOf<typeof LoggedModel>;
