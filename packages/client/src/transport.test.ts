import { type Endpoint, type EndpointName, endpoints } from "@millrace/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MillraceError } from "./error.ts";
import { connectionRefused, connectionReset, fakeServer, instantly, json } from "./testing.ts";
import { createTransport } from "./transport.ts";

const transportTo = (answer: Parameters<typeof fakeServer>[0], options = {}) => {
  const { fetch, seen } = fakeServer(answer);
  return { transport: createTransport({ fetch, ...options }, instantly), seen };
};

describe("requests", () => {
  test("a GET carries its fields in the query, lists as repeated keys", async () => {
    const { transport, seen } = transportTo(() => json({}));
    await transport.call("searchModelVersions", { filter: "name='a b'", orderBy: ["name ASC", "version"] });
    expect(seen[0]!.url.pathname).toBe("/api/2.0/mlflow/model-versions/search");
    expect(seen[0]!.url.search).toBe("?filter=name%3D%27a+b%27&order_by=name+ASC&order_by=version");
    expect(seen[0]!.headers.get("content-type")).toBeNull();
  });

  test("a DELETE carries JSON", async () => {
    const { transport, seen } = transportTo(() => json({}));
    await transport.call("deleteAlias", { name: "wine", alias: "champion" });
    expect(seen[0]).toMatchObject({ method: "DELETE", body: '{"name":"wine","alias":"champion"}' });
    expect(seen[0]!.headers.get("content-type")).toBe("application/json");
  });

  test("a path parameter is escaped, and is in the body too", async () => {
    const { transport, seen } = transportTo(() => json({}));
    await transport.call("logLoggedModelParams", { modelId: "m-1/ü", params: [{ key: "a", value: "1" }] });
    expect(seen[0]!.url.pathname).toBe("/api/2.0/mlflow/logged-models/m-1%2F%C3%BC/params");
    expect(JSON.parse(seen[0]!.body)).toEqual({ model_id: "m-1/ü", params: [{ key: "a", value: "1" }] });
  });

  test.each(["../secret", "a/./b", "..", ""])("the path %j is refused before it is sent", async (path) => {
    const { transport, seen } = transportTo(() => json({}));
    const call = async (): Promise<unknown> => transport.open("downloadArtifact", { artifactPath: path });
    await expect(call()).rejects.toMatchObject({ code: "INVALID_PARAMETER_VALUE" });
    expect(seen).toEqual([]);
  });

  test("a path below which the server serves is kept", async () => {
    const { transport, seen } = transportTo(() => json({}), { baseUrl: "https://ml.example/track/" });
    await transport.call("getServerInfo", {});
    expect(seen[0]!.url.href).toBe("https://ml.example/track/api/3.0/mlflow/server-info");
  });

  // The encodings of RFC 7617, section 2.1, and RFC 6750, section 2.1.
  test.each([
    [{ username: "Aladdin", password: "open sesame" }, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
    [{ username: "test", password: "123£" }, "Basic dGVzdDoxMjPCow=="],
    [{ baseUrl: "http://Aladdin:open%20sesame@host" }, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
    [{ token: "mF_9.B5f-4.1JqM", username: "u" }, "Bearer mF_9.B5f-4.1JqM"],
  ])("credentials %j", async (options, authorization) => {
    const { transport, seen } = transportTo(() => json({}), options);
    await transport.call("getServerInfo", {});
    expect(seen[0]!.headers.get("authorization")).toBe(authorization);
    expect(seen[0]!.url.username).toBe("");
  });

  test("credentials go to no other origin", async () => {
    const { transport, seen } = transportTo(() => new Response(""), {
      token: "secret",
      baseUrl: "http://own",
    });
    for (const url of ["http://bucket.example/part", "http://own/part"]) {
      using _ = await transport.openUrl("PUT", url, { body: () => "x" });
    }
    expect(seen.map(({ headers }) => headers.get("authorization"))).toEqual([null, "Bearer secret"]);
  });
});

describe("answers", () => {
  test("NaN, infinities and integers beyond 2^53 come back exactly", async () => {
    const text =
      '{"metrics":[{"key":"a","value":"NaN","timestamp":1,"step":9223372036854775807},{"key":"b","value":-Infinity}]}';
    const { transport } = transportTo(() => new Response(text));
    const { metrics } = await transport.call("getMetricHistory", { runId: "r", metricKey: "a" });
    expect(metrics).toEqual([
      { key: "a", value: Number.NaN, timestamp: 1, step: 9_223_372_036_854_775_807n },
      { key: "b", value: Number.NEGATIVE_INFINITY },
    ]);
  });

  test("an error has code, status, message and request id", async () => {
    const { transport } = transportTo(() =>
      json(
        { error_code: "RESOURCE_DOES_NOT_EXIST", message: "Run 'x' not found" },
        { status: 404, headers: { "x-request-id": "q7" } },
      ),
    );
    await expect(transport.call("getRun", { runId: "x" })).rejects.toMatchObject({
      code: "RESOURCE_DOES_NOT_EXIST",
      status: 404,
      message: "Run 'x' not found",
      requestId: "q7",
      endpoint: "getRun",
    });
  });

  test.each([
    [404, "<h1>Not Found</h1>", "ENDPOINT_NOT_FOUND"],
    [404, '{"detail":"Not Found"}', "ENDPOINT_NOT_FOUND"],
    [405, "", "METHOD_NOT_ALLOWED"],
    [401, "You are not authenticated.", "UNAUTHENTICATED"],
    [403, "Invalid Host header", "PERMISSION_DENIED"],
    [400, "<p>bad</p>", "BAD_REQUEST"],
    [501, "", "NOT_IMPLEMENTED"],
    [
      503,
      "Endpoint disabled due to the mlflow server running in --artifacts-only mode.",
      "TEMPORARILY_UNAVAILABLE",
    ],
    [400, '{"error_code":"SOMETHING_NEW","message":"m"}', "BAD_REQUEST"],
  ])("status %i with %j is %s", async (status, text, code) => {
    const { transport } = transportTo(() => new Response(text, { status }), { retries: 0 });
    await expect(transport.call("getRun", { runId: "x" })).rejects.toMatchObject({ code, status });
  });

  test("a web page with status 200 is an error that names the address", async () => {
    const { transport } = transportTo(() => new Response("<!doctype html>"), {
      baseUrl: "http://wrong.example",
    });
    await expect(transport.call("searchRuns", {})).rejects.toThrow(/http:\/\/wrong\.example.*base URL/);
  });

  test("silence ends in DEADLINE_EXCEEDED, the caller's abort in its own reason", async () => {
    const silent = (request: Request): Promise<Response> =>
      new Promise((_resolve, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason as Error));
      });
    const transport = createTransport({ fetch: silent, timeoutMs: 5, retries: 0 }, instantly);
    await expect(transport.call("searchRuns", {})).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      status: 0,
    });
    const reason = new Error("enough");
    const call = transport.call("searchRuns", {}, { signal: AbortSignal.abort(reason), timeoutMs: 0 });
    await expect(call).rejects.toBe(reason);
  });
});

