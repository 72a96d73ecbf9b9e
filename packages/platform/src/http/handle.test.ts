import { PlatformError } from "@millrace/contract";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { asJson, fakeApp, jsonBody } from "./testing.ts";

const metric = { run_id: "r", key: "k", value: 1, timestamp: 1 };
const logMetric = "/api/2.0/mlflow/runs/log-metric";
const textType = { "Content-Type": "text/plain" };

describe("requests", () => {
  test("reach the use-case decoded, under both prefixes", async () => {
    const app = fakeApp();
    for (const prefix of ["/api", "/ajax-api"]) {
      const response = await app.send("POST", `${prefix}/2.0/mlflow/runs/log-metric`, jsonBody(metric));
      expect([response.status, await response.text()]).toEqual([200, "{}"]);
      expect(response.headers.get("Content-Type")).toBe("application/json");
    }
    const call = { name: "logMetric", request: { runId: "r", key: "k", value: 1, timestamp: 1 } };
    expect(app.calls).toEqual([call, call]);
  });

  // The messages are those of MLflow 3.17.2.
  test.each([
    ["POST", logMetric, {}, "Content-Type header is missing"],
    ["POST", logMetric, textType, "Content-Type must be one of ['application/json']"],
    ["POST", logMetric, { "Content-Type": "multipart/form-data" }, "Content-Type must be one of"],
  ])("%s %s with %j is refused", async (method, path, headers, message) => {
    const app = fakeApp();
    const response = await app.send(method, path, { headers, body: Buffer.from(JSON.stringify(metric)) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error_code: "INVALID_PARAMETER_VALUE",
      message: expect.stringContaining(message),
      sqlstate: "KAM00",
      error_class: "INVALID_PARAMETER_VALUE",
    });
    expect(app.calls).toEqual([]);
  });

  test.each(["application/json; charset=utf-8", "Application/JSON", "application/json;"])(
    "the content type %s is JSON",
    async (type) => {
      const init = { body: JSON.stringify(metric), headers: { "Content-Type": type } };
      expect((await fakeApp().send("POST", logMetric, init)).status).toBe(200);
    },
  );

  test("PATCH and DELETE carry JSON whatever their type says; path parameters join in", async () => {
    const app = fakeApp();
    const body = Buffer.from('{"name":"m","alias":"a"}');
    await app.send("DELETE", "/api/2.0/mlflow/registered-models/alias", { body, headers: textType });
    const status = Buffer.from('{"status":"LOGGED_MODEL_READY"}');
    await app.send("PATCH", "/api/2.0/mlflow/logged-models/m-1", { body: status });
    expect(app.calls).toEqual([
      { name: "deleteAlias", request: { name: "m", alias: "a" } },
      { name: "finalizeLoggedModel", request: { modelId: "m-1", status: "LOGGED_MODEL_READY" } },
    ]);
  });

  test("GET reads the query, repeated keys as lists; without a query it reads a JSON body", async () => {
    const app = fakeApp();
    await app.send("GET", "/api/2.0/mlflow/experiments/search?max_results=5&order_by=name&order_by=x%20DESC");
    await app.handle({
      method: "GET",
      url: "/api/2.0/mlflow/runs/get",
      headers: { host: "localhost", "content-length": "14" },
      body: Buffer.from('{"run_id":"r"}'),
      signal: new AbortController().signal,
    });
    expect(app.calls.map(({ request }) => request)).toEqual([
      { maxResults: 5, orderBy: ["name", "x DESC"] },
      expect.objectContaining({ runId: "r" }),
    ]);
  });

  test("may be compressed", async () => {
    const app = fakeApp();
    const headers = { ...asJson, "Content-Encoding": "gzip" };
    await app.send("POST", logMetric, { body: gzipSync(JSON.stringify(metric)), headers });
    expect(app.calls).toHaveLength(1);
  });

  test("over the limit get a 413 in JSON", async () => {
    const app = fakeApp({}, {}, { MILLRACE_REQUEST_BODY_BYTES_MAX: "2000" });
    const response = await app.send("POST", logMetric, jsonBody({ ...metric, key: "k".repeat(3_000) }));
    expect([response.status, await response.json()]).toEqual([
      413,
      { error_code: "REQUEST_TOO_LARGE", message: expect.stringContaining("2000 bytes") },
    ]);
  });

  test("nested beyond reading are the sender's mistake", async () => {
    const app = fakeApp();
    for (const text of ["[".repeat(200_000), `{"key":${"[".repeat(100_000)}NaN${"]".repeat(100_000)}}`]) {
      expect((await app.send("POST", logMetric, jsonBody(text))).status).toBe(400);
    }
  });

  test("that stream get their bytes untouched, with any content type", async () => {
    const seen: unknown[] = [];
    const app = fakeApp({
      writeArtifact: async (request, raw) => {
        const parts: Uint8Array[] = [];
        for await (const part of raw.body) parts.push(part);
        seen.push(request, Buffer.concat(parts).toString(), raw.headers["content-type"], raw.origin);
        return { headers: {}, body: "" };
      },
    });
    const path = "/api/2.0/mlflow-artifacts/artifacts/a%20b/c.txt";
    const response = await app.send("PUT", path, { body: "\u0000bytes", headers: textType });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(seen).toEqual([{ artifactPath: "a b/c.txt" }, "\u0000bytes", "text/plain", "http://localhost"]);
  });
});

