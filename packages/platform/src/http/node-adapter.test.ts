import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { type HttpServer, listen } from "./node-adapter.ts";
import { asJson, type FakeApp, fakeApp, type FakeUseCase } from "./testing.ts";

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close({ graceMs: 0 });
});

async function start(
  useCases: Record<string, FakeUseCase> = {},
  idleTimeoutMs = 10_000,
  env = {},
): Promise<HttpServer & { app: FakeApp }> {
  const app = fakeApp(useCases, {}, env);
  const server = await listen(app.handle, { host: "127.0.0.1", port: 0, connectionsMax: 500, idleTimeoutMs });
  open.push(server);
  return { ...server, app };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Sends text as it is and returns all that comes until the server closes or `until` has come. */
async function exchange(port: number, text: string, until?: string): Promise<string> {
  const socket = await dial(port);
  socket.write(text);
  let received = "";
  for await (const chunk of socket) {
    received += String(chunk);
    if (until !== undefined && received.includes(until)) break;
  }
  socket.destroy();
  return received;
}

const metric = JSON.stringify({ run_id: "r", key: "k", value: 1, timestamp: 1 });
const logMetric = "/api/2.0/mlflow/runs/log-metric";
const artifact = "/api/2.0/mlflow-artifacts/artifacts/a";

function post(path: string, body: string, more = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}

const tick = async (done: () => boolean): Promise<void> => {
  while (!done()) await sleep(2);
};

describe("listen", () => {
  test("answers over a socket, byte for byte", async () => {
    const { port } = await start();
    const got = await exchange(port, post(logMetric, metric, "X-Request-Id: one\r\nConnection: close\r\n"));
    expect(got.replace(/Date: .*\r\n/, "")).toBe(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Request-Id: one\r\n" +
        "X-Content-Type-Options: nosniff\r\nX-Frame-Options: SAMEORIGIN\r\nVary: Origin\r\nConnection: close\r\n\r\n{}",
    );
  });

  test("answers pipelined requests in order", async () => {
    const { port } = await start();
    const got = await exchange(
      port,
      [1, 2, 3].map((id) => post(logMetric, metric, `X-Request-Id: n${id}\r\n`)).join("") +
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: n4\r\n\r\n",
    );
    expect([...got.matchAll(/X-Request-Id: (n\d)/g)].map((match) => match[1])).toEqual([
      "n1",
      "n2",
      "n3",
      "n4",
    ]);
  });

  test.each([
    ["no HTTP at all", "hello\r\n\r\n", "400"],
    ["a broken length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "400"],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400",
    ],
    [
      "broken chunks",
      `POST ${logMetric} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      "400",
    ],
    ["endless headers", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(200_000)}\r\n\r\n`, "431"],
    ["CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n", "405"],
    ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "403"],
    [
      "an upgrade that nobody offers",
      "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
      "200",
    ],
    [
      "a whole address",
      "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      "200",
    ],
  ])("survives %s", async (_name, text, status) => {
    const { port } = await start();
    expect(await exchange(port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(await exchange(port, "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")).toContain("\r\n\r\nOK");
  });

  test("refuses a body by its declared length before a byte of it came", async () => {
    const { port, app } = await start({}, 10_000, { MILLRACE_REQUEST_BODY_BYTES_MAX: "5000" });
    const head = `POST ${logMetric} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n`;
    expect(await exchange(port, head, "REQUEST_TOO_LARGE")).toMatch(
      /^HTTP\/1.1 413 [\s\S]*Connection: close/,
    );
    expect(app.calls).toEqual([]);
  });

  test("lets a client that sends its whole body first read the refusal", async () => {
    const { port } = await start({}, 10_000, { MILLRACE_REQUEST_BODY_BYTES_MAX: "5000" });
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        { port, host: "127.0.0.1", method: "POST", path: logMetric, headers: asJson },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      sent.on("error", reject);
      // Far more than the kernel's buffers hold, in chunks whose number the server cannot know before.
      for (let count = 0; count < 40; count++) sent.write(Buffer.alloc(256 * 1024, "x"));
      sent.end();
    });
    expect(status).toBe(413);
  });

  test("does not ask for a body that it refuses, and asks for one that it takes", async () => {
    const { port } = await start({}, 10_000, { MILLRACE_REQUEST_BODY_BYTES_MAX: "5000" });
    const head = (bytes: number): string =>
      `POST ${logMetric} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${bytes}\r\n\r\n`;
    expect(await exchange(port, head(9_000), "REQUEST_TOO_LARGE")).not.toContain("100 Continue");
    const socket = await dial(port);
    socket.write(head(metric.length));
    expect(String((await once(socket, "data"))[0])).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(metric);
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200 OK/);
    socket.destroy();
  });

  test("an upload that breaks off reaches the use-case as an error, and nobody else", async () => {
    const failures: unknown[] = [];
    const { port } = await start({
      writeArtifact: async (_request, raw) => {
        try {
          for await (const _chunk of raw.body);
        } catch (error) {
          failures.push(error);
          throw error;
        }
        return { headers: {}, body: "" };
      },
    });
    const socket = await dial(port);
    socket.write(`PUT ${artifact} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\npart`);
    await sleep(20);
    socket.destroy();
    await tick(() => failures.length === 1);
    expect(await exchange(port, "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")).toContain("200 OK");
  });

  test("a JSON body that breaks off never reaches a use-case", async () => {
    const { port, app } = await start();
    const socket = await dial(port);
    socket.write(post(logMetric, metric).slice(0, -5));
    await sleep(20);
    socket.destroy();
    await tick(() => app.lines.length === 1);
    expect(app.lines[0]?.facts["status"]).toBe(499);
    expect(app.calls).toEqual([]);
  });

  test("a client that goes away aborts the signal and closes the stream that answers it", async () => {
    let aborted = false;
    let closed = false;
    let yielded = 0;
    const { port } = await start({
      downloadArtifact: async (_request, raw) => {
        raw.signal.addEventListener("abort", () => (aborted = true));
        return {
          headers: {},
          body: (async function* () {
            try {
              for (;;) {
                yielded += 1;
                yield Buffer.alloc(64 * 1024);
              }
            } finally {
              closed = true;
            }
          })(),
        };
      },
    });
    const socket = await dial(port);
    socket.write(`GET ${artifact} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await once(socket, "data");
    socket.pause();
    await sleep(100);
    // Nobody reads, so the server stops pulling: what was pulled sits in the kernel's buffers.
    const before = yielded;
    await sleep(50);
    expect(yielded).toBe(before);
    expect(yielded).toBeLessThan(400);
    socket.destroy();
    await tick(() => closed && aborted);
  });

  test("64 clients that stop in the middle keep nobody waiting", async () => {
    const { port } = await start({
      downloadArtifact: async () => ({
        headers: {},
        body: (async function* () {
          for (let count = 0; count < 1_000; count++) yield Buffer.alloc(64 * 1024);
        })(),
      }),
    });
    const stuck = [
      `POST ${logMetric} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`,
      `PUT ${artifact} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\nx`,
      `GET ${artifact} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      "GET /health HTTP/1.1\r\nHost: loc",
    ];
    const sockets = await Promise.all(
      Array.from({ length: 64 }, async (_unused, index) => {
        const socket = await dial(port);
        socket.pause();
        socket.write(stuck[index % stuck.length]!);
        return socket;
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const ask = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request(
          { port, host: "127.0.0.1", method: "POST", path: logMetric, headers: asJson, agent },
          (answer) => {
            answer.resume();
            answer.once("end", () => resolve(answer.statusCode));
          },
        );
        sent.on("error", reject);
        sent.end(metric);
      });
    const statuses = await Promise.all(Array.from({ length: 200 }, ask));
    expect(new Set(statuses)).toEqual(new Set([200]));
    agent.destroy();
    for (const socket of sockets) socket.destroy();
  });

  test("a slow upload that lives is not cut; one that stopped is", async () => {
    let bytes = 0;
    let failed = false;
    const { port } = await start(
      {
        writeArtifact: async (_request, raw) => {
          try {
            for await (const chunk of raw.body) bytes += chunk.length;
          } catch (error) {
            failed = true;
            throw error;
          }
          return { headers: {}, body: "" };
        },
      },
      1_000,
    );
    const socket = await dial(port);
    socket.write(`PUT ${artifact} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n`);
    const answer = once(socket, "data");
    // Longer in all than the idle time-out, but never silent for so long.
    for (let count = 0; count < 8; count++) {
      await sleep(150);
      socket.write("x");
    }
    expect(String((await answer)[0])).toMatch(/^HTTP\/1.1 200/);
    expect([bytes, failed]).toEqual([8, false]);
    socket.write(`PUT ${artifact} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nx`);
    await once(socket, "close");
    await tick(() => failed);
  });

  test("a header that HTTP cannot carry becomes a 500, not a dead process", async () => {
    const { port } = await start({
      downloadArtifact: async () => ({ headers: { "Content-Disposition": "a\nb" }, body: "x" }),
    });
    expect(await exchange(port, `GET ${artifact} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 500 /,
    );
  });
});

describe("close", () => {
  test("lets running requests finish, takes no new ones, and frees idle connections", async () => {
    const gate = Promise.withResolvers<void>();
    const server = await start({ getRun: () => gate.promise.then(() => ({})) });
    const idle = await dial(server.port);
    idle.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(idle, "data");
    const running = exchange(
      server.port,
      "GET /api/2.0/mlflow/runs/get?run_id=r HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    await tick(() => server.app.calls.length === 1);
    const closed = server.close({ graceMs: 10_000 });
    await once(idle, "close");
    const refused = connect(server.port, "127.0.0.1");
    expect(((await once(refused, "error"))[0] as NodeJS.ErrnoException).code).toBe("ECONNREFUSED");
    gate.resolve();
    expect(await running).toMatch(/^HTTP\/1.1 200 OK[\s\S]*Connection: close/);
    await closed;
    open.length = 0;
  });

  test("cuts what outlives the grace", async () => {
    const server = await start({ getRun: () => new Promise(() => undefined) });
    const running = exchange(
      server.port,
      "GET /api/2.0/mlflow/runs/get?run_id=r HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    await tick(() => server.app.calls.length === 1);
    await server.close({ graceMs: 20 });
    await expect(running.catch(() => "")).resolves.toBe("");
    open.length = 0;
  });
});
