import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

/** Remembers what programs send, and answers as a tracking server would. */
let server: Server;
let url: string;
let received: { readonly path: string; readonly body: Record<string, unknown> }[];

beforeEach(async () => {
  received = [];
  let runs = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/points") {
        response.end(String(points()));
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
      received.push({ path: request.url!.replace("/api/2.0/mlflow/", ""), body });
      const isCreate = request.url!.endsWith("runs/create");
      const info = { run_id: isCreate ? `r${++runs}` : body["run_id"], experiment_id: "0" };
      response.end(JSON.stringify(isCreate ? { run: { info } } : { run_info: info }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const entry = path.join(import.meta.dirname, "index.ts");

/** Runs a program and gives how it ended. It prints `ready` when a signal may come. */
async function run(
  body: string,
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null; errors: string }> {
  const program = `
    import { createClient, withRun } from ${JSON.stringify(entry)};
    const never = () => new Promise(() => setInterval(() => {}, 1_000));
    ${body}`;
  const child = spawn(
    process.execPath,
    ["--conditions=millrace-source", "--no-warnings", "--input-type=module-typescript", "-e", program],
    { env: { ...process.env, MLFLOW_TRACKING_URI: url }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  child.stdout.on("data", (text: Buffer) => {
    if (signal !== undefined && text.toString().includes("ready")) child.kill(signal);
  });
  const [code, by] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal: by, errors };
}

const statuses = (): unknown[] =>
  received.filter(({ path: at }) => at === "runs/update").map(({ body }) => [body["run_id"], body["status"]]);
const points = (): number =>
  received.flatMap(({ body }) => (Array.isArray(body["metrics"]) ? (body["metrics"] as unknown[]) : []))
    .length;

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s stores what is pending, kills the runs and the program",
  async (signal) => {
    const ended = await run(
      `await withRun({}, async (run) => {
      await run.logMetrics({ a: 1, b: 2 });
      await run.withChild({}, async (child) => {
        await child.logMetric("c", 3);
        console.log("ready");
        await never();
      });
    });`,
      signal,
    );
    expect(ended).toMatchObject({ code: null, signal });
    expect(points()).toBe(3);
    expect(statuses().sort()).toEqual([
      ["r1", "KILLED"],
      ["r2", "KILLED"],
    ]);
  },
);

test.each([
  ["an exception", `setTimeout(() => { throw new Error("out of nowhere"); }); await never();`],
  ["a rejection", `void Promise.reject(new Error("out of nowhere")); await never();`],
])("%s that nobody catches fails the run; Node reports it and exits with 1", async (_name, body) => {
  const ended = await run(`await withRun({}, async (run) => { await run.logMetric("a", 1); ${body} });`);
  expect(ended).toMatchObject({ code: 1, signal: null });
  expect(ended.errors).toContain("Error: out of nowhere");
  expect(points()).toBe(1);
  expect(statuses()).toEqual([["r1", "FAILED"]]);
});

test("a program that has nothing left to do fails the run it left open", async () => {
  await run(
    `void withRun({}, async (run) => { await run.logMetric("a", 1); await new Promise(() => {}); });`,
  );
  expect(points()).toBe(1);
  expect(statuses()).toEqual([["r1", "FAILED"]]);
});

test("a batcher that nobody closes is flushed", async () => {
  const ended = await run(
    `await createClient().createBatcher().add("r9", { metrics: [{ key: "a", value: 1, timestamp: 1 }] });`,
  );
  expect(ended).toMatchObject({ code: 0, errors: "" });
  expect(points()).toBe(1);
});

test("a program with a handler of its own decides how it ends; what is pending is stored at once", async () => {
  const ended = await run(
    `process.once("SIGTERM", async () => {
       while ((await (await fetch(process.env.MLFLOW_TRACKING_URI + "/points")).text()) === "0");
       process.exit(7);
     });
     await withRun({ batch: { flushIntervalMs: 1e9 } }, async (run) => {
       await run.logMetric("a", 1);
       console.log("ready");
       await never();
     });`,
    "SIGTERM",
  );
  expect(ended).toMatchObject({ code: 7, signal: null });
  expect(statuses()).toEqual([]);
});

test("when all is done nothing keeps the process, and its handlers are gone", async () => {
  const ended = await run(
    `await withRun({ leaseMs: 60_000 }, () => {});
     if (process.listenerCount("SIGINT") + process.listenerCount("uncaughtException") > 0) process.exit(9);`,
  );
  expect(ended).toMatchObject({ code: 0, errors: "" });
  expect(statuses()).toEqual([["r1", "FINISHED"]]);
});
