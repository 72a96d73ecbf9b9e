import { existsSync } from "node:fs";
import { inheritedEnvironment } from "./millrace.ts";
import { storeOptions, type Target, type TargetName } from "./target.ts";

/** MLflow from PyPI with the same options; `workers` undefined is its default of four. */
export function mlflow(executable: string, workers: number | undefined): Target {
  const name: TargetName = workers === undefined ? "mlflow-default" : "mlflow-1";
  return {
    name,
    title: workers === undefined ? "MLflow default" : "MLflow 1 worker",
    durability: "SQLite rollback journal, synchronous=FULL (SQLite's defaults, which MLflow keeps)",
    artifactDurability: "not synced",
    unavailable: () =>
      existsSync(executable) ? undefined : `no MLflow at ${executable}: name one with --mlflow PATH`,
    command: (folder, port) => ({
      executable,
      args: [
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        String(port),
        ...storeOptions(folder),
        ...(workers === undefined ? [] : ["--workers", String(workers)]),
      ],
      env: { ...inheritedEnvironment(), MLFLOW_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1" },
      readyTimeoutMs: 180_000,
    }),
  };
}
