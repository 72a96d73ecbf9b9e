import { type Metric, metricOf } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

const POINTS_PER_PAGE = 25_000;

export interface Metrics {
  /** All points of one metric of one run, by timestamp, step and value. */
  history(request: SearchFields<"getMetricHistory">, options?: CallOptions): Listing<Metric>;
  /** Points of one metric of up to 100 runs. The request's `runId` is a list. */
  historyBulk(request: Fields<"getMetricHistoryBulk">, options?: CallOptions): Promise<readonly Metric[]>;
  /** A sample of one metric of up to 100 runs: each run by itself, at most `maxResults` points (2,500). */
  historySample(
    request: Fields<"getMetricHistoryBulkInterval">,
    options?: CallOptions,
  ): Promise<readonly Metric[]>;
}

export function createMetrics({ call }: Transport): Metrics {
  return {
    history: (request, options) =>
      listing(async (pageToken) => {
        const answer = await call(
          "getMetricHistory",
          { maxResults: POINTS_PER_PAGE, ...request, pageToken },
          options,
        );
        return { items: (answer.metrics ?? []).map(metricOf), nextPageToken: answer.nextPageToken };
      }),
    historyBulk: async (request, options) =>
      ((await call("getMetricHistoryBulk", request, options)).metrics ?? []).map(metricOf),
    historySample: async (request, options) =>
      ((await call("getMetricHistoryBulkInterval", request, options)).metrics ?? []).map(metricOf),
  };
}
