/** Uploads that break off, or send more than they announced: nothing of them is stored, and the server goes on. */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";

const artifacts = "/api/2.0/mlflow-artifacts/artifacts";
const ATTEMPTS = 40;
const AT_ONCE = 4;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

/** Sends a head and bytes, and cuts the connection after a while. */
async function upload(path: string, headers: string, bytes: Buffer, cutAfterMs: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.url).port), noDelay: true });
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(`PUT ${artifacts}/${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`);
  socket.write(bytes);
  await delay(cutAfterMs);
  socket.destroy();
}

const megabyte = Buffer.alloc(1_000_000, "x");
test.each([
  ["announce 4 MB and are cut in the first", "Content-Length: 4000000", megabyte, false],
  ["send twice what they announced", "Content-Length: 554412", megabyte, true],
  [
    "break off within a chunk",
    "Transfer-Encoding: chunked",
    Buffer.concat([Buffer.from("200000\r\n"), megabyte]),
    false,
  ],
  [
    "go on with what is no chunk",
    "Transfer-Encoding: chunked",
    Buffer.concat([Buffer.from("f4240\r\n"), megabyte, megabyte]),
    false,
  ],
] as const)("uploads that %s", async (_name, headers, bytes, mayBeStored) => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        upload(`broken/${attempt + index}`, headers, bytes, (attempt * 3) % 50),
      ),
    );
  }
  expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
  process.kill(server.pid, 0);
  if (!mayBeStored) {
    const list = await fetch(`${server.url}${artifacts}?path=broken`);
    expect(await list.json()).toEqual({});
  }
  await fetch(`${server.url}${artifacts}/broken`, { method: "DELETE" });
});
