import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseBackendUri, parseOptions, requireSafeBinding, type Setting, settings } from "./options.ts";

describe("parseOptions", () => {
  test("has MLflow's defaults, with the data in one folder", () => {
    expect(parseOptions({}, {})).toMatchObject({
      host: "127.0.0.1",
      port: 5000,
      backend: { kind: "sqlite", path: "millrace-data/millrace.db" },
      artifactsDestination: "millrace-data/artifacts",
      defaultArtifactRoot: "mlflow-artifacts:/",
      serveArtifacts: true,
      artifactsOnly: false,
      xFrameOptions: "SAMEORIGIN",
      truncateLongValues: true,
      webhookAllowedSchemes: ["https"],
      webhookRequestTimeoutMs: 30_000,
      webhookRequestRetriesMax: 3,
      notes: [],
    });
  });

  test("flags win over variables, and variables over defaults", () => {
    const env = {
      MLFLOW_PORT: "6000",
      MLFLOW_HOST: "localhost",
      MLFLOW_WEBHOOK_REQUEST_TIMEOUT: "5",
      MLFLOW_SERVE_ARTIFACTS: "False",
    };
    expect(parseOptions({ port: "7000" }, env)).toMatchObject({
      port: 7000,
      host: "localhost",
      webhookRequestTimeoutMs: 5_000,
      serveArtifacts: false,
      defaultArtifactRoot: "millrace-data/artifacts",
    });
  });

  test("an empty variable counts as unset", () => {
    expect(parseOptions({}, { MLFLOW_PORT: "", MILLRACE_TOKEN: "" })).toMatchObject({
      port: 5000,
      token: undefined,
    });
  });

  test("names every problem and its source at once, and no secret", () => {
    const env = { MLFLOW_PORT: "99999", MLFLOW_TRUNCATE_LONG_VALUES: "perhaps" };
    const parse = (): unknown => parseOptions({ xFrameOptions: "MAYBE", staticPrefix: "mlflow/" }, env);
    for (const part of [
      "MLFLOW_PORT: '99999' must be an integer from 0 to 65535",
      "MLFLOW_TRUNCATE_LONG_VALUES: 'perhaps' must be true or false",
      "--x-frame-options: 'MAYBE' must be one of SAMEORIGIN, DENY, NONE",
      "--static-prefix: 'mlflow/'",
    ]) {
      expect(parse).toThrow(part);
    }
  });

  test("says which settings have no effect, and why", () => {
    expect(parseOptions({ workers: 4 }, { MLFLOW_GUNICORN_OPTS: "--x" }).notes).toEqual([
      "--workers has no effect: Millrace serves from one process.",
      "MLFLOW_GUNICORN_OPTS has no effect: Millrace serves from one process.",
    ]);
  });

  test("reads an env file below the environment", () => {
    const file = join(mkdtempSync(join(tmpdir(), "millrace-options-")), "server.env");
    writeFileSync(file, "MLFLOW_PORT=6001\nMLFLOW_HOST='localhost'\n# note\n");
    expect(parseOptions({ envFile: file }, { MLFLOW_HOST: "127.0.0.2" })).toMatchObject({
      port: 6001,
      host: "127.0.0.2",
    });
    expect(() => parseOptions({ envFile: `${file}.missing` }, {})).toThrow("cannot be read");
  });

  test("refuses a registry in another database, and workspaces", () => {
    const same = { backendStoreUri: "sqlite:///a.db", registryStoreUri: "sqlite+pysqlite:///a.db" };
    expect(parseOptions(same, {}).backend.path).toBe("a.db");
    expect(() => parseOptions({ ...same, registryStoreUri: "sqlite:///b.db" }, {})).toThrow(
      "not the backend store",
    );
    expect(() => parseOptions({ enableWorkspaces: true }, {})).toThrow("no workspaces");
  });
});

describe("parseBackendUri", () => {
  // Meanings as SQLAlchemy gives them.
  test.each([
    ["sqlite:///mlflow.db", "mlflow.db"],
    ["sqlite:////var/lib/mlflow.db", "/var/lib/mlflow.db"],
    ["sqlite:///./a b.db", "./a b.db"],
    ["sqlite+pysqlite:///mlflow.db", "mlflow.db"],
    ["SQLite:///mlflow.db", "mlflow.db"],
    ["sqlite:///mlflow.db?timeout=30&check_same_thread=false", "mlflow.db"],
    ["sqlite:///file:/data/x.db?mode=rwc&uri=true", "/data/x.db"],
    ["sqlite://", ":memory:"],
    ["sqlite:///:memory:", ":memory:"],
    ["./data/x.db", "./data/x.db"],
    ["/data/x.db", "/data/x.db"],
    ["file:///data/x.db", "/data/x.db"],
    ["file:relative.db", "relative.db"],
  ])("%s → %s", (uri, path) => {
    expect(parseBackendUri(uri)).toEqual({ kind: "sqlite", path });
  });

  test.each([
    ["postgresql://user:hunter2@db/mlflow", "not in this version"],
    ["postgresql+psycopg2://db/mlflow", "not in this version"],
    ["mysql+pymysql://db/mlflow", "not in this version"],
    ["sqlite://host/x.db", "names a host"],
    ["sqlite+pysqlcipher:///x.db", "pysqlcipher"],
    ["http://127.0.0.1:5000", "no database address"],
    ["databricks", "no database address"],
    ["", "is empty"],
  ])("refuses %s", (uri, message) => {
    expect(() => parseBackendUri(uri)).toThrow(message);
  });

  test("keeps passwords out of messages", () => {
    expect(() => parseBackendUri("postgresql://user:hunter2@db/mlflow")).not.toThrow("hunter2");
    expect(() => parseBackendUri("postgresql://user:hunter2@db/mlflow")).toThrow("user:***@db");
  });
});

describe("requireSafeBinding", () => {
  const bind =
    (host: string, token?: string, insecure = false) =>
    () =>
      requireSafeBinding({ host, token, insecure });
  test("asks for a token beyond loopback", () => {
    for (const host of ["127.0.0.1", "localhost", "::1", "127.8.8.8"]) expect(bind(host)).not.toThrow();
    for (const host of ["0.0.0.0", "::", "192.168.0.1", "127.0.0.1.evil.com", ""]) {
      expect(bind(host)).toThrow("MILLRACE_TOKEN");
      expect(bind(host, "t")).not.toThrow();
      expect(bind(host, undefined, true)).not.toThrow();
    }
  });
});

test("the table of settings cannot be ambiguous", () => {
  const all = Object.entries(settings) as [string, Setting][];
  const flags = all.flatMap(([, setting]) => (setting.flag === undefined ? [] : [setting.flag]));
  const variables = all.flatMap(([, setting]) => setting.env);
  expect(new Set(flags).size).toBe(flags.length);
  expect(new Set(variables).size).toBe(variables.length);
  for (const [name, { flag }] of all) {
    if (flag !== undefined)
      expect(flag.replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase())).toBe(name);
  }
});
