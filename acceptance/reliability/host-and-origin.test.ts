/** Requests that a foreign web page, or a name bound to this machine by a stranger, makes a browser send. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";
import { Wire } from "./fuzz/wire.ts";

let server: RunningServer;
let wire: Wire;
const artifact = "/api/2.0/mlflow-artifacts/artifacts/top/folder/data.txt";

beforeAll(async () => {
  server = await startServer();
  wire = new Wire(Number(new URL(server.url).port));
  expect((await send("PUT", artifact, "inside")).status).toBe(200);
});
afterAll(async () => {
  wire?.close();
  await server?.stop();
});

async function send(
  method: string,
  target: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const fields = { Host: "127.0.0.1", "Content-Type": "application/json", ...headers };
  const { answers } = await wire.send({
    method,
    target,
    headers: Object.entries(fields),
    body: body === undefined ? undefined : Buffer.from(body),
    framing: "length",
    malformed: false,
  });
  return { status: answers[0]?.status ?? 0, text: answers[0]?.body.toString("utf8") ?? "" };
}

describe("who may ask", () => {
  const create = "/api/2.0/mlflow/experiments/create";
  const body = (name: string): string => JSON.stringify({ name });

  test.each([
    "http://evil.example",
    "https://evil.example:5000",
    "null",
    "http://192.168.1.5:3000",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example#127.0.0.1",
    "file://",
  ])("the origin %s may change nothing", async (origin) => {
    for (const [method, target] of [
      ["POST", create],
      ["PATCH", "/ajax-api/2.0/mlflow/registered-models/update"],
      ["DELETE", artifact],
      ["PUT", artifact],
    ] as const) {
      const { status } = await send(method, target, body("foreign"), { Origin: origin });
      expect(status).toBe(403);
    }
    expect(
      (await send("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=foreign")).status,
    ).toBe(404);
    expect((await send("GET", artifact)).text).toBe("inside");
  });

  test.each(["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"])(
    "the origin %s may",
    async (origin) => {
      expect((await send("POST", create, body(`own ${origin}`), { Origin: origin })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "100.64.0.1",
    "[fd00::1]:5000",
    "",
  ])("the host '%s' is refused, but for /health and /version", async (host) => {
    for (const target of [
      "/",
      "/metrics",
      "/api/2.0/mlflow/experiments/get?experiment_id=0",
      "/get-artifact?run_id=x&path=y",
    ]) {
      expect((await send("GET", target, undefined, { Host: host })).status).toBe(403);
    }
    expect((await send("GET", "/health", undefined, { Host: host })).status).toBe(200);
    expect((await send("GET", "/version", undefined, { Host: host })).status).toBe(200);
  });
});
