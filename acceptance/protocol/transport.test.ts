import { describe, expect, it } from "vitest";
import { ajax, base, call, expectError, ok, send } from "./call.ts";
import { createExperiment, createRegisteredModel, createRun, getExperiment, getRun } from "./entities.ts";

const json = { "content-type": "application/json" };
const search = `${base}experiments/search`;

describe("requests", () => {
  it("need the content type application/json in POST, parameters aside", async () => {
    const body = '{"max_results":1}';
    const posted = (headers: Record<string, string>) => send({ method: "POST", path: search, body, headers });
    expect(await posted(json)).toMatchObject({ status: 200 });
    expect(await posted({ "content-type": "application/json; charset=utf-8" })).toMatchObject({
      status: 200,
    });
    expectError(await posted({}), 400, "INVALID_PARAMETER_VALUE", "Content-Type");
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      expectError(await posted({ "content-type": type }), 400, "INVALID_PARAMETER_VALUE", "Content-Type");
    }
  });

  it("do not need one in PATCH and DELETE", async () => {
    const name = await createRegisteredModel();
    for (const headers of [{}, { "content-type": "text/plain" }] as Record<string, string>[]) {
      const patch = {
        method: "PATCH",
        path: `${base}registered-models/update`,
        body: JSON.stringify({ name }),
        headers,
      };
      expect(await send(patch)).toMatchObject({ status: 200 });
      const body = JSON.stringify({ name, key: "a" });
      const remove = { method: "DELETE", path: `${base}registered-models/delete-tag`, body, headers };
      expect(await send(remove)).toMatchObject({ status: 200, body: {} });
    }
  });

  it("count as empty when the body is nothing, null or no JSON", async () => {
    for (const body of ["", "null", "not json", "{"]) {
      const answer = await send({ method: "POST", path: `${base}experiments/create`, body, headers: json });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'");
    }
  });

  it("may be a JSON text that holds JSON", async () => {
    const experiment_id = await createExperiment();
    const tag = { experiment_id, key: "a", value: "1" };
    const body = JSON.stringify(JSON.stringify(tag));
    expect(await call("POST", "experiments/set-experiment-tag", body)).toMatchObject({ status: 200 });
    expect((await getExperiment(experiment_id)).tags).toEqual([{ key: "a", value: "1" }]);
  });

  it("of GET may carry a body when there is no query", async () => {
    const experiment_id = await createExperiment();
    const body = JSON.stringify({ experiment_id });
    const path = `${base}experiments/get`;
    expect(await send({ method: "GET", path, body, headers: json })).toMatchObject({
      status: 200,
      body: { experiment: { experiment_id } },
    });
    const both = await send({ method: "GET", path: `${path}?x=1`, body, headers: json });
    expectError(both, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'experiment_id'");
  });

  it("of GET repeat a key for a list; one value is a list of one", async () => {
    for (const order of ["order_by=name+ASC", "order_by=name+ASC&order_by=creation_time"]) {
      expect(await send({ method: "GET", path: `${search}?max_results=1&${order}` })).toMatchObject({
        status: 200,
      });
    }
    const word = await call("GET", "experiments/search", { max_results: "x" });
    expectError(word, 400, "INVALID_PARAMETER_VALUE", "max_results");
  });

  it("may spell fields in lowerCamelCase, but no field twice", async () => {
    const experimentId = await createExperiment();
    const { run } = await ok<{ run: { info: object } }>("POST", "runs/create", {
      experimentId,
      runName: "camel",
      startTime: 5,
    });
    expect(run.info).toMatchObject({ experiment_id: experimentId, run_name: "camel", start_time: 5 });
    const twice = await call("POST", "experiments/search", { max_results: 1, maxResults: 1 });
    expectError(twice, 400, "INVALID_PARAMETER_VALUE", "maxResults");
  });

  it("may hold fields that nobody knows, and null for what is not given", async () => {
    const body = { max_results: 1, bogus: { a: [1] }, order_by: null, filter: null, page_token: null };
    expect(await call("POST", "experiments/search", body)).toMatchObject({ status: 200 });
  });

  it("may write an int64 as text and an enum as number; an unknown enum name is ignored", async () => {
    const run = await createRun(undefined, { start_time: "1700000000123" });
    expect(run["start_time"]).toBe(1_700_000_000_123);
    const { run_id } = run;
    expect(await ok("POST", "runs/update", { run_id, status: 3, end_time: "1700000000456" })).toMatchObject({
      run_info: { status: "FINISHED", end_time: 1_700_000_000_456 },
    });
    expect(await ok("POST", "runs/update", { run_id, status: "BOGUS" })).toMatchObject({
      run_info: { status: "FINISHED" },
    });
    const filter = `experiment_id = '${run.experiment_id}'`;
    const active = await ok("POST", "experiments/search", { max_results: 1, filter, view_type: "BOGUS" });
    expect(active).toMatchObject({ experiments: [{ experiment_id: run.experiment_id }] });
    expect(await ok("POST", "experiments/search", { max_results: 1, filter, view_type: 2 })).toEqual({});
  });

  it("may not give a number for a text, nor a text for a list", async () => {
    for (const [path, body, fragment] of [
      ["runs/create", { experiment_id: 5 }, "Invalid value 5 for parameter 'experiment_id' supplied"],
      ["experiments/create", { name: 5 }, "Invalid value 5 for parameter 'name' supplied"],
      [
        "runs/log-parameter",
        { run_id: "r", key: "k", value: 2 },
        "Invalid value 2 for parameter 'value' supplied",
      ],
      ["runs/search", { experiment_ids: "5" }, "Invalid value \"5\" for parameter 'experiment_ids' supplied"],
      [
        "experiments/search",
        { max_results: 1, filter: 5 },
        "Invalid value 5 for parameter 'filter' supplied",
      ],
      [
        "experiments/search",
        { max_results: 1, order_by: "name" },
        "Invalid value \"name\" for parameter 'order_by'",
      ],
    ] as const) {
      expectError(await call("POST", path, body), 400, "INVALID_PARAMETER_VALUE", fragment);
    }
  });

  it("keep Unicode and escapes as they are", async () => {
    const value = 'é 学习 😀 "quoted" \\ \n\t end';
    const { run_id } = await createRun(undefined, { tags: [{ key: "t", value }] });
    expect((await getRun(run_id)).data.tags).toContainEqual({ key: "t", value });
  });
});

