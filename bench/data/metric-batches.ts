import { httpRequest, RequestTemplate } from "../load/requests.ts";
import { uniformStream } from "./random.ts";

export const runIdMarker = "R".repeat(32);
const stepMarker = "SSSSSSS";
const timestampMarker = "TTTTTTTTTTTTT";

/** Steps start here, so that every step written by a template has seven digits. */
export const firstStep = 1_000_000;
export const firstTimestampMs = 1_700_000_000_000;

/** A log-batch of `keys` × `steps` metrics whose run, steps and times are filled in before each use. */
export function batchTemplate(keys: number, steps: number, seed: number): RequestTemplate {
  const next = uniformStream(seed);
  const metrics: string[] = [];
  for (let step = 0; step < steps; step++) {
    for (let key = 0; key < keys; key++) {
      metrics.push(
        `{"key":"metric_${String(key)}","value":${String(next())},"timestamp":${timestampMarker},"step":${stepMarker}}`,
      );
    }
  }
  const body = `{"run_id":"${runIdMarker}","metrics":[${metrics.join(",")}],"params":[],"tags":[]}`;
  return new RequestTemplate(httpRequest("POST", "/api/2.0/mlflow/runs/log-batch", body), {
    run: runIdMarker,
    step: stepMarker,
    timestamp: timestampMarker,
  });
}

/** A log-metric request as the Python client sends it, with holes for the point. */
export function metricTemplate(runId: string, key: string): RequestTemplate {
  const body =
    `{"run_uuid":"${runId}","run_id":"${runId}","key":"${key}","value":0.VVVVVVVVV,` +
    `"timestamp":${timestampMarker},"step":${stepMarker}}`;
  return new RequestTemplate(httpRequest("POST", "/api/2.0/mlflow/runs/log-metric", body), {
    value: "VVVVVVVVV",
    step: stepMarker,
    timestamp: timestampMarker,
  });
}

/** Fills a batch for the steps from `fromStep`; a step's keys share its time. */
export function fillBatch(template: RequestTemplate, runId: string, keys: number, fromStep: number): Buffer {
  template.fill("run", runId);
  template.fillNumbers("step", (i) => firstStep + fromStep + Math.floor(i / keys));
  template.fillNumbers("timestamp", (i) => firstTimestampMs + (fromStep + Math.floor(i / keys)) * 1000);
  return template.bytes;
}
