import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

import { preparePythonEnvironment, runCommand } from "../environments.ts";
import { startServer } from "../server.ts";

const project = fileURLToPath(new URL(".", import.meta.url));
/** Holds the first download of Maven's plug-ins and of the client. */
const mavenTimeoutMs = 10 * 60_000;

test("MLflow's Java client creates, logs, searches and finishes runs", async (context) => {
  const maven = await runCommand("mvn", ["--version"]).catch(() => undefined);
  if (maven?.status !== 0) context.skip("mvn (Maven, with a JDK of 11 or newer) is not installed");

  await mkdir(new URL("../.environments", import.meta.url), { recursive: true });
  const compiled = await runCommand("mvn", ["-q", "-B", "compile"], {
    cwd: project,
    timeoutMs: mavenTimeoutMs,
  });
  expect(compiled.status, `mvn compile:\n${compiled.output}`).toBe(0);

  if (process.env["MILLRACE_TARGET"] === "mlflow") await preparePythonEnvironment("client-3.17");
  const server = await startServer();
  try {
    const { status, output } = await runCommand("mvn", ["-q", "-B", "exec:java"], {
      cwd: project,
      timeoutMs: mavenTimeoutMs,
      env: { MLFLOW_TRACKING_URI: server.url },
    });
    expect(status, `the Java client against ${server.url}:\n${output}`).toBe(0);
    expect(output).toContain("The Java client did its work.");
  } finally {
    await server.stop();
  }
});