/** What an attempt may meet. `processed` says whether the server did the work before. */
const fates = {
  refused: {
    processed: false,
    answer: () => {
      throw connectionRefused();
    },
  },
  busy: {
    processed: false,
    answer: () => new Response("", { status: 429, headers: { "retry-after": "1" } }),
  },
  draining: {
    processed: false,
    answer: () => new Response("", { status: 503, headers: { "retry-after": "0" } }),
  },
  lost: {
    processed: true,
    answer: () => {
      throw connectionReset();
    },
  },
  failed: { processed: true, answer: () => new Response("", { status: 500 }) },
  gateway: { processed: true, answer: () => new Response("<html>", { status: 502 }) },
  unavailable: { processed: true, answer: () => new Response("", { status: 503 }) },
  cutShort: {
    processed: true,
    answer: () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.error(connectionReset()),
        }),
      ),
  },
  stored: { processed: true, answer: () => json({}) },
} satisfies Record<string, { processed: boolean; answer: () => Response }>;

const isWrite = (name: EndpointName): boolean => !endpoints[name].methods.includes("GET" as never);
const names = Object.keys(endpoints) as EndpointName[];

/** Any request of an endpoint: fields that are in its path are there. */
function requestOf(endpoint: Endpoint): object {
  return Object.fromEntries(
    endpoint.request.entries
      .filter(({ field }) => field.required)
      .map(({ key, field }) => [key, field.isList ? [] : "1"]),
  );
}

