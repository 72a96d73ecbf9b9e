import { invalidParameter } from "@millrace/contract";
import { sampleIndices } from "../../db/chunks/sample.ts";
import type { UseCase } from "../handler.ts";
import { pointsOfRun } from "./get-history.ts";
import { historyItems, jsonHeaders, sampledItems } from "./history-json.ts";

/** Runs by id, each in the order (timestamp, step, value); the limit counts all rows together. */
export const getMetricHistoryBulk: UseCase<"getMetricHistoryBulk"> = async (ctx, request) => {
  const { runId: runIds, metricKey, maxResults } = request;
  const { historyBulkRunsMax, historyBulkPointsMax } = ctx.limits;
  if (runIds.length > historyBulkRunsMax) {
    throw invalidParameter(
      `GetMetricHistoryBulk request cannot specify more than ${historyBulkRunsMax} run_ids. Received ${runIds.length} run_ids.`,
      { runs: runIds.length },
    );
  }
  let left = Math.min(maxResults ?? historyBulkPointsMax, historyBulkPointsMax);
  const withoutLast = left < 0;
  if (withoutLast) left = Number.POSITIVE_INFINITY;
  const parts: { points: NonNullable<Awaited<ReturnType<typeof pointsOfRun>>>; runId: string }[] = [];
  await ctx.db.read(async (reader) => {
    for (const runId of [...new Set(runIds)].sort()) {
      const points = await pointsOfRun(ctx, reader, runId, metricKey, "timestamp");
      if (points !== undefined && points.count > 0) parts.push({ points, runId });
    }
  });
  // As upstream: a negative maximum slices that many rows off the end.
  if (withoutLast) left = parts.reduce((sum, { points }) => sum + points.count, 0) + maxResults!;
  const items: string[] = [];
  for (const { points, runId } of parts) {
    const end = Math.min(points.count, left);
    if (end <= 0) break;
    items.push(historyItems(points, metricKey, 0, end, runId));
    left -= end;
  }
  return { headers: jsonHeaders, body: `{"metrics":[${items.join(",")}]}` };
};

/** A sample of each run by itself, for charts: rows cut into buckets as SQL's NTILE does. */
export const getMetricHistoryBulkInterval: UseCase<"getMetricHistoryBulkInterval"> = async (ctx, request) => {
  const { runIds, metricKey, startStep, endStep } = request;
  const { historyBulkRunsMax, historyIntervalPointsMax } = ctx.limits;
  const maxResults = request.maxResults ?? historyIntervalPointsMax;
  if (runIds.length > historyBulkRunsMax) {
    throw invalidParameter(
      `GetMetricHistoryBulkInterval request must specify at most ${historyBulkRunsMax} run_ids. Received ${runIds.length} run_ids.`,
      { runs: runIds.length },
    );
  }
  if (maxResults < 1 || maxResults > historyIntervalPointsMax) {
    throw invalidParameter(
      `max_results must be between 1 and ${historyIntervalPointsMax}, but it is ${maxResults}.`,
      {
        maxResults,
      },
    );
  }
  if ((startStep === undefined) !== (endStep === undefined)) {
    throw invalidParameter("If either start step or end step are specified, both must be specified.");
  }
  if (startStep !== undefined && startStep > endStep!) {
    throw invalidParameter(
      `end_step must be greater than start_step. Found start_step=${startStep} and end_step=${endStep}.`,
    );
  }
  const range = startStep === undefined ? undefined : { start: startStep, end: endStep! };
  const items: string[] = [];
  await ctx.db.read(async (reader) => {
    for (const runId of runIds) {
      const points = await pointsOfRun(ctx, reader, runId, metricKey, "step", range);
      if (points === undefined || points.count === 0) continue;
      items.push(sampledItems(points, metricKey, sampleIndices(points.count, maxResults), runId));
    }
  });
  return { headers: jsonHeaders, body: items.length === 0 ? "{}" : `{"metrics":[${items.join(",")}]}` };
};