describe("answers", () => {
  test("of unknown addresses and methods are HTML, which clients read as ENDPOINT_NOT_FOUND", async () => {
    const app = fakeApp();
    const unknown = await app.send("GET", "/api/2.0/mlflow/nothing");
    expect([unknown.status, unknown.headers.get("Content-Type")]).toEqual([404, "text/html; charset=utf-8"]);
    const wrong = await app.send("PUT", "/api/2.0/mlflow/runs/get");
    expect([wrong.status, wrong.headers.get("Content-Type")]).toEqual([405, "text/html; charset=utf-8"]);
    expect(wrong.headers.get("Allow")?.split(", ").sort()).toEqual(["GET", "HEAD", "OPTIONS"]);
  });

  test("to OPTIONS name the methods", async () => {
    const response = await fakeApp().send("OPTIONS", "/api/2.0/mlflow/runs/create");
    expect([response.status, response.headers.get("Allow")]).toEqual([204, "POST, OPTIONS"]);
  });

  test("of a use-case's errors carry code, message and class", async () => {
    const app = fakeApp({
      getRun: async () => {
        throw new PlatformError("RESOURCE_DOES_NOT_EXIST", "Run with id=x not found");
      },
      logMetric: async () => {
        throw new PlatformError("RESOURCE_EXHAUSTED", "queue full");
      },
    });
    const missing = await app.send("GET", "/api/2.0/mlflow/runs/get?run_id=x");
    // Byte for byte what MLflow 3.17.2 means.
    expect([missing.status, await missing.json()]).toEqual([
      404,
      {
        error_code: "RESOURCE_DOES_NOT_EXIST",
        message: "Run with id=x not found",
        sqlstate: "KAM00",
        error_class: "RESOURCE_NOT_FOUND",
      },
    ]);
    const busy = await app.send("POST", logMetric, jsonBody(metric));
    expect([busy.status, busy.headers.get("Retry-After")]).toEqual([429, "1"]);
  });

  test("to faults of ours tell nothing but the request id, and the log tells the rest", async () => {
    const app = fakeApp({
      getRun: async () => {
        throw new TypeError("secret internals");
      },
    });
    const response = await app.send("GET", "/api/2.0/mlflow/runs/get?run_id=x", {
      headers: { "X-Request-Id": "trace-7" },
    });
    const body = await response.text();
    expect(response.status).toBe(500);
    expect(body).toContain("trace-7");
    expect(body).not.toContain("secret");
    const error = app.lines.find(({ level }) => level === "error");
    expect(error?.facts).toMatchObject({ requestId: "trace-7", endpoint: "getRun" });
    expect((error?.facts["err"] as Error | undefined)?.stack).toContain("secret internals");
  });

  test("carry the headers that keep browsers careful, once", async () => {
    const app = fakeApp({
      downloadArtifact: async () => ({ headers: { "X-Content-Type-Options": "nosniff" }, body: "x" }),
    });
    for (const path of ["/health", "/nothing", "/api/2.0/mlflow-artifacts/artifacts/x"]) {
      const { headers } = await app.send("GET", path);
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("X-Frame-Options")).toBe("SAMEORIGIN");
    }
  });

  test.each([
    ["abc-1:2/3", true],
    ["x".repeat(200), false],
    ["two words", false],
    ['"quoted"', false],
  ])("repeat the request id %s only when it is sane", async (id, kept) => {
    const { headers } = await fakeApp().send("GET", "/health", { headers: { "X-Request-Id": id } });
    expect(headers.get("X-Request-Id") === id).toBe(kept);
    expect(headers.get("X-Request-Id")).toMatch(/^[\w.:/+=@-]{1,128}$/);
  });

  test("that stream are closed when they break off, and the log says why", async () => {
    let closed = 0;
    const app = fakeApp({
      downloadArtifact: async () => ({
        headers: {},
        body: (async function* () {
          try {
            yield Buffer.from("part");
            throw new Error("disk fell off");
          } finally {
            closed += 1;
          }
        })(),
      }),
    });
    const response = await app.send("GET", "/api/2.0/mlflow-artifacts/artifacts/x");
    await expect(response.text()).rejects.toThrow();
    expect(closed).toBe(1);
    expect(app.lines.map(({ level }) => level)).toEqual(["error", "access"]);
    const head = await app.send("HEAD", "/api/2.0/mlflow-artifacts/artifacts/x");
    expect([head.status, await head.text(), closed]).toEqual([200, "", 2]);
  });
});

