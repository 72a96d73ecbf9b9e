import { describe, expect, test } from "vitest";
import { fakeApp, jsonBody } from "./testing.ts";

// What the official client makes of these answers was tried with release 3.17.2; see the reasons in the table.
describe("routes that are not built", () => {
  test.each([
    ["POST", "/api/3.0/mlflow/traces", "This server keeps no traces"],
    ["GET", "/api/3.0/mlflow/traces/tr-1", "This server keeps no traces"],
    ["GET", "/api/2.0/mlflow/traces/tr-1", "This server keeps no traces"],
    ["POST", "/api/3.0/mlflow/traces/tr-1/assessments", "This server keeps no traces"],
    ["GET", "/api/3.0/mlflow/scorers/list", "This server does not evaluate GenAI applications"],
    ["GET", "/ajax-api/3.0/mlflow/workspaces", "This server has no workspaces"],
    ["POST", "/graphql", "This server does not speak GraphQL"],
  ])("%s %s is a 404 that says what is missing", async (method, path, message) => {
    const response = await fakeApp().send(method, path);
    expect([response.status, await response.json()]).toEqual([
      404,
      { error_code: "ENDPOINT_NOT_FOUND", message, sqlstate: "KAM00", error_class: "RESOURCE_NOT_FOUND" },
    ]);
  });

  test("a search for traces finds none", async () => {
    const response = await fakeApp().send(
      "POST",
      "/api/3.0/mlflow/traces/search",
      jsonBody({ locations: [] }),
    );
    expect([response.status, await response.text()]).toEqual([200, "{}"]);
  });

  test("spans are refused in the words that make their exporter stop", async () => {
    const response = await fakeApp().send("POST", "/v1/traces");
    // mlflow/tracing/export/mlflow_v3.py looks for this text; a 501 is not retried.
    expect(response.status).toBe(501);
    expect(await response.text()).toContain("REST OTLP span logging is not supported");
  });
});
