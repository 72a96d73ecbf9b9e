import type { UseCases } from "../handler.ts";
import { getMetricHistory } from "./get-history.ts";
import { getMetricHistoryBulk, getMetricHistoryBulkInterval } from "./get-history-bulk.ts";

export const metricUseCases = {
  getMetricHistory,
  getMetricHistoryBulk,
  getMetricHistoryBulkInterval,
} satisfies Partial<UseCases>;
