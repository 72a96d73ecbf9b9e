/** Valid requests for every endpoint of the contract, before anything is done to them. */
import { type Endpoint, endpoints, type FieldEntry, type Message } from "@millrace/contract";
import { fromJson, type JsonLike } from "./json-text.ts";
import type { World } from "./world.ts";

/** A request in parts, so that each can be changed by itself. */
export interface Draft {
  method: string;
  /** Not encoded. */
  path: string;
  query: [string, string][];
  headers: [string, string][];
  json: JsonLike | undefined;
  /** Instead of `json`: bytes of a file. */
  bytes?: Buffer;
}

export interface Seed {
  readonly name: string;
  build(world: World, number: number): Draft;
}

const jsonType: [string, string] = ["Content-Type", "application/json"];
const prefixes = { both: ["/api", "/ajax-api"], ajax: ["/ajax-api"], plain: [""] } as const;

/** Values by the field's name on the wire; other fields get one by their type. */
function byName(wire: string, world: World, number: number, endpoint: string): unknown {
  switch (wire) {
    case "run_id":
    case "run_uuid":
    case "source_run_id":
      return world.runId;
    case "run_ids":
      return [world.runId];
    case "experiment_id":
      return world.experimentId;
    case "experiment_ids":
      return [world.experimentId];
    case "experiment_name":
      return world.experimentName;
    case "model_id":
      return world.modelId;
    case "webhook_id":
      return world.webhookId;
    case "name":
      return /^create(?!ModelVersion)/.test(endpoint) ? `new-${number}` : world.modelName;
    case "new_name":
      return `renamed-${number}`;
    case "version":
      return world.modelVersion;
    case "alias":
      return world.alias;
    case "stage":
      return "Staging";
    case "stages":
      return ["None"];
    case "source":
      return "s3://bucket/model";
    case "url":
      return "https://127.0.0.1:9/hook";
    case "status":
      return /Webhook/.test(endpoint)
        ? "DISABLED"
        : /LoggedModel/.test(endpoint)
          ? "LOGGED_MODEL_READY"
          : "RUNNING";
    case "events":
      return [{ entity: "REGISTERED_MODEL", action: "CREATED" }];
    case "key":
    case "metric_key":
    case "tag_key":
      return /[Tt]ag/.test(endpoint) ? "team" : "loss";
    case "field_name":
      return "creation_timestamp";
    case "artifact_path":
      return world.artifactPath;
    case "path":
    case "artifact_file_path":
      return "folder/data.json";
    case "artifact_directory_path":
      return "folder";
    case "artifact_location":
      return "mlflow-artifacts:/fuzz";
    case "filter":
      return /Experiments/.test(endpoint)
        ? "tags.team = 'a'"
        : /Runs|LoggedModels/.test(endpoint)
          ? "metrics.loss < 1"
          : "name LIKE 'fuzz%'";
    case "order_by":
      return /Runs/.test(endpoint)
        ? ["metrics.loss DESC"]
        : /LoggedModels/.test(endpoint)
          ? undefined
          : ["name ASC"];
    case "page_token":
    case "max_results":
      return wire === "max_results" ? 10 : undefined;
    case "model_json":
      return JSON.stringify({
        artifact_path: "model",
        flavors: { python_function: {} },
        utc_time_created: "2026-01-01 00:00:00.0",
        run_id: world.runId,
      });
    case "num_parts":
    case "part_number":
      return 1;
    case "digest":
    case "dataset_digest":
      return "d1";
    default:
      return undefined;
  }
}

function byType(entry: FieldEntry, world: World, number: number, endpoint: string): unknown {
  const { field } = entry;
  let value: unknown;
  if (field.message !== undefined) value = messageValue(field.message, world, number, endpoint);
  else {
    const type = field.typeName.replace(/\[\]$/, "");
    value =
      type === "int64"
        ? 1
        : type === "double"
          ? 0.5
          : type === "bool"
            ? true
            : type === "string"
              ? `v${number % 7}`
              : type.startsWith("map") || type === "json"
                ? {}
                : type.split(" | ")[0];
  }
  return field.isList ? [value] : value;
}

function messageValue(
  message: Message<object>,
  world: World,
  number: number,
  endpoint: string,
): Record<string, unknown> {
  const entries = message.entries.flatMap((entry): [string, unknown][] => {
    if (entry.wire === "page_token") return [];
    const value = byName(entry.wire, world, number, endpoint) ?? byType(entry, world, number, endpoint);
    return [[entry.wire, value]];
  });
  return Object.fromEntries(entries);
}

function queryOf(fields: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(fields).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [
      key,
      typeof item === "object" ? JSON.stringify(item) : String(item),
    ]),
  );
}