describe("routes", () => {
  it("that do not exist are a 404 without JSON", async () => {
    for (const path of [
      "/nope",
      `${base}nope`,
      `${base}server-info`,
      "/api/3.0/mlflow/experiments/get",
      `${base}experiments/get/?experiment_id=0`,
    ]) {
      const answer = await call("GET", path);
      expect({ path, status: answer.status, body: answer.body }).toEqual({
        path,
        status: 404,
        body: undefined,
      });
    }
  });

  it("that are declared and not implemented are an empty 404 in HTML", async () => {
    for (const path of ["unified-traces", "get-online-trace-details"]) {
      const answer = await call("GET", path);
      expect(answer).toMatchObject({ status: 404, text: "" });
      expect(answer.headers["content-type"]).toMatch(/^text\/html/);
    }
  });

  it("answer another method with a 405 without JSON", async () => {
    for (const [method, path] of [
      ["GET", "runs/create"],
      ["DELETE", "experiments/get"],
      ["PUT", "runs/create"],
    ] as const) {
      const answer = await call(method, path);
      expect(answer).toMatchObject({ status: 405 });
      expect(answer.body).toBeUndefined();
    }
  });

  it("tell what the server can do", async () => {
    for (const prefix of ["/api", "/ajax-api"]) {
      expect(await ok("GET", `${prefix}/3.0/mlflow/server-info`)).toMatchObject({
        store_type: "SqlStore",
        workspaces_enabled: false,
      });
    }
  });

  it("answer /health in text and /version in text", async () => {
    const health = await send({ method: "GET", path: "/health" });
    expect(health).toMatchObject({ status: 200, text: "OK" });
    const version = await send({ method: "GET", path: "/version" });
    expect(version.status).toBe(200);
    expect(version.headers["content-type"]).toMatch(/^text\//);
  });
});

describe("Host and Origin", () => {
  const path = `${base}experiments/get?experiment_id=0`;

  it.each(["localhost:5000", "127.0.0.1:99", "[::1]:5000", "192.168.1.5", "10.1.2.3:80", "172.16.0.1"])(
    "the host %s is ours",
    async (host) => {
      expect(await send({ method: "GET", path, headers: { host } })).toMatchObject({ status: 200 });
    },
  );

  it.each(["evil.example", "172.32.0.1", "100.64.0.1", "[fd00::1]:5000", "localhost.evil.example"])(
    "the host %s is not",
    async (host) => {
      const answer = await send({ method: "GET", path, headers: { host } });
      expect(answer.status).toBe(403);
      expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
      expect(answer.text).toContain("Invalid Host header");
    },
  );

  const post = (origin: string, prefix = base) =>
    send({
      method: "POST",
      path: `${prefix}experiments/search`,
      body: '{"max_results":1}',
      headers: { ...json, origin },
    });

  it.each(["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:1"])(
    "a page of %s may change things and read the answer",
    async (origin) => {
      const answer = await post(origin);
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBe(origin);
    },
  );

  it.each(["http://evil.example", "null", "http://192.168.1.5:3000", "http://localhost.evil.example"])(
    "a page of %s may not",
    async (origin) => {
      for (const prefix of [base, ajax]) {
        const answer = await post(origin, prefix);
        expect(answer).toMatchObject({ status: 403, text: "Cross-origin request blocked" });
        expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
      }
      for (const [method, address] of [
        ["PATCH", "logged-models/x"],
        ["DELETE", "registered-models/delete"],
      ] as const) {
        const headers = { ...json, origin };
        expect(await send({ method, path: base + address, body: "{}", headers })).toMatchObject({
          status: 403,
        });
      }
    },
  );

  it("a foreign page may read nothing: GET answers, without the header that lets it", async () => {
    const answer = await send({ method: "GET", path, headers: { origin: "http://evil.example" } });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("answers a preflight of a local page, and refuses that of a foreign one", async () => {
    const preflight = (origin: string) =>
      send({ method: "OPTIONS", path: search, headers: { origin, "access-control-request-method": "POST" } });
    const local = await preflight("http://localhost:3000");
    expect([200, 204]).toContain(local.status);
    expect(local.headers["access-control-allow-origin"]).toBe("http://localhost:3000");
    expect(local.headers["access-control-allow-methods"]).toContain("POST");
    const foreign = await preflight("http://evil.example");
    expect(foreign.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("every answer says that it may not be framed or sniffed", async () => {
    for (const address of [path, "/health", `${base}runs/get?run_id=unknown`, "/nope"]) {
      const { headers } = await send({ method: "GET", path: address });
      expect(headers, address).toMatchObject({
        "x-frame-options": "SAMEORIGIN",
        "x-content-type-options": "nosniff",
      });
    }
  });
});
