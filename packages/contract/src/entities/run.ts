import { enumeration, int64, integer, list, message, nested, string, type TypeOf } from "../wire/index.ts";
import { Metric } from "./metric.ts";
import { Param, Tag } from "./tag.ts";

export const runStatuses = { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 } as const;
export type RunStatus = keyof typeof runStatuses;

export const viewTypes = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 } as const;
export type ViewType = keyof typeof viewTypes;

/** Times are in milliseconds since 1970. */
export const RunInfo = message("RunInfo", {
  runId: string(),
  runUuid: string(),
  runName: string(),
  experimentId: string(),
  userId: string(),
  status: enumeration(runStatuses),
  startTime: integer(),
  endTime: integer(),
  artifactUri: string(),
  lifecycleStage: string(),
});
export type RunInfo = TypeOf<typeof RunInfo>;

export const RunData = message("RunData", {
  metrics: list(nested(Metric)),
  params: list(nested(Param)),
  tags: list(nested(Tag)),
});
export type RunData = TypeOf<typeof RunData>;

export const Dataset = message("Dataset", {
  name: string(),
  digest: string(),
  sourceType: string(),
  source: string(),
  schema: string(),
  profile: string(),
});
export type Dataset = TypeOf<typeof Dataset>;

export const DatasetInput = message("DatasetInput", { tags: list(nested(Tag)), dataset: nested(Dataset) });
export type DatasetInput = TypeOf<typeof DatasetInput>;

export const ModelInput = message("ModelInput", { modelId: string() });
export type ModelInput = TypeOf<typeof ModelInput>;

export const ModelOutput = message("ModelOutput", { modelId: string(), step: int64() });
export type ModelOutput = TypeOf<typeof ModelOutput>;

export const RunInputs = message("RunInputs", {
  datasetInputs: list(nested(DatasetInput)),
  modelInputs: list(nested(ModelInput)),
});
export type RunInputs = TypeOf<typeof RunInputs>;

export const RunOutputs = message("RunOutputs", { modelOutputs: list(nested(ModelOutput)) });
export type RunOutputs = TypeOf<typeof RunOutputs>;

export const Run = message("Run", {
  info: nested(RunInfo),
  data: nested(RunData),
  inputs: nested(RunInputs),
  outputs: nested(RunOutputs),
});
export type Run = TypeOf<typeof Run>;

export const DatasetSummary = message("DatasetSummary", {
  experimentId: string(),
  name: string(),
  digest: string(),
  context: string(),
});
export type DatasetSummary = TypeOf<typeof DatasetSummary>;
