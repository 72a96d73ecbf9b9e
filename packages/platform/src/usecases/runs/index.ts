import type { UseCases } from "../handler.ts";
import { createRun } from "./create-run.ts";
import { deleteRun, restoreRun } from "./delete-run.ts";
import { getRun } from "./get-run.ts";
import { getRunActivity, renewLease } from "./leases.ts";
import { logBatch } from "./log-batch.ts";
import { logInputs } from "./log-inputs.ts";
import { logMetric } from "./log-metric.ts";
import { logModel } from "./log-model.ts";
import { logOutputs } from "./log-outputs.ts";
import { deleteTag, logParam, setTag } from "./log-text.ts";
import { searchRuns } from "./search-runs.ts";
import { updateRun } from "./update-run.ts";

export const runUseCases = {
  createRun,
  deleteRun,
  deleteTag,
  getRun,
  getRunActivity,
  logBatch,
  logInputs,
  logMetric,
  logModel,
  logOutputs,
  logParam,
  renewLease,
  restoreRun,
  searchRuns,
  setTag,
  updateRun,
} satisfies Partial<UseCases>;
