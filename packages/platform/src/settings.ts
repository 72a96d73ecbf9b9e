/**
 * Every setting of the server in one table: its flag, its environment variables, default and unit. The command
 * line builds its options from it, `options.ts` reads them, and the documentation lists them.
 */
import { limits } from "@millrace/contract";

interface SettingBase<T> {
  /** Long flag without the dashes; absent when only the environment sets it. */
  readonly flag?: string;
  readonly short?: string;
  /** Environment variables, the first one set wins. */
  readonly env: readonly string[];
  readonly default: T;
  readonly description: string;
  readonly unit?: string;
  /** Never shown nor logged. */
  readonly secret?: boolean;
  /** Why the setting is accepted but has no effect. */
  readonly ignored?: string;
}

interface TextSetting extends SettingBase<string | undefined> {
  readonly kind: "text";
  readonly choices?: readonly string[];
}
interface ListSetting extends SettingBase<readonly string[]> {
  readonly kind: "list";
}
interface FlagSetting extends SettingBase<boolean> {
  readonly kind: "flag";
  /** Long flag that switches it off. */
  readonly negative?: string;
}
interface IntegerSetting extends SettingBase<number> {
  readonly kind: "integer";
  readonly min: number;
  readonly max: number;
  /** What one unit of the setting is in the option's own unit (1000 for seconds kept as milliseconds). */
  readonly scale?: number;
}
export type Setting = TextSetting | ListSetting | FlagSetting | IntegerSetting;

/** The type of an option, as its setting says it. */
export type SettingValue<S> = S extends { kind: "text"; default: string }
  ? string
  : S extends { kind: "text" }
    ? string | undefined
    : S extends { kind: "list" }
      ? readonly string[]
      : S extends { kind: "flag" }
        ? boolean
        : number;

const oneProcess = "Millrace serves from one process";
const noTracing = "Millrace keeps no traces";
const noGateway = "Millrace has no gateway whose secrets it would keep";
const noApps = "Millrace has no plug-in applications; set MILLRACE_TOKEN to require a token";

