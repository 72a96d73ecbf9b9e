import { endpoints } from "@millrace/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "node:http";
import { deflateSync, gzipSync } from "node:zlib";
import { type HttpServer, listen } from "./node-adapter.ts";
import { fakeApp } from "./testing.ts";

/** More of them: set MILLRACE_FUZZ_RUNS. */
const RUNS = Number(process.env["MILLRACE_FUZZ_RUNS"] ?? 1_500);

/** JSON, nearly JSON, and bytes. */
const bodies = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc
    .dictionary(
      fc.constantFrom(
        "run_id",
        "runId",
        "key",
        "value",
        "metrics",
        "tags",
        "timestamp",
        "max_results",
        "__proto__",
      ),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("NaN", 1e308, -1, 2 ** 63, "\u0000", "\ud800")),
      { maxKeys: 5 },
    )
    .map((value) => Buffer.from(JSON.stringify(value))),
  fc
    .constantFrom("NaN", '{"value":NaN}', "[".repeat(5_000), '"{}"', "null", "\ufeff{}", '{"a":1}garbage')
    .map((text) => Buffer.from(text)),
);

const segments = fc.constantFrom(
  "..",
  ".",
  "%2e%2e",
  "%00",
  "%",
  "%zz",
  "//",
  "a",
  "中",
  "%ff",
  "get",
  "{model_id}",
  "?",
  "#",
  ";",
  "\\",
);
const knownPaths = Object.values(endpoints).flatMap(({ path, family }) =>
  (family === "both" ? ["/api", "/ajax-api"] : family === "ajax" ? ["/ajax-api"] : [""]).map(
    (prefix) => prefix + path,
  ),
);
const paths = fc.oneof(
  fc.constantFrom(...knownPaths),
  fc
    .tuple(fc.constantFrom(...knownPaths), fc.array(segments, { maxLength: 3 }))
    .map(([path, more]) => path + more.join("/")),
  fc.tuple(fc.constantFrom(...knownPaths), fc.nat(200)).map(([path, at]) => path.slice(0, at)),
  fc.array(segments, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`),
);
const queries = fc.oneof(
  fc.constant(""),
  fc
    .array(
      fc.tuple(
        fc.constantFrom("run_id", "max_results", "order_by", "path", "%", "x"),
        fc.constantFrom("", "1", "-1", "%00", "%ff", "a=b", "true"),
      ),
      { maxLength: 4 },
    )
    .map((pairs) => `?${pairs.map((pair) => pair.join("=")).join("&")}`),
);
const headers = fc.dictionary(
  fc.constantFrom(
    "content-type",
    "content-encoding",
    "origin",
    "x-request-id",
    "x-mlflow-workspace",
    "authorization",
    "accept",
    "range",
    "expect",
    "cookie",
    "access-control-request-method",
  ),
  fc.constantFrom(
    "",
    "application/json",
    "application/json;charset=latin-1",
    "gzip",
    "deflate",
    "br",
    "null",
    "http://localhost:1",
    "http://evil.com",
    "bytes=0-",
    "bytes=9-1",
    "100-continue",
    "POST",
    "Basic !!",
    "Bearer x",
    "x".repeat(500),
  ),
  { maxKeys: 5 },
);
const methods = fc.constantFrom(
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
);

const requests = fc.record({
  method: methods,
  path: paths,
  query: queries,
  headers,
  body: fc.oneof(
    bodies,
    bodies.map((body) => gzipSync(body)),
    bodies.map((body) => deflateSync(body)),
  ),
  jsonType: fc.boolean(),
});

describe("whatever is sent", () => {
  const app = fakeApp();
  let server: HttpServer;
  beforeAll(async () => {
    server = await listen(app.handle, {
      host: "127.0.0.1",
      port: 0,
      connectionsMax: 100,
      idleTimeoutMs: 5_000,
    });
  });
  afterAll(() => server.close({ graceMs: 0 }));

  test("the handler answers, and never with a 5xx of its own", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, query, headers: fields, body, jsonType }) => {
        const answer = await app.handle({
          method,
          url: path + query,
          headers: {
            host: "localhost",
            "content-length": String(body.length),
            ...(jsonType ? { "content-type": "application/json" } : {}),
            ...fields,
          },
          body,
          signal: new AbortController().signal,
        });
        expect(answer.status).toBeGreaterThanOrEqual(200);
        // 501 is the answer to spans, in words that their exporter understands.
        if (answer.status !== 501) expect(answer.status).toBeLessThan(500);
        expect(answer.headers.length % 2).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  test("the server answers over a socket", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, query, headers: fields, body, jsonType }) => {
        const expectless = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== "expect"));
        const status = await new Promise<number>((resolve, reject) => {
          const sent = request(
            {
              host: "127.0.0.1",
              port: server.port,
              method,
              path: encodeURI(path.startsWith("/") ? path + query : `/${path}${query}`),
              headers: {
                ...expectless,
                "content-length": body.length,
                ...(jsonType ? { "content-type": "application/json" } : {}),
              },
              agent: false,
            },
            (answer) => {
              answer.resume();
              answer.once("end", () => resolve(answer.statusCode ?? 0));
            },
          );
          sent.once("error", reject);
          sent.end(body);
        });
        if (status !== 501) expect(status).toBeLessThan(500);
        expect(status).toBeGreaterThanOrEqual(200);
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});