describe("retries", () => {
  test("a write that is not idempotent reaches the server's work at most once", async () => {
    const writes = names.filter((name) => isWrite(name) && !endpoints[name].idempotent);
    expect(writes).toContain("createRun");
    const fate = fc.constantFrom(...(Object.keys(fates) as (keyof typeof fates)[]));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...writes),
        fc.array(fate, { minLength: 7, maxLength: 7 }),
        async (name, met) => {
          let processed = 0;
          const { transport, seen } = transportTo((_seen, count) => {
            const { processed: done, answer } = fates[met[count - 1]!];
            if (done) processed++;
            return answer();
          });
          await transport.call(name, requestOf(endpoints[name]) as never).catch(() => undefined);
          expect(processed).toBeLessThanOrEqual(1);
          // And it does go on while nothing was processed: six attempts, unless one was.
          const firstDone = met.findIndex((one) => fates[one].processed);
          expect(seen.length).toBe(firstDone === -1 ? 6 : Math.min(6, firstDone + 1));
        },
      ),
    );
  });

  test("an idempotent call goes on until it succeeds", async () => {
    const fate = fc.constantFrom(
      ...(Object.keys(fates) as (keyof typeof fates)[]).filter(
        (name) => name !== "stored" && name !== "cutShort",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 5 }), async (met) => {
        const { transport, seen } = transportTo((_seen, count) =>
          count <= met.length ? fates[met[count - 1]!].answer() : json({}),
        );
        await transport.call("logBatch", { runId: "r" });
        expect(seen.length).toBe(met.length + 1);
        expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
      }),
    );
  });

  test.each([400, 401, 403, 404, 409, 413, 501])("status %i is final, also for a read", async (status) => {
    const { transport, seen } = transportTo(() => new Response("", { status }));
    await expect(transport.call("getRun", { runId: "x" })).rejects.toBeInstanceOf(MillraceError);
    expect(seen.length).toBe(1);
  });

  test("an answer that breaks off while it is read is asked for again", async () => {
    const { transport, seen } = transportTo((_seen, count) =>
      count === 1 ? fates.cutShort.answer() : json({ run: { info: { run_id: "r" } } }),
    );
    await expect(transport.call("getRun", { runId: "r" })).resolves.toMatchObject({
      run: { info: { runId: "r" } },
    });
    expect(seen.length).toBe(2);
  });

  test("the waits grow, and are never shorter than the server asks", async () => {
    const waitsMs: number[] = [];
    const { fetch } = fakeServer((_seen, count) =>
      count === 3
        ? new Response("", { status: 429, headers: { "retry-after": "7" } })
        : new Response("", { status: 500 }),
    );
    const pause = async (delayMs: number): Promise<void> => {
      waitsMs.push(delayMs);
    };
    const transport = createTransport({ fetch }, { pause, random: () => 0 });
    await expect(transport.call("searchRuns", {})).rejects.toMatchObject({ status: 500, attempts: 6 });
    expect(waitsMs).toEqual([200, 400, 7_000, 1_600, 3_200]);
  });

  test("a server that asks for an hour is not waited for", async () => {
    const { transport, seen } = transportTo(
      () => new Response("", { status: 503, headers: { "retry-after": "3600" } }),
    );
    await expect(transport.call("searchRuns", {})).rejects.toMatchObject({ status: 503 });
    expect(seen.length).toBe(1);
  });
});
