/** `millrace server` as a process: what it says, how it refuses, how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test } from "vitest";
import { millrace, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});
afterAll(() => folder.remove());

interface Started {
  readonly child: ChildProcess;
  readonly texts: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function start(words: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ["--conditions=millrace-source", main, ...words], {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: `${folder.path}/cache`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  return { child, texts, ended: once(child, "close").then(([code]) => code as number | null) };
}

/** Waits until standard output holds the words; a process that ended will not say them. */
async function spoken({ child, texts, ended }: Started, words: string): Promise<void> {
  const gone = ended.then((code) => {
    throw new Error(`The server ended with exit code ${code}: ${texts.stderr}`);
  });
  while (!texts.stdout.includes(words)) await Promise.race([once(child.stdout!, "data"), gone]);
  gone.catch(() => undefined);
}

async function serve(
  words: readonly string[],
  env?: Record<string, string>,
): Promise<Started & { url: string }> {
  const started = start(["server", "--port", "0", "--json", ...words], env);
  await spoken(started, "}");
  const { url } = JSON.parse(started.texts.stdout) as { url: string };
  return { ...started, url };
}

test("says where it listens, where data are and what clients need; ends in order on SIGTERM", async () => {
  const dataDir = `${folder.path}/first`;
  const started = start(["server", "--port", "0", "--data-dir", dataDir]);
  const { child, texts, ended } = started;
  await spoken(started, "createClient");
  const url = /listens at (http:\/\/127\.0\.0\.1:\d+)\n/.exec(texts.stdout)?.[1];
  expect(texts.stdout).toContain(`database   ${dataDir}/millrace.db`);
  expect(texts.stdout).toContain(`artifacts  ${dataDir}/artifacts`);
  expect(texts.stdout).toContain(`export MLFLOW_TRACKING_URI=${url}\n`);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  // Every line of the log is JSON of its own.
  const lines = texts.stderr.split("\n").filter((line) => line.startsWith("{"));
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain("stopped");
});

test("a request that is running when SIGTERM comes is answered", async () => {
  const { child, url, ended } = await serve(["--data-dir", `${folder.path}/drain`]);
  const body = JSON.stringify({ name: "sent slowly" });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const outgoing = request(`${url}/api/2.0/mlflow/experiments/create`, { method: "POST", headers });
  const answered = once(outgoing, "response");
  outgoing.write(body.slice(0, 5));
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 200));
  outgoing.end(body.slice(5));
  const [response] = (await answered) as [{ statusCode: number; resume(): void }];
  expect(response.statusCode).toBe(200);
  response.resume();
  expect(await ended).toBe(0);
});

test("a second signal ends it at once", async () => {
  const { child, url, ended } = await serve(["--data-dir", `${folder.path}/second-signal`]);
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(
    "POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(child.exitCode).toBeNull();
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  socket.destroy();
});

test("refuses a taken port, a held database, a foreign one, and strangers without a token", async () => {
  const { url } = await serve(["--data-dir", `${folder.path}/held`]);
  const refusal = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await millrace(["server", "--log-level", "silent", ...words]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    return stderr;
  };
  const { port } = new URL(url);
  expect(await refusal("--port", port, "--data-dir", `${folder.path}/other`)).toContain(`Port ${port}`);
  expect(await refusal("--port", "0", "--data-dir", `${folder.path}/held`)).toContain(url);
  const foreign = `${folder.path}/mlflow.db`;
  const db = new DatabaseSync(foreign);
  db.exec("CREATE TABLE alembic_version (version_num TEXT)");
  db.close();
  expect(await refusal("--port", "0", "--backend-store-uri", `sqlite:///${foreign}`)).toContain("MLflow");
  expect(await refusal("--host", "0.0.0.0", "--port", "0", "--data-dir", `${folder.path}/open`)).toContain(
    "MILLRACE_TOKEN",
  );
});

test("a setting that cannot be read is a usage error that names flag or variable", async () => {
  expect(await millrace(["server", "--port", "many"])).toMatchObject({
    code: 2,
    stderr: "error: --port: 'many' must be an integer from 0 to 65535.\n",
  });
  expect((await millrace(["server"], { env: { MLFLOW_PORT: "-1" } })).stderr).toContain("MLFLOW_PORT");
  expect((await millrace(["server", "--backend-store-uri", "postgresql://u:pw@h/db"])).stderr).not.toContain(
    "pw@",
  );
});

test("a server with a token is open to the command line of the same environment only", async () => {
  const data = ["--data-dir", `${folder.path}/token`];
  const { url } = await serve(data, { MILLRACE_TOKEN: "open-sesame" });
  const local = { MILLRACE_DATA_DIR: `${folder.path}/token` };
  const words = ["experiments", "search", "--json"];
  expect((await millrace(words, { env: { ...local, MILLRACE_TOKEN: "open-sesame" } })).code).toBe(0);
  expect(await millrace(words, { env: local })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("MLFLOW_TRACKING_TOKEN") as string,
  });
  const remote = { MLFLOW_TRACKING_URI: url };
  expect((await millrace(words, { env: { ...remote, MLFLOW_TRACKING_TOKEN: "open-sesame" } })).code).toBe(0);
  // The server's own token is not sent to just any address.
  expect((await millrace(words, { env: { ...remote, MILLRACE_TOKEN: "open-sesame" } })).code).toBe(1);
});

test("a reader that has seen enough is no failure", async () => {
  const { child, ended, texts } = start(["server", "--help"]);
  child.stdout!.destroy();
  expect(await ended, texts.stderr).toBe(0);
});