/** The key of a setting is its flag in camelCase, as command-line parsers report it. */
export const settings = {
  // What is stored, and where
  dataDir: {
    kind: "text",
    flag: "data-dir",
    env: ["MILLRACE_DATA_DIR"],
    default: "./millrace-data",
    description: "folder of the database and the artifacts, unless these are set themselves",
  },
  backendStoreUri: {
    kind: "text",
    flag: "backend-store-uri",
    env: ["MLFLOW_BACKEND_STORE_URI"],
    default: undefined,
    description: "database, for instance sqlite:///relative.db (default: millrace.db in the data folder)",
  },
  readReplicaBackendStoreUri: {
    kind: "text",
    flag: "read-replica-backend-store-uri",
    env: ["MLFLOW_READ_REPLICA_BACKEND_STORE_URI"],
    default: undefined,
    ignored: "an SQLite database is read where it is written",
    description: "accepted for compatibility",
  },
  registryStoreUri: {
    kind: "text",
    flag: "registry-store-uri",
    env: ["MLFLOW_REGISTRY_STORE_URI"],
    default: undefined,
    description: "database of the model registry; must be the backend store",
  },
  defaultArtifactRoot: {
    kind: "text",
    flag: "default-artifact-root",
    env: ["MLFLOW_DEFAULT_ARTIFACT_ROOT"],
    default: undefined,
    description:
      "artifact location of new experiments (default: mlflow-artifacts:/ when artifacts are served, else the artifacts destination)",
  },
  artifactsDestination: {
    kind: "text",
    flag: "artifacts-destination",
    env: ["MLFLOW_ARTIFACTS_DESTINATION"],
    default: undefined,
    description: "where served artifacts lie (default: artifacts in the data folder)",
  },
  serveArtifacts: {
    kind: "flag",
    flag: "serve-artifacts",
    negative: "no-serve-artifacts",
    env: ["MLFLOW_SERVE_ARTIFACTS"],
    default: true,
    description: "serve artifacts through this server",
  },
  artifactsOnly: {
    kind: "flag",
    flag: "artifacts-only",
    env: ["MLFLOW_ARTIFACTS_ONLY"],
    default: false,
    description: "serve artifacts and nothing else",
  },

  // Where the server listens, and to whom
  host: {
    kind: "text",
    flag: "host",
    short: "h",
    env: ["MLFLOW_HOST"],
    default: "127.0.0.1",
    description: "address to listen on; anything but this machine's loopback needs MILLRACE_TOKEN",
  },
  port: {
    kind: "integer",
    flag: "port",
    short: "p",
    env: ["MLFLOW_PORT"],
    default: 5000,
    min: 0,
    max: 65_535,
    description: "port to listen on; 0 takes a free one",
  },
  staticPrefix: {
    kind: "text",
    flag: "static-prefix",
    env: ["MLFLOW_STATIC_PREFIX", "_MLFLOW_STATIC_PREFIX"],
    default: "",
    description: "path below which the server also answers, for instance /mlflow",
  },
  allowedHosts: {
    kind: "list",
    flag: "allowed-hosts",
    env: ["MLFLOW_SERVER_ALLOWED_HOSTS"],
    default: [],
    description: "Host headers to accept, with * as wildcard (default: localhost and private addresses)",
  },
  corsAllowedOrigins: {
    kind: "list",
    flag: "cors-allowed-origins",
    env: ["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"],
    default: [],
    description: "web origins that may change state, with * as wildcard",
  },
  disableSecurityMiddleware: {
    kind: "flag",
    flag: "disable-security-middleware",
    env: ["MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE"],
    default: false,
    description: "check neither Host nor Origin",
  },
  xFrameOptions: {
    kind: "text",
    flag: "x-frame-options",
    env: ["MLFLOW_SERVER_X_FRAME_OPTIONS"],
    default: "SAMEORIGIN",
    choices: ["SAMEORIGIN", "DENY", "NONE"],
    description: "X-Frame-Options header",
  },
  token: {
    kind: "text",
    env: ["MILLRACE_TOKEN"],
    default: undefined,
    secret: true,
    description: "token that every request but /health must carry, as Bearer token or Basic password",
  },
  insecure: {
    kind: "flag",
    flag: "insecure",
    env: ["MILLRACE_INSECURE"],
    default: false,
    description: "listen beyond loopback without a token",
  },

  // Operation
  envFile: {
    kind: "text",
    flag: "env-file",
    env: [],
    default: undefined,
    description: "file of NAME=value lines; variables that are set already win",
  },
  logLevel: {
    kind: "text",
    flag: "log-level",
    env: ["MILLRACE_LOG_LEVEL"],
    default: "info",
    choices: ["debug", "info", "warn", "error", "silent"],
    description: "what is logged; info writes one line per request",
  },
  exposePrometheus: {
    kind: "text",
    flag: "expose-prometheus",
    env: ["MLFLOW_EXPOSE_PROMETHEUS"],
    default: undefined,
    ignored: "/metrics is always there and needs no folder",
    description: "accepted for compatibility",
  },
  drainTimeoutMs: {
    kind: "integer",
    env: ["MILLRACE_DRAIN_TIMEOUT_MS"],
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: "ms",
    description: "how long running requests may finish after SIGTERM",
  },
  workers: {
    kind: "integer",
    flag: "workers",
    short: "w",
    env: ["MLFLOW_WORKERS"],
    default: 1,
    min: 1,
    max: 1_024,
    ignored: oneProcess,
    description: "accepted for compatibility",
  },
  gunicornOpts: {
    kind: "text",
    flag: "gunicorn-opts",
    env: ["MLFLOW_GUNICORN_OPTS"],
    default: undefined,
    ignored: oneProcess,
    description: "accepted for compatibility",
  },
  uvicornOpts: {
    kind: "text",
    flag: "uvicorn-opts",
    env: ["MLFLOW_UVICORN_OPTS"],
    default: undefined,
    ignored: oneProcess,
    description: "accepted for compatibility",
  },
  waitressOpts: {
    kind: "text",
    flag: "waitress-opts",
    env: [],
    default: undefined,
    ignored: oneProcess,
    description: "accepted for compatibility",
  },
  appName: {
    kind: "text",
    flag: "app-name",
    env: [],
    default: undefined,
    ignored: noApps,
    description: "accepted for compatibility",
  },
  dev: {
    kind: "flag",
    flag: "dev",
    env: [],
    default: false,
    ignored: "there is nothing to reload; give --log-level debug for more log",
    description: "accepted for compatibility",
  },
  traceArchivalConfig: {
    kind: "text",
    flag: "trace-archival-config",
    env: ["MLFLOW_TRACE_ARCHIVAL_CONFIG"],
    default: undefined,
    ignored: noTracing,
    description: "accepted for compatibility",
  },
  secretsCacheTtl: {
    kind: "text",
    flag: "secrets-cache-ttl",
    env: [],
    default: undefined,
    ignored: noGateway,
    description: "accepted for compatibility",
  },
  secretsCacheMaxSize: {
    kind: "text",
    flag: "secrets-cache-max-size",
    env: [],
    default: undefined,
    ignored: noGateway,
    description: "accepted for compatibility",
  },
  enableWorkspaces: {
    kind: "flag",
    flag: "enable-workspaces",
    negative: "disable-workspaces",
    env: ["MLFLOW_ENABLE_WORKSPACES"],
    default: false,
    description: "workspaces, which this version does not have: it refuses to start with them",
  },
  workspaceStoreUri: {
    kind: "text",
    flag: "workspace-store-uri",
    env: ["MLFLOW_WORKSPACE_STORE_URI"],
    default: undefined,
    ignored: "this version has no workspaces",
    description: "accepted for compatibility",
  },

  // Limits
  requestBodyBytesMax: {
    kind: "integer",
    env: ["MILLRACE_REQUEST_BODY_BYTES_MAX"],
    default: limits.requestBodyBytesMax,
    min: 1_024,
    max: 1_073_741_824,
    unit: "bytes",
    description: "longest JSON body, inflated; artifacts are streamed and have no limit",
  },
  bufferedBodyBytesMax: {
    kind: "integer",
    env: ["MILLRACE_BUFFERED_BODY_BYTES_MAX"],
    default: 256 * 1024 * 1024,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: "bytes",
    description: "JSON bodies that are being received, together; more are answered with 429",
  },
  writeQueueMax: {
    kind: "integer",
    env: ["MILLRACE_WRITE_QUEUE_MAX"],
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: "requests",
    description: "writes waiting for the database; more are answered with 429",
  },
  connectionsMax: {
    kind: "integer",
    env: ["MILLRACE_CONNECTIONS_MAX"],
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: "connections",
    description: "open connections; more are closed at once",
  },
  idleTimeoutMs: {
    kind: "integer",
    env: ["MILLRACE_IDLE_TIMEOUT_MS"],
    default: 120_000,
    min: 1_000,
    max: 3_600_000,
    unit: "ms",
    description: "a connection on which nothing moved for so long is closed, also in the middle of a request",
  },

  // Rules of the protocol that MLflow lets operators change
  truncateLongValues: {
    kind: "flag",
    env: ["MLFLOW_TRUNCATE_LONG_VALUES"],
    default: true,
    description: "cut long values of params and run tags instead of refusing them",
  },
  modelVersionSourcePattern: {
    kind: "text",
    env: ["MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX"],
    default: undefined,
    description: "regular expression that the source of a new model version must match",
  },
  allowedHostAddressedSchemes: {
    kind: "list",
    env: ["MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES"],
    default: [],
    description: "artifact schemes that may name a foreign host, for instance hdfs,https",
  },
  webhookAllowedSchemes: {
    kind: "list",
    env: ["MLFLOW_WEBHOOK_ALLOWED_SCHEMES"],
    default: ["https"],
    description: "schemes of webhook addresses",
  },
  webhookAllowPrivateIps: {
    kind: "flag",
    env: ["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"],
    default: false,
    description: "webhooks may call private addresses",
  },
  webhookRequestTimeoutMs: {
    kind: "integer",
    env: ["MLFLOW_WEBHOOK_REQUEST_TIMEOUT"],
    default: 30_000,
    min: 1,
    max: 3_600,
    scale: 1_000,
    unit: "s",
    description: "how long a webhook delivery may take",
  },
  webhookRequestRetriesMax: {
    kind: "integer",
    env: ["MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES"],
    default: 3,
    min: 0,
    max: 100,
    description: "how often a webhook delivery is tried again",
  },
  webhookDeliveriesMax: {
    kind: "integer",
    env: ["MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS"],
    default: 10,
    min: 1,
    max: 1_000,
    unit: "deliveries",
    description: "webhook deliveries at the same time",
  },
  webhookCacheTtlMs: {
    kind: "integer",
    env: ["MLFLOW_WEBHOOK_CACHE_TTL"],
    default: 60_000,
    min: 0,
    max: 86_400,
    scale: 1_000,
    unit: "s",
    ignored: "webhooks are read from the database, so a change counts at once",
    description: "accepted for compatibility",
  },
  webhookSecretEncryptionKey: {
    kind: "text",
    env: ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"],
    default: undefined,
    secret: true,
    description: "key that encrypts webhook secrets; made on first use when not given",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
