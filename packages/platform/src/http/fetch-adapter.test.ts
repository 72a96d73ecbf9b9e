import { describe, expect, test } from "vitest";
import { fakeApp } from "./testing.ts";

const artifact = "http://localhost/api/2.0/mlflow-artifacts/artifacts/a";

describe("createFetch", () => {
  test("pulls an answer no faster than it is read, and closes it when the reader leaves", async () => {
    let yielded = 0;
    let closed = false;
    const app = fakeApp({
      downloadArtifact: async () => ({
        headers: { "Content-Type": "application/octet-stream" },
        body: (async function* () {
          try {
            for (;;) {
              yielded += 1;
              yield new Uint8Array(1_024).fill(yielded);
            }
          } finally {
            closed = true;
          }
        })(),
      }),
    });
    const reader = (await app.fetch(new Request(artifact))).body!.getReader();
    expect((await reader.read()).value).toEqual(new Uint8Array(1_024).fill(1));
    expect((await reader.read()).value).toEqual(new Uint8Array(1_024).fill(2));
    expect(yielded).toBeLessThanOrEqual(4);
    await reader.cancel();
    expect(closed).toBe(true);
  });

  test("streams a request body, and passes the signal on", async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    const app = fakeApp({
      writeArtifact: async (_request, raw) => {
        for await (const chunk of raw.body) seen.push(Buffer.from(chunk).toString());
        controller.abort();
        seen.push(raw.signal.aborted, raw.bodyBytes);
        return { headers: {}, body: "" };
      },
    });
    const body = new ReadableStream({
      start(stream) {
        for (const part of ["one", "two"]) stream.enqueue(Buffer.from(part));
        stream.close();
      },
    });
    const init = { method: "PUT", body, signal: controller.signal, duplex: "half" };
    expect((await app.fetch(new Request(artifact, init as RequestInit))).status).toBe(200);
    expect(seen).toEqual(["one", "two", true, undefined]);
  });
});
