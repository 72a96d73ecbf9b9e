/** What `fetch` of this Node does on real sockets, which the rules for retries rest on. */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { createClient } from "./client.ts";
import { createTransport } from "../transport.ts";

const servers: Server[] = [];
async function listen(listener: RequestListener, port = 0): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

async function closedPort(): Promise<number> {
  const port = await listen(() => {});
  const server = servers.pop()!;
  server.close();
  await once(server, "close");
  return port;
}

const newRun = { experimentId: "0" };
const answered = JSON.stringify({ run: { info: { run_id: "r" } } });

test("a write is sent again when nothing listened, and says so when nothing ever does", async () => {
  const port = await closedPort();
  let pauses = 0;
  // The server comes up while the client waits.
  const pause = async (): Promise<void> => {
    if (++pauses === 2) await listen((_request, response) => response.end(answered), port);
  };
  const baseUrl = `http://127.0.0.1:${port}`;
  await expect(createTransport({ baseUrl }, { pause }).call("createRun", newRun)).resolves.toMatchObject({
    run: { info: { runId: "r" } },
  });
  expect(pauses).toBe(2);
  const never = createTransport({ baseUrl: `http://127.0.0.1:${await closedPort()}`, retries: 0 });
  await expect(never.call("createRun", newRun)).rejects.toThrow(/ECONNREFUSED.*Is the server running/);
});

test.each([
  ["before any answer", (_text: string) => ""],
  [
    "within the answer",
    (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text.slice(0, 9)}`,
  ],
])("a write whose connection breaks %s is not sent again; a read is", async (_when, cut) => {
  const seen: string[] = [];
  const port = await listen((request, response) => {
    request.resume().on("end", () => {
      seen.push(request.url!.split("?")[0]!.split("/").at(-1)!);
      if (seen.filter((name) => name === "get").length === 2) response.end(answered);
      else request.socket.end(cut(answered));
    });
  });
  const transport = createTransport({ baseUrl: `http://127.0.0.1:${port}` }, { pause: async () => {} });
  await expect(transport.call("createRun", newRun)).rejects.toMatchObject({ status: 0, attempts: 1 });
  await expect(transport.call("getRun", { runId: "r" })).resolves.toBeDefined();
  expect(seen).toEqual(["create", "get", "get"]);
});

test("a file goes out with its length, in one piece of the wire, and again after a break", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-upload-"));
  const file = path.join(folder, "f.bin");
  const content = Buffer.alloc(700_001, "abcdefg");
  await writeFile(file, content);
  const received: [string | undefined, string | undefined, boolean][] = [];
  const port = await listen(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      if (received.length === 0) {
        received.push([undefined, undefined, false]);
        request.socket.destroy();
        return;
      }
    }
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    received.push([length, encoding, Buffer.concat(chunks).equals(content)]);
    response.end();
  });
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}` });
  const doneBytes: number[] = [];
  await client.artifacts.uploadFile({ uri: "mlflow-artifacts:/1" }, file, "f.bin", {
    onProgress: (progress) => doneBytes.push(progress.doneBytes),
  });
  expect(received[1]).toEqual(["700001", undefined, true]);
  expect(doneBytes.at(-1)).toBe(700_001);
  expect(Math.max(...doneBytes)).toBe(700_001);
  await rm(folder, { recursive: true });
});