describe("the log and the metrics", () => {
  test("have one line and one count per request, without query, headers or body", async () => {
    const app = fakeApp();
    await app.send("GET", "/api/2.0/mlflow/runs/get?run_id=sesame", {
      headers: { Authorization: "Bearer sesame" },
    });
    await app.send("POST", logMetric, jsonBody({ ...metric, key: "sesame" }));
    await app.send("GET", "/nothing?sesame");
    expect(
      app.lines.map(({ level, facts }) => [level, facts["method"], facts["path"], facts["status"]]),
    ).toEqual([
      ["access", "GET", "/api/2.0/mlflow/runs/get", 200],
      ["access", "POST", logMetric, 200],
      ["access", "GET", "/nothing", 404],
    ]);
    expect(JSON.stringify(app.lines)).not.toContain("sesame");

    app.metrics.gauge("millrace_wal_bytes", "Size of the write-ahead log.", () => 4_096);
    const response = await app.send("GET", "/metrics");
    const text = await response.text();
    expect(response.headers.get("Content-Type")).toContain("text/plain");
    const count = "millrace_http_request_duration_seconds_count";
    expect(text).toContain(`${count}{endpoint="logMetric",status="2xx"} 1`);
    expect(text).toContain(`${count}{endpoint="unknown",status="4xx"} 1`);
    expect(text).toContain(
      'millrace_http_request_duration_seconds_bucket{le="+Inf",endpoint="getRun",status="2xx"} 1',
    );
    expect(text).toContain("millrace_wal_bytes 4096");
    expect(text).toContain("process_cpu_seconds_total");
  });
});

describe("settings", () => {
  test("a static prefix is understood with and without", async () => {
    const app = fakeApp({}, { staticPrefix: "/mlflow" });
    for (const path of [
      "/mlflow/health",
      "/health",
      "/mlflow",
      "/mlflow/",
      "/mlflow/api/2.0/mlflow/runs/get?run_id=r",
    ]) {
      expect((await app.send("GET", path)).status, path).toBe(200);
    }
    expect((await app.send("GET", "/mlflowx/health")).status).toBe(404);
  });

  test("--no-serve-artifacts and --artifacts-only switch off their half, as text", async () => {
    const tracking = "/api/2.0/mlflow/runs/get?run_id=r";
    const proxy = "/api/2.0/mlflow-artifacts/artifacts/x";
    const noProxy = fakeApp({}, { serveArtifacts: false });
    const proxyOnly = fakeApp({}, { artifactsOnly: true });
    const off = await noProxy.send("GET", proxy);
    expect([off.status, off.headers.get("Content-Type")]).toEqual([503, "text/html; charset=utf-8"]);
    expect(await off.text()).toContain("--serve-artifacts");
    expect((await noProxy.send("GET", tracking)).status).toBe(200);
    expect((await proxyOnly.send("GET", tracking)).status).toBe(503);
    expect((await proxyOnly.send("GET", proxy)).status).toBe(200);
    expect((await proxyOnly.send("GET", "/health")).status).toBe(200);
  });

  test("a workspace that cannot exist is refused with MLflow's code, but not with a 5xx", async () => {
    const app = fakeApp();
    const ask = (workspace: string) =>
      app.send("GET", "/api/2.0/mlflow/runs/get?run_id=r", { headers: { "X-MLFLOW-WORKSPACE": workspace } });
    const refused = await ask("team-a");
    expect([refused.status, await refused.json()]).toEqual([
      400,
      {
        error_code: "FEATURE_DISABLED",
        message: expect.stringContaining("workspaces are not enabled on this server"),
        sqlstate: "KAM00",
        error_class: "FEATURE_DISABLED",
      },
    ]);
    expect((await ask("default")).status).toBe(200);
  });
});

describe("fixed addresses", () => {
  // Status, type and text of MLflow 3.17.2 where it has the address.
  test.each([
    ["/health", 200, "text/plain; charset=utf-8", "OK"],
    ["/version", 200, "text/html; charset=utf-8", "3.17.2"],
    ["/ajax-api/2.0/mlflow/gateway-proxy", 200, "application/json", '{"endpoints":[]}'],
    ["/api/2.0/mlflow/unified-traces", 404, "text/html; charset=utf-8", ""],
  ])("GET %s", async (path, status, type, text) => {
    const response = await fakeApp().send("GET", path);
    expect([response.status, response.headers.get("Content-Type"), await response.text()]).toEqual([
      status,
      type,
      text,
    ]);
    expect(await (await fakeApp().send("HEAD", path)).text()).toBe("");
  });

  test("the first page shows the address that was asked, escaped", async () => {
    const app = fakeApp({}, { disableSecurityMiddleware: true });
    const page = await app.handle({
      method: "GET",
      url: "/",
      headers: { host: "10.0.0.7:5000<script>" },
      body: undefined,
      signal: new AbortController().signal,
    });
    expect(page.body).toContain("MLFLOW_TRACKING_URI=http://10.0.0.7:5000&#60;script&#62;");
  });
});
