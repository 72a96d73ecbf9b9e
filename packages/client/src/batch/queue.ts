/** What waits to be logged to one run, in the order in which it came. Pure. */
import { type Endpoints, limits, type RequestOf } from "@millrace/contract";

type LogBatchRequest = RequestOf<Endpoints["logBatch"]>;
export type BatchMetric = NonNullable<LogBatchRequest["metrics"]>[number];
export type BatchParam = NonNullable<LogBatchRequest["params"]>[number];
export type BatchTag = NonNullable<LogBatchRequest["tags"]>[number];

export type Entry =
  | { readonly kind: "metric"; readonly metric: BatchMetric }
  | { readonly kind: "param"; readonly param: BatchParam }
  | { readonly kind: "tag"; readonly tag: BatchTag };

/**
 * How many entries from the front make one request: as many as the limits of log-batch allow, and no parameter
 * twice, which servers refuse even when the values are equal.
 */
export function batchLength(entries: readonly Entry[]): number {
  let metrics = 0;
  let params = 0;
  let tags = 0;
  const paramKeys = new Set<string>();
  let length = 0;
  for (const entry of entries) {
    if (length === limits.entitiesPerBatchMax) break;
    if (entry.kind === "metric") {
      if (++metrics > limits.metricsPerBatchMax) break;
    } else if (entry.kind === "param") {
      if (++params > limits.paramsPerBatchMax || paramKeys.has(entry.param.key)) break;
      paramKeys.add(entry.param.key);
    } else if (++tags > limits.tagsPerBatchMax) {
      break;
    }
    length++;
  }
  return length;
}

export function requestOf(runId: string, entries: readonly Entry[]): LogBatchRequest {
  const metrics: BatchMetric[] = [];
  const params: BatchParam[] = [];
  const tags: BatchTag[] = [];
  for (const entry of entries) {
    if (entry.kind === "metric") metrics.push(entry.metric);
    else if (entry.kind === "param") params.push(entry.param);
    else tags.push(entry.tag);
  }
  return { runId, metrics, params, tags };
}
