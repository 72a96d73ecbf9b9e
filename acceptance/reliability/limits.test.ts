/** Bodies over the limit are refused before they have arrived, and are not kept in memory meanwhile. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settle, treePssMib } from "../../bench/measure/process-tree.ts";
import { type RunningServer, startServer } from "../server.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** What the server may grow by at any time while it refuses. */
const GROWTH_MIB_MAX = 32;
/** Far below the 256 MiB that are sent: write buffers, and garbage that is not collected yet. */
const UPLOAD_GROWTH_MIB_MAX = 64;
/** What may be on its way before the sender hears of the refusal: the limit itself, and buffers. */
const LIMIT_BYTES = 64 * MIB;

let server: RunningServer;

beforeAll(async () => {
  server = await startServer();
  // Code that runs for the first time takes memory, too.
  for (let index = 0; index < 300; index++) {
    const body = JSON.stringify({ name: `warm-${index}` });
    await fetch(`${server.url}/api/2.0/mlflow/experiments/create`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
  }
  await sendUntilRefused(["POST /nothing HTTP/1.1", `Content-Length: ${GIB}`], false);
});
afterAll(() => server?.stop());

interface Refusal {
  readonly status: number;
  readonly text: string;
  /** What had been given to the socket when the answer came. */
  readonly sentBytes: number;
  readonly growthMib: number;
}

/**
 * Sends a head and then pieces of a body, until there is an answer or `lengthBytes` are sent; then goes on for a
 * while as a sender that does not listen would.
 */
async function sendUntilRefused(
  head: readonly string[],
  chunked: boolean,
  lengthBytes = GIB,
): Promise<Refusal> {
  await settle(server.pid);
  const beforeMib = treePssMib(server.pid);
  let peakMib = beforeMib;
  const sampling = setInterval(() => (peakMib = Math.max(peakMib, treePssMib(server.pid))), 20);
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.url).port), noDelay: true });
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  // The server may cut the connection after its answer.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(`${head.join("\r\n")}\r\nHost: 127.0.0.1\r\n\r\n`);
  const piece = Buffer.alloc(MIB, " ");
  const framed = chunked ? Buffer.concat([Buffer.from("100000\r\n"), piece, Buffer.from("\r\n")]) : piece;
  let sentBytes = 0;
  while (received === "" && sentBytes < lengthBytes && !socket.destroyed) {
    sentBytes += piece.length;
    if (!socket.write(framed)) await drainedOrAnswered(socket);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  // 200 MiB more, or until the server cuts the connection.
  for (let more = 0; more < 200 && sentBytes + more * MIB < lengthBytes && !socket.destroyed; more++) {
    if (!socket.write(framed)) await drainedOrAnswered(socket, true);
  }
  if (received === "" && !socket.destroyed) await once(socket, "data");
  clearInterval(sampling);
  socket.destroy();
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0),
    text: received,
    sentBytes,
    growthMib: peakMib - beforeMib,
  };
}

function drainedOrAnswered(socket: Socket, onlyDrained = false): Promise<void> {
  return new Promise((resolve) => {
    const events = onlyDrained ? ["drain", "close"] : ["drain", "data", "close"];
    const done = (): void => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
    if (socket.destroyed) done();
  });
}

describe("a body over the limit", () => {
  const json = "Content-Type: application/json";
  test.each([
    ["runs/log-batch, declared", "POST /api/2.0/mlflow/runs/log-batch", [json], false, 413],
    ["runs/search, declared", "POST /ajax-api/2.0/mlflow/runs/search", [json], false, 413],
    ["registered-models/delete, declared", "DELETE /api/2.0/mlflow/registered-models/delete", [], false, 413],
    ["a GET with a body, declared", "GET /api/2.0/mlflow/runs/get", [json], false, 413],
    [
      "upload-artifact, declared",
      "POST /ajax-api/2.0/mlflow/upload-artifact?run_uuid=x&path=y",
      [],
      false,
      undefined,
    ],
    ["an address that does not exist, declared", "POST /api/2.0/mlflow/nothing", [json], false, 404],
    ["no JSON, declared", "POST /api/2.0/mlflow/runs/log-batch", ["Content-Type: text/plain"], false, 400],
  ] as const)("%s: the answer comes at once", async (_name, line, headers, chunked, status) => {
    const refusal = await sendUntilRefused(
      [`${line} HTTP/1.1`, ...headers, `Content-Length: ${GIB}`],
      chunked,
    );
    if (status === undefined)
      expect(refusal.status).toSatisfy((given: number) => given >= 400 && given < 500);
    else expect(refusal.status).toBe(status);
    expect(refusal.sentBytes).toBeLessThanOrEqual(16 * MIB);
    expect(refusal.growthMib).toBeLessThan(GROWTH_MIB_MAX);
    console.log(`refused after ${refusal.sentBytes / MIB} MiB, growth ${refusal.growthMib.toFixed(1)} MiB`);
  });

  test.each([
    ["no JSON", "POST /api/2.0/mlflow/runs/log-batch", "Content-Type: text/plain", 400],
    ["an address that does not exist", "POST /api/2.0/mlflow/nothing", json, 404],
    ["a foreign origin", "POST /api/2.0/mlflow/runs/log-batch", "Origin: http://evil.example", 403],
  ])("%s, in chunks: the answer comes at once", async (_name, line, header, status) => {
    const refusal = await sendUntilRefused([`${line} HTTP/1.1`, header, "Transfer-Encoding: chunked"], true);
    expect(refusal.status).toBe(status);
    expect(refusal.sentBytes).toBeLessThanOrEqual(16 * MIB);
    expect(refusal.growthMib).toBeLessThan(GROWTH_MIB_MAX);
  });

  test("an artifact of any length is no such body, and is not kept in memory", async () => {
    const head = [
      "PUT /api/2.0/mlflow-artifacts/artifacts/large.bin HTTP/1.1",
      "Content-Type: application/octet-stream",
      `Content-Length: ${256 * MIB}`,
    ];
    const upload = await sendUntilRefused(head, false, 256 * MIB);
    expect(upload.status).toBe(200);
    console.log(`artifact of 256 MiB: growth ${upload.growthMib.toFixed(1)} MiB`);
    expect(upload.growthMib).toBeLessThan(UPLOAD_GROWTH_MIB_MAX);
  });

  test("of unknown length: the answer comes at the limit", async () => {
    const head = ["POST /api/2.0/mlflow/runs/log-batch HTTP/1.1", json, "Transfer-Encoding: chunked"];
    const refusal = await sendUntilRefused(head, true);
    expect(refusal.status).toBe(413);
    expect(refusal.text).toContain("REQUEST_TOO_LARGE");
    expect(refusal.sentBytes).toBeLessThanOrEqual(LIMIT_BYTES + 32 * MIB);
    expect(refusal.growthMib).toBeLessThan(LIMIT_BYTES / MIB + GROWTH_MIB_MAX);
    console.log(
      `chunked body: refused after ${refusal.sentBytes / MIB} MiB, growth ${refusal.growthMib.toFixed(1)} MiB`,
    );
  });
});
