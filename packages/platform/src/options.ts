/** The server's options: flags and environment, read once against the table of settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { PlatformError } from "@millrace/contract";
import { type Setting, type SettingName, settings, type SettingValue } from "./settings.ts";

export { type Setting, type SettingName, settings } from "./settings.ts";

/** A database address, understood. Relative paths are relative to the working directory. */
export type BackendAddress = { readonly kind: "sqlite"; readonly path: string };

export type Options = {
  readonly [
    N in Exclude<SettingName, "backendStoreUri" | "artifactsDestination" | "defaultArtifactRoot">
  ]: SettingValue<(typeof settings)[N]>;
} & {
  readonly backendStoreUri: string;
  readonly artifactsDestination: string;
  readonly defaultArtifactRoot: string;
  readonly backend: BackendAddress;
  /** What the operator should know, for instance settings that have no effect here. */
  readonly notes: readonly string[];
};

/** Values by setting name; a command-line parser's texts, or values of the right type already. */
export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

function fail(message: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new PlatformError("INVALID_PARAMETER_VALUE", message, details);
}

/**
 * Reads flags (which win) and environment variables into options.
 * @throws PlatformError INVALID_PARAMETER_VALUE that names every bad setting and where it came from.
 */
export function parseOptions(flags: Flags, environment: Environment): Options {
  const problems: string[] = [];
  const notes: string[] = [];
  const values: Record<string, unknown> = {};
  const env = withEnvFile(flags["envFile"], environment);
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    const variable = setting.env.find((key) => env[key] !== undefined && env[key] !== "");
    const fromFlag = flags[name] !== undefined;
    const source = fromFlag ? `--${setting.flag ?? name}` : (variable ?? "");
    const raw = fromFlag ? flags[name] : variable === undefined ? undefined : env[variable];
    if (raw === undefined) {
      values[name] = setting.default;
      continue;
    }
    const value = readValue(setting, raw);
    if (value instanceof Error) {
      problems.push(`${source}: ${setting.secret ? "the value" : `'${String(raw)}'`} ${value.message}.`);
      continue;
    }
    values[name] = value;
    if (setting.ignored !== undefined) notes.push(`${source} has no effect: ${setting.ignored}.`);
  }
  const prefix = values["staticPrefix"];
  if (typeof prefix === "string" && prefix !== "" && !/^(\/[^/{}?#]+)+$/.test(prefix)) {
    problems.push(
      `--static-prefix: '${prefix}' must begin with a '/', must not end with one, and must not hold braces.`,
    );
  }
  if (values["enableWorkspaces"] === true) {
    problems.push("--enable-workspaces: this version has no workspaces; leave it out.");
  }
  if (problems.length > 0) fail(problems.join(" "));
  return withDerived(values, notes);
}

function withDerived(values: Readonly<Record<string, unknown>>, notes: readonly string[]): Options {
  const parsed = values as unknown as Options;
  const backendStoreUri = parsed.backendStoreUri ?? join(parsed.dataDir, "millrace.db");
  const artifactsDestination = parsed.artifactsDestination ?? join(parsed.dataDir, "artifacts");
  const defaultArtifactRoot =
    parsed.defaultArtifactRoot ?? (parsed.serveArtifacts ? "mlflow-artifacts:/" : artifactsDestination);
  const backend = parseBackendUri(backendStoreUri);
  const registry = parsed.registryStoreUri;
  if (registry !== undefined && parseBackendUri(registry).path !== backend.path) {
    fail(
      `The registry store '${withoutPassword(registry)}' is not the backend store '${withoutPassword(backendStoreUri)}'. Millrace keeps runs and models in one database: leave --registry-store-uri out.`,
    );
  }
  return { ...parsed, backendStoreUri, artifactsDestination, defaultArtifactRoot, backend, notes };
}

function withEnvFile(path: unknown, environment: Environment): Environment {
  if (typeof path !== "string") return environment;
  try {
    return { ...parseEnv(readFileSync(path, "utf8")), ...environment };
  } catch (cause) {
    throw new PlatformError("INVALID_PARAMETER_VALUE", `--env-file: '${path}' cannot be read.`, {}, cause);
  }
}

function readValue(setting: Setting, raw: unknown): unknown {
  switch (setting.kind) {
    case "flag": {
      if (typeof raw === "boolean") return raw;
      const folded = String(raw).trim().toLowerCase();
      if (["true", "1", "yes", "on", "t", "y"].includes(folded)) return true;
      if (["false", "0", "no", "off", "f", "n"].includes(folded)) return false;
      return new Error("must be true or false");
    }
    case "integer": {
      const text = String(raw).trim();
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= setting.min && value <= setting.max)) {
        const unit = setting.unit === undefined ? "" : ` (${setting.unit})`;
        return new Error(`must be an integer from ${setting.min} to ${setting.max}${unit}`);
      }
      return value * (setting.scale ?? 1);
    }
    case "list": {
      const items = Array.isArray(raw) ? raw.map(String) : String(raw).split(",");
      return items.map((item) => item.trim()).filter((item) => item !== "");
    }
    case "text": {
      const text = String(raw);
      if (setting.choices === undefined) return text;
      const choice = setting.choices.find((item) => item.toLowerCase() === text.toLowerCase());
      return choice ?? new Error(`must be one of ${setting.choices.join(", ")}`);
    }
  }
}

