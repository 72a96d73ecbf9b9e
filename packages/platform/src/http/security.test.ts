import { describe, expect, test } from "vitest";
import { fakeApp } from "./testing.ts";
import type { HttpRequest } from "./exchange.ts";

const search = "/api/2.0/mlflow/experiments/search";

async function status(
  headers: Record<string, string>,
  { method = "POST", url = search, flags = {}, env = {} } = {},
): Promise<number> {
  const request: HttpRequest = {
    method,
    url,
    headers: { host: "localhost:5000", "content-type": "application/json", ...headers },
    body: Buffer.from('{"max_results":1}'),
    signal: new AbortController().signal,
  };
  return (
    await fakeApp({}, flags, env).handle({
      ...request,
      headers: { "content-length": "17", ...request.headers },
    })
  ).status;
}

// Answers of MLflow 3.17.2's server to the same headers.
describe("the Host header", () => {
  test.each([
    ["localhost", 200],
    ["localhost:5000", 200],
    ["127.0.0.1:7390", 200],
    ["[::1]:5000", 200],
    ["0.0.0.0:80", 200],
    ["192.168.0.1:5000", 200],
    ["10.1.2.3", 200],
    ["172.16.0.1:5000", 200],
    ["172.31.255.255", 200],
    ["172.32.0.1", 403],
    ["100.64.0.1:5000", 403],
    ["[fd00::1]:5000", 403],
    ["evil.com", 403],
    ["localhost.evil.com", 403],
    ["", 403],
  ])("%s → %i", async (host, expected) => {
    expect(await status({ host })).toBe(expected);
  });

  test.each(["/health", "/version"])("does not matter for %s", async (url) => {
    expect(await status({ host: "evil.com" }, { method: "GET", url })).toBe(200);
  });

  test("can be chosen, with wildcards", async () => {
    const flags = { allowedHosts: "mlflow.example.com, *.internal:5000" };
    expect(await status({ host: "mlflow.example.com" }, { flags })).toBe(200);
    expect(await status({ host: "a.b.internal:5000" }, { flags })).toBe(200);
    expect(await status({ host: "localhost:5000" }, { flags })).toBe(403);
    expect(await status({ host: "internal:5000" }, { flags })).toBe(403);
    expect(await status({ host: "evil.com" }, { flags: { allowedHosts: "*" } })).toBe(200);
    expect(await status({ host: "evil.com" }, { flags: { disableSecurityMiddleware: true } })).toBe(200);
  });
});

describe("the Origin header", () => {
  test.each([
    ["http://localhost:3000", 200],
    ["https://localhost", 200],
    ["http://127.0.0.1:7390", 200],
    ["http://[::1]:3000", 200],
    ["http://evil.com", 403],
    ["http://localhost.evil.com", 403],
    ["http://localhost@evil.com", 403],
    ["http://192.168.1.5:3000", 403],
    ["null", 403],
  ])("%s → %i", async (origin, expected) => {
    expect(await status({ origin })).toBe(expected);
  });

  test("of the server's own pages is fine, unless any Host is", async () => {
    const headers = { host: "192.168.0.1:5000", origin: "http://192.168.0.1:5000" };
    expect(await status(headers)).toBe(200);
    expect(await status(headers, { flags: { allowedHosts: "*" } })).toBe(403);
  });

  test("of a foreign page may read but not change", async () => {
    const get = { method: "GET", url: `${search}?max_results=1` };
    expect(await status({ origin: "http://evil.com" }, get)).toBe(200);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expect(await status({ origin: "http://evil.com" }, { method })).toBe(403);
    }
  });

  test("can be chosen, with wildcards", async () => {
    const flags = { corsAllowedOrigins: "https://*.example.com,http://one.org" };
    expect(await status({ origin: "https://a.example.com" }, { flags })).toBe(200);
    expect(await status({ origin: "http://one.org" }, { flags })).toBe(200);
    expect(await status({ origin: "http://two.org" }, { flags })).toBe(403);
    expect(await status({ origin: "http://evil.com" }, { flags: { corsAllowedOrigins: "*" } })).toBe(200);
  });

  test("decides a preflight", async () => {
    const app = fakeApp();
    const ask = (origin: string) =>
      app.handle({
        method: "OPTIONS",
        url: search,
        headers: {
          host: "localhost",
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
        body: undefined,
        signal: new AbortController().signal,
      });
    const good = await ask("http://localhost:3000");
    expect([good.status, good.body]).toEqual([200, "OK"]);
    expect(good.headers).toEqual(
      expect.arrayContaining([
        "Access-Control-Allow-Origin",
        "http://localhost:3000",
        "Access-Control-Allow-Headers",
        "content-type",
      ]),
    );
    const bad = await ask("http://evil.com");
    expect([bad.status, bad.body]).toEqual([400, "Disallowed CORS origin"]);
    expect(bad.headers).not.toContain("Access-Control-Allow-Origin");
  });
});

describe("the token", () => {
  const env = { MILLRACE_TOKEN: "s3cret:ü" };
  const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

  test.each([
    [undefined, 401],
    ["", 401],
    ["Bearer", 401],
    ["Bearer wrong", 401],
    [basic("user:wrong"), 401],
    [basic("s3cret:ü"), 401],
    [basic("user:s3cret:ü"), 200],
    [basic(":s3cret:ü"), 200],
  ])("%s → %i", async (authorization, expected) => {
    expect(await status(authorization === undefined ? {} : { authorization }, { env })).toBe(expected);
  });

  test("travels as Bearer token too", async () => {
    const plain = { env: { MILLRACE_TOKEN: "abc-123" } };
    expect(await status({ authorization: "Bearer abc-123" }, plain)).toBe(200);
    expect(await status({ authorization: "bearer abc-123" }, plain)).toBe(200);
    expect(await status({ authorization: "Bearer abc-1234" }, plain)).toBe(401);
  });

  test("is not asked for where the address itself is signed: clients send parts of an upload without it", async () => {
    const part = { env, method: "PUT", url: "/api/1.0/millrace/artifact-parts/u1/1?path=a&signature=x" };
    expect(await status({}, part)).not.toBe(401);
    expect(await status({}, { ...part, url: "/api/2.0/mlflow-artifacts/artifacts/a" })).toBe(401);
  });

  test("is not asked for on /health, and nowhere else spared", async () => {
    expect(await status({}, { env, method: "GET", url: "/health" })).toBe(200);
    for (const url of [
      "/",
      "/version",
      "/metrics",
      "/nothing",
      "/health/../version",
      "/health?x=1/version",
    ]) {
      const expected = url.startsWith("/health?") ? 200 : 401;
      expect(await status({}, { env, method: "GET", url }), url).toBe(expected);
    }
  });

  test("is asked for with a challenge that browsers and clients understand", async () => {
    const response = await fakeApp({}, {}, env).send("GET", "/version");
    expect(response.headers.get("WWW-Authenticate")).toBe('Basic realm="mlflow"');
    expect(await response.json()).toMatchObject({ error_code: "UNAUTHENTICATED" });
  });
});
