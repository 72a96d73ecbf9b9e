/**
 * Routes of MLflow 3.17's server that Millrace does not build: tracing, GenAI, gateway, workspaces and the like.
 *
 * The rule is a 404 with ENDPOINT_NOT_FOUND and a sentence that says what is missing. The official clients do not
 * retry it (as they would a 503), fall back from newer to older routes, and log a warning where nobody waits for
 * the call. Where another answer lets them degrade better, the row says which and why.
 */
import { PlatformError, type RouteFamily } from "@millrace/contract";
import type { Route } from "./endpoint-route.ts";
import { html, json, renderError } from "./respond.ts";

interface Unbuilt {
  readonly path: string;
  readonly methods: readonly string[];
  readonly family?: RouteFamily;
  /** Another answer than the 404 of its family. */
  readonly answer?: { readonly status: number; readonly json: string; readonly why: string };
}

interface Family {
  /** What a client is told is missing. */
  readonly missing: string;
  readonly rows: readonly Unbuilt[];
}

const tracing = "/3.0/mlflow/traces";
const tracing2 = "/2.0/mlflow/traces";
const genai = "/3.0/mlflow";

const noSpans = JSON.stringify({
  error_code: "NOT_IMPLEMENTED",
  message: "REST OTLP span logging is not supported: this server keeps no traces.",
});
const emptyPage = { status: 404, json: "", why: "as MLflow answers" };
const noTraces =
  "no traces are kept, so none is found: search_traces() gives an empty frame instead of failing";