const otherDatabases = /^(postgres(ql)?|mysql|mariadb|mssql|oracle)(\+\w+)?:/i;

/**
 * Understands a database address: SQLAlchemy's spellings of SQLite, or a path.
 * @throws PlatformError INVALID_PARAMETER_VALUE for a database that this version cannot open.
 */
export function parseBackendUri(uri: string): BackendAddress {
  const sqlite = /^sqlite(\+\w+)?:(.*)$/is.exec(uri);
  if (sqlite) {
    const driver = sqlite[1]?.toLowerCase();
    if (driver !== undefined && driver !== "+pysqlite" && driver !== "+aiosqlite") {
      fail(
        `The database address '${uri}' asks for the driver '${driver.slice(1)}': write sqlite:///path instead.`,
      );
    }
    const rest = sqlite[2]!;
    if (!/^\/\/($|[/?])/.test(rest)) {
      fail(
        `The database address '${uri}' names a host: write sqlite:///relative.db or sqlite:////absolute.db.`,
      );
    }
    const query = rest.indexOf("?");
    let path = rest.slice(3, query === -1 ? undefined : Math.max(query, 3));
    if (path.startsWith("file:")) path = path.slice("file:".length);
    return { kind: "sqlite", path: path === "" ? ":memory:" : path };
  }
  if (otherDatabases.test(uri)) {
    fail(
      `The database '${withoutPassword(uri)}' is not in this version of Millrace: it keeps its data in SQLite, for instance sqlite:///millrace.db.`,
    );
  }
  if (/^file:/i.test(uri))
    return { kind: "sqlite", path: decodePercent(uri.replace(/^file:(\/\/(localhost)?(?=\/))?/i, "")) };
  if (/^[a-z][a-z0-9+.-]+:/i.test(uri) || uri === "databricks") {
    fail(
      `'${withoutPassword(uri)}' is no database address that Millrace knows: use sqlite:///millrace.db or a path.`,
    );
  }
  if (uri === "") fail("The database address is empty: use sqlite:///millrace.db or a path.");
  return { kind: "sqlite", path: uri };
}

function decodePercent(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function withoutPassword(uri: string): string {
  return uri.replace(/\/\/([^/@:]*):[^@]*@/, "//$1:***@");
}

/** Whether the address is this machine's loopback, so that nobody else can reach the server. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Refuses to listen where strangers could run code.
 * @throws PlatformError INVALID_PARAMETER_VALUE when the host is not loopback, no token is set, and `--insecure` is not given.
 */
export function requireSafeBinding(options: Pick<Options, "host" | "token" | "insecure">): void {
  if (isLoopback(options.host) || options.token !== undefined || options.insecure) return;
  fail(
    `Listening on '${options.host}' lets other machines in: set MILLRACE_TOKEN to a secret that clients send as MLFLOW_TRACKING_TOKEN, or give --insecure.`,
  );
}
