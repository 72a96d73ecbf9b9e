import type { Workload } from "../session.ts";
import { alias } from "./alias.ts";
import { artifactFiles, artifactLarge } from "./artifacts.ts";
import { history, historyInterval } from "./history.ts";
import { logBatch, logBatchKeys, logBatchSustained } from "./log-batch.ts";
import { logMetricMany, logMetricOne } from "./log-metric.ts";
import { memory } from "./memory.ts";
import { pythonFrame, pythonRun } from "./python-client.ts";
import { search, searchLarge } from "./search.ts";
import { smallRuns } from "./small-runs.ts";
import { soak } from "./soak.ts";
import { start } from "./start.ts";
import { storage, storageRounded } from "./storage.ts";

/** Every workload, in the order in which they run: all but `start` and `storage` share one server. */
export const workloads: readonly Workload[] = [
  start,
  logMetricOne,
  logMetricMany,
  logBatch,
  logBatchKeys,
  logBatchSustained,
  smallRuns,
  history,
  historyInterval,
  artifactLarge,
  artifactFiles,
  alias,
  pythonRun,
  soak,
  search,
  searchLarge,
  pythonFrame,
  storage,
  storageRounded,
  memory,
];