function endpointSeeds([name, endpoint]: [string, Endpoint]): Seed[] {
  const methods = endpoint.methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return prefixes[endpoint.family].flatMap((prefix) =>
    methods.map((method) => ({
      name,
      build(world, number) {
        const fields = messageValue(endpoint.request as Message<object>, world, number, name);
        const path = endpoint.path.replace(/\{(\w+?)(?:\.\.\.)?\}/g, (_whole, key: string) => {
          const value = String(fields[key]);
          delete fields[key];
          return value;
        });
        const isRead = method === "GET" || method === "HEAD";
        const draft: Draft = { method, path: prefix + path, query: [], headers: [], json: undefined };
        if (endpoint.body === "stream") {
          draft.query = queryOf(fields);
          draft.bytes = Buffer.from(`bytes of request ${number}`);
        } else if (isRead) {
          draft.query = queryOf(fields);
        } else {
          draft.json = fromJson(fields);
          draft.headers.push(jsonType);
        }
        return draft;
      },
    })),
  );
}

function post(name: string, path: string, body: (world: World, number: number) => unknown): Seed {
  return {
    name,
    build: (world, number) => ({
      method: "POST",
      path,
      query: [],
      headers: [jsonType],
      json: fromJson(body(world, number)),
    }),
  };
}

function get(name: string, path: (world: World) => string, headers: [string, string][] = []): Seed {
  return {
    name,
    build: (world) => ({
      method: "GET",
      path: path(world),
      query: [],
      headers: [...headers],
      json: undefined,
    }),
  };
}

const mlflow = "/api/2.0/mlflow";
const handMade: readonly Seed[] = [
  post("logBatch", `${mlflow}/runs/log-batch`, ({ runId }, number) => ({
    run_id: runId,
    metrics: Array.from({ length: 50 }, (_, step) => ({
      key: `m${step % 5}`,
      value: step % 7 === 0 ? "NaN" : step / 3,
      timestamp: 1_700_000_000_000 + number,
      step: number * 50 + step,
    })),
    params: Array.from({ length: 10 }, (_, index) => ({ key: `p${number}-${index}`, value: "x" })),
    tags: [{ key: "mlflow.runName", value: `named ${number}` }],
  })),
  post("logMetric", `${mlflow}/runs/log-metric`, ({ runId }, number) => ({
    run_uuid: runId,
    run_id: runId,
    key: "loss",
    value: "-Infinity",
    timestamp: "1700000000000",
    step: String(2n ** 62n + BigInt(number)),
  })),
  post("createRun", `${mlflow}/runs/create`, ({ experimentId, runId }, number) => ({
    experiment_id: experimentId,
    start_time: 1_700_000_000_000,
    run_name: `child ${number}`,
    tags: [
      { key: "mlflow.parentRunId", value: runId },
      { key: "mlflow.note.content", value: "é中\u{1f600}" },
    ],
  })),
  post("searchRuns", `${mlflow}/runs/search`, ({ experimentId, pageTokens }, number) => ({
    experiment_ids: [experimentId],
    filter: "params.lr = '0.1' and metrics.loss < 1 and tags.`team` LIKE 'a%'",
    order_by: ["metrics.loss DESC", "attributes.start_time ASC"],
    max_results: 2,
    page_token: pageTokens[number % pageTokens.length],
  })),
  post("searchLoggedModels", `${mlflow}/logged-models/search`, ({ experimentId, pageTokens }, number) => ({
    experiment_ids: [experimentId],
    order_by: [{ field_name: "metrics.loss", ascending: false, dataset_name: "d" }],
    page_token: pageTokens[number % pageTokens.length],
  })),
  get(
    "getMetricHistory",
    ({ runId, pageTokens }) =>
      `${mlflow}/metrics/get-history?run_id=${runId}&metric_key=loss&max_results=2&page_token=${pageTokens[3] ?? ""}`,
  ),
  get("downloadArtifact", ({ artifactPath }) => `/api/2.0/mlflow-artifacts/artifacts/${artifactPath}`, [
    ["Range", "bytes=2-5"],
  ]),
  get(
    "listProxiedArtifacts",
    ({ experimentId }) => `/api/2.0/mlflow-artifacts/artifacts?path=${experimentId}`,
  ),
  get("health", () => "/health"),
  get("version", () => "/version"),
  get("metrics", () => "/metrics"),
  get("home", () => "/"),
  get("serverInfo", () => "/ajax-api/3.0/mlflow/server-info"),
  post("traces", "/v1/traces", () => ({ resourceSpans: [] })),
  post("traces", "/api/3.0/mlflow/traces/search", () => ({ locations: [] })),
  post("graphql", "/graphql", () => ({ query: "{ mlflowGetRun { run { info { runId } } } }" })),
  get("workspaces", () => "/api/3.0/mlflow/workspaces", [["X-MLFLOW-WORKSPACE", "default"]]),
];

export const seeds: readonly Seed[] = [
  ...Object.entries(endpoints).flatMap(([name, endpoint]) => endpointSeeds([name, endpoint as Endpoint])),
  ...handMade,
  // The endpoints that take most shapes are worth more requests.
  ...handMade.filter(({ name }) => /^(log|search|create)/.test(name)),
];