const families: readonly Family[] = [
  {
    missing: "This server keeps no traces",
    rows: [
      {
        path: "/v1/traces",
        methods: ["POST"],
        family: "plain",
        answer: {
          status: 501,
          json: noSpans,
          why: "the words make the exporter stop sending spans after the first one, instead of one request per span for ever; 501 is not retried",
        },
      },
      { path: "/v1/metrics", methods: ["POST"], family: "plain" },
      { path: tracing, methods: ["POST"] },
      { path: `${tracing}/search`, methods: ["POST"], answer: { status: 200, json: "{}", why: noTraces } },
      { path: tracing2, methods: ["GET"], answer: { status: 200, json: "{}", why: noTraces } },
      { path: tracing2, methods: ["POST"] },
      {
        path: `${tracing}/metrics`,
        methods: ["POST"],
        answer: {
          status: 200,
          json: "{}",
          why: "the web interface of MLflow polls it; there is nothing to count",
        },
      },
      {
        path: `${tracing}/batchGetInfos`,
        methods: ["POST"],
        answer: { status: 200, json: "{}", why: noTraces },
      },
      { path: `${tracing}/batchGet`, methods: ["GET"], answer: { status: 200, json: "{}", why: noTraces } },
      { path: `${tracing}/get`, methods: ["GET"] },
      { path: `${tracing}/delete-traces`, methods: ["POST"] },
      { path: `${tracing}/calculate-filter-correlation`, methods: ["POST"] },
      { path: `${tracing}/{trace_id}`, methods: ["GET"] },
      { path: `${tracing}/{trace_id}/tags`, methods: ["PATCH", "DELETE"] },
      { path: `${tracing}/{trace_id}/assessments`, methods: ["POST"] },
      { path: `${tracing}/{trace_id}/assessments/{assessment_id}`, methods: ["GET", "PATCH", "DELETE"] },
      { path: `${tracing2}/delete-traces`, methods: ["POST"] },
      { path: `${tracing2}/link-to-run`, methods: ["POST"] },
      { path: `${tracing2}/link-prompts`, methods: ["POST"] },
      { path: `${tracing2}/{request_id}`, methods: ["GET", "PATCH"] },
      { path: `${tracing2}/{request_id}/info`, methods: ["GET"] },
      { path: `${tracing2}/{request_id}/tags`, methods: ["PATCH", "DELETE"] },
      // MLflow declares these two and implements neither: an empty page.
      { path: "/2.0/mlflow/unified-traces", methods: ["GET"], answer: emptyPage },
      { path: "/2.0/mlflow/get-online-trace-details", methods: ["GET"], answer: emptyPage },
      { path: "/2.0/mlflow/get-trace-artifact", methods: ["GET"], family: "ajax" },
      { path: "/3.0/mlflow/get-trace-artifact", methods: ["GET"], family: "ajax" },
    ],
  },
  {
    missing: "This server does not evaluate GenAI applications",
    rows: [
      { path: `${genai}/datasets/create`, methods: ["POST"] },
      { path: `${genai}/datasets/search`, methods: ["GET", "POST"] },
      { path: `${genai}/datasets/{dataset_id}`, methods: ["GET", "DELETE"] },
      { path: `${genai}/datasets/{dataset_id}/records`, methods: ["GET", "POST", "DELETE"] },
      { path: `${genai}/datasets/{dataset_id}/experiment-ids`, methods: ["GET"] },
      { path: `${genai}/datasets/{dataset_id}/add-experiments`, methods: ["POST"] },
      { path: `${genai}/datasets/{dataset_id}/remove-experiments`, methods: ["POST"] },
      { path: `${genai}/datasets/{dataset_id}/tags`, methods: ["PATCH"] },
      { path: `${genai}/datasets/{dataset_id}/tags/{key...}`, methods: ["DELETE"] },
      { path: `${genai}/scorers/register`, methods: ["POST"] },
      { path: `${genai}/scorers/list`, methods: ["GET"] },
      { path: `${genai}/scorers/versions`, methods: ["GET"] },
      { path: `${genai}/scorers/get`, methods: ["GET"] },
      { path: `${genai}/scorers/delete`, methods: ["DELETE"] },
      { path: `${genai}/scorers/online-config`, methods: ["PUT"] },
      { path: `${genai}/scorers/online-configs`, methods: ["GET"] },
      { path: `${genai}/scorer/invoke`, methods: ["POST"], family: "ajax" },
      { path: `${genai}/genai/evaluate/invoke`, methods: ["POST"], family: "ajax" },
      { path: `${genai}/issues`, methods: ["POST"] },
      { path: `${genai}/issues/search`, methods: ["POST"] },
      { path: `${genai}/issues/invoke`, methods: ["POST"], family: "ajax" },
      { path: `${genai}/issues/{issue_id}`, methods: ["GET", "PATCH"] },
      { path: `${genai}/label-schemas/{verb}`, methods: ["GET", "POST", "PATCH", "DELETE"] },
      { path: `${genai}/review-queues/{verb}`, methods: ["GET", "POST"] },
      { path: `${genai}/review-queues/items/{verb}`, methods: ["GET", "POST"] },
      { path: `${genai}/prompt-optimization/jobs`, methods: ["POST"] },
      { path: `${genai}/prompt-optimization/jobs/search`, methods: ["GET", "POST"] },
      { path: `${genai}/prompt-optimization/jobs/{job_id}`, methods: ["GET", "DELETE"] },
      { path: `${genai}/prompt-optimization/jobs/{job_id}/cancel`, methods: ["POST"] },
      { path: `${genai}/demo/{verb}`, methods: ["POST"], family: "ajax" },
      { path: "/2.0/mlflow/runs/create-promptlab-run", methods: ["POST"], family: "ajax" },
    ],
  },
  {
    missing: "This server has no AI gateway, jobs or assistant",
    rows: [
      {
        path: "/2.0/mlflow/gateway-proxy",
        methods: ["GET", "POST"],
        family: "ajax",
        answer: {
          status: 200,
          json: '{"endpoints":[]}',
          why: "what MLflow answers when no gateway is configured",
        },
      },
      { path: `${genai}/gateway/{rest...}`, methods: ["GET", "POST", "PATCH", "DELETE"] },
      { path: "/gateway/{rest...}", methods: ["GET", "POST"], family: "plain" },
      { path: `${genai}/jobs/{rest...}`, methods: ["GET", "PATCH"], family: "ajax" },
      { path: "/3.0/jobs/{rest...}", methods: ["GET", "POST", "PATCH"], family: "ajax" },
      {
        path: `${genai}/assistant/{rest...}`,
        methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
        family: "ajax",
      },
      { path: `${genai}/mcp-servers`, methods: ["GET", "POST"] },
      { path: `${genai}/mcp-servers/{rest...}`, methods: ["GET", "POST", "PATCH", "DELETE"] },
    ],
  },
  {
    missing: "This server has no workspaces",
    rows: [
      {
        path: `${genai}/ui-telemetry`,
        methods: ["GET", "POST"],
        family: "ajax",
        answer: {
          status: 200,
          json: '{"disable_ui_events":[],"disable_ui_telemetry":true,"ui_rollout_percentage":0}',
          why: "tells an MLflow web interface to send no telemetry",
        },
      },
      // MLflow answers 503 here, which clients retry for minutes; a 404 tells them at once.
      { path: `${genai}/workspaces`, methods: ["GET", "POST"] },
      { path: `${genai}/workspaces/{workspace_name}`, methods: ["GET", "PATCH", "DELETE"] },
    ],
  },
  {
    missing: "This server does not speak GraphQL",
    rows: [{ path: "/graphql", methods: ["GET", "POST"], family: "plain" }],
  },
];

/** The routes; every one is named `unbuilt` in logs and metrics. */
export function unbuiltRoutes(): readonly Route[] {
  return families.flatMap(({ missing, rows }) => {
    const absent = new PlatformError("ENDPOINT_NOT_FOUND", missing);
    return rows.map(({ path, methods, family = "both", answer }): Route => ({
      name: "unbuilt",
      methods,
      path,
      family,
      run() {
        if (answer === undefined) return renderError(absent);
        return answer === emptyPage ? html(answer.status, "") : json(answer.json, answer.status);
      },
    }));
  });
}
