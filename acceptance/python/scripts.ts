import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";

import {
  preparePythonEnvironment,
  runCommand,
  type PythonEnvironment,
  type PythonEnvironmentName,
} from "../environments.ts";
import { startServer, type RunningServer } from "../server.ts";

const directory = fileURLToPath(new URL(".", import.meta.url));

/** Scripts that run against a server as it starts by default; each ends with status 0 when all is well. */
const scripts = [
  "wine.py",
  "autolog_sklearn.py",
  "autolog_xgboost.py",
  "autolog_lightgbm.py",
  "system_metrics.py",
  "fluent_runs.py",
  "fluent_metrics.py",
  "fluent_search.py",
  "fluent_artifacts.py",
  "registry.py",
  "logged_models.py",
  "eight_processes.py",
  "command_line.py",
  "webhooks.py",
  "tracing_never_breaks.py",
] as const;

/** The status by which a script says that it does not apply; the reason is in its output. */
const skippedStatus = 77;
const scriptTimeoutMs = 4 * 60_000;

/** The clients must reach the server under test, whatever the developer's shell is set up for. */
const cleared = [
  "MLFLOW_REGISTRY_URI",
  "MLFLOW_EXPERIMENT_ID",
  "MLFLOW_EXPERIMENT_NAME",
  "MLFLOW_RUN_ID",
  "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "http_proxy",
  "https_proxy",
] as const;

/** Registers the tests of one version of the official Python client. */
export function describePythonClient(name: PythonEnvironmentName): void {
  describe(`Python ${name}`, () => {
    let environment: PythonEnvironment;

    // Before any server: a real MLflow, when it is the target, is taken from such an environment.
    beforeAll(async () => {
      await preparePythonEnvironment("client-3.17");
      environment = await preparePythonEnvironment(name);
    });

    describe("with the default settings", () => {
      let server: RunningServer;
      beforeAll(async () => {
        server = await startServer();
      });
      afterAll(() => server?.stop());

      for (const script of scripts) {
        test(script, (context) => runScript(environment, server, script, context));
      }
    });
  });
}

/** Registers the test of webhooks that arrive, which needs a client of 3.x and a server set up for it. */
export function describeWebhookDelivery(name: PythonEnvironmentName): void {
  test(`Python ${name}: webhook_delivery.py, with private receivers allowed`, async (context) => {
    await preparePythonEnvironment("client-3.17");
    const environment = await preparePythonEnvironment(name);
    const server = await startServer({
      env: {
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES: "http,https",
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: "true",
        // A server that remembers its webhooks would still send to the one just disabled.
        MLFLOW_WEBHOOK_CACHE_TTL: "0",
      },
    });
    try {
      await runScript(environment, server, "webhook_delivery.py", context);
    } finally {
      await server.stop();
    }
  });
}

async function runScript(
  environment: PythonEnvironment,
  server: RunningServer,
  script: string,
  context: TestContext,
): Promise<void> {
  // Clients leave downloads and models behind in the folder for temporary files.
  const temporary = await mkdtemp(join(tmpdir(), "millrace-client-"));
  const { status, output } = await runCommand(environment.python, [script], {
    cwd: directory,
    timeoutMs: scriptTimeoutMs,
    env: {
      TMPDIR: temporary,
      ...Object.fromEntries(cleared.map((variable) => [variable, undefined])),
      MLFLOW_TRACKING_URI: server.url,
      MLFLOW_DISABLE_TELEMETRY: "true",
      DO_NOT_TRACK: "1",
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      // XGBoost and NumPy otherwise start a thread per core and wait for each other.
      OMP_NUM_THREADS: "1",
      ACCEPTANCE_SERVER: server.kind,
    },
  }).finally(() => rm(temporary, { recursive: true, force: true }));
  for (const line of output.split("\n").filter((one) => one.startsWith("skipped: "))) {
    process.stdout.write(`  ${environment.name} ${script} ${line}\n`);
  }
  if (status === skippedStatus) {
    context.skip(/^skipped: (.*)$/m.exec(output)?.[1] ?? "the script does not apply");
  }
  expect(status, `${environment.name} ${script} against ${server.url}:\n${output}`).toBe(0);
}
