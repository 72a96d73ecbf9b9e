import { double, int64, integer, message, string, type TypeOf } from "../wire/index.ts";

/** One logged point. `timestamp` is in milliseconds. */
export const Metric = message("Metric", {
  key: string(),
  value: double(),
  timestamp: integer(),
  step: int64(),
  datasetName: string(),
  datasetDigest: string(),
  modelId: string(),
  runId: string(),
});
export type Metric = TypeOf<typeof Metric>;
