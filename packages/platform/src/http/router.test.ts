import { endpoints } from "@millrace/contract";
import { describe, expect, test } from "vitest";
import table from "./mlflow-3.17-routes.json" with { type: "json" };
import { createMetrics } from "./metrics.ts";
import { createRouter, decodePath, type RouteAddress } from "./router.ts";
import { staticRoutes } from "./static-routes.ts";
import { unbuiltRoutes } from "./unbuilt.ts";

const named = (name: string, methods: string[], path: string, family: RouteAddress["family"] = "both") => ({
  name,
  methods,
  path,
  family,
});

const router = createRouter([
  named("search", ["POST"], "/2.0/mlflow/logged-models/search"),
  named("model", ["GET"], "/2.0/mlflow/logged-models/{model_id}"),
  named("finalize", ["PATCH"], "/2.0/mlflow/logged-models/{model_id}"),
  named("deleteTag", ["DELETE"], "/2.0/mlflow/logged-models/{model_id}/tags/{tag_key...}"),
  named("bulk", ["GET"], "/2.0/mlflow/metrics/get-history-bulk", "ajax"),
  named("health", ["GET"], "/health", "plain"),
]);

function find(method: string, path: string): unknown {
  const found = router.find(method, path);
  return found.route === undefined ? found.allow : [found.route.name, found.parameters];
}

describe("createRouter", () => {
  test.each([
    ["POST", "/api/2.0/mlflow/logged-models/search", ["search", {}]],
    ["POST", "/ajax-api/2.0/mlflow/logged-models/search", ["search", {}]],
    ["GET", "/api/2.0/mlflow/logged-models/search", ["model", { model_id: "search" }]],
    ["HEAD", "/api/2.0/mlflow/logged-models/m-1", ["model", { model_id: "m-1" }]],
    ["PATCH", "/api/2.0/mlflow/logged-models/m-1", ["finalize", { model_id: "m-1" }]],
    ["GET", "/api/2.0/mlflow/logged-models/a%2Db", ["model", { model_id: "a-b" }]],
    ["GET", "/api/2.0/mlflow/logged-models/a%2Fb", []],
    ["GET", "/api/2.0/mlflow/logged-models/", []],
    [
      "DELETE",
      "/api/2.0/mlflow/logged-models/m/tags/a/b%2Fc%20d",
      ["deleteTag", { model_id: "m", tag_key: "a/b/c d" }],
    ],
    ["PUT", "/api/2.0/mlflow/logged-models/m-1", ["GET", "PATCH"]],
    ["GET", "/api/2.0/mlflow/metrics/get-history-bulk", []],
    ["GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", ["bulk", {}]],
    ["GET", "/%68ealth", ["health", {}]],
    ["GET", "/health/", []],
    ["GET", "/api/health", []],
    ["GET", "/__proto__", []],
  ])("%s %s", (method, path, expected) => {
    expect(find(method, path)).toEqual(expected);
  });

  test.each([
    ["a%zz", "a%zz"],
    ["%ff%fe", "\uFFFD\uFFFD"],
    ["%e4%b8%ad", "中"],
    ["100%", "100%"],
    ["%C3%A9%zz", "é%zz"],
  ])("decodes %s as Python's unquote does", (path, expected) => {
    expect(decodePath(path)).toBe(expected);
  });
});

describe("the routes together", () => {
  const all: RouteAddress[] = [
    ...staticRoutes(createMetrics()),
    ...Object.values(endpoints),
    ...unbuiltRoutes(),
  ];
  const whole = createRouter(all);

  test.each(table.routes)(
    "MLflow's $method $path ($family) has an answer of its own",
    ({ method, path, family }) => {
      const concrete = path.replace(/<path:\w+>/g, "a/b").replace(/<\w+>/g, "x");
      const prefixes = family === "both" ? ["/api", "/ajax-api"] : family === "ajax" ? ["/ajax-api"] : [""];
      for (const prefix of prefixes) {
        expect(whole.find(method, prefix + concrete).route, prefix + concrete).toBeDefined();
      }
      if (family === "ajax") {
        const elsewhere = whole.find(method, `/api${concrete}`).route;
        expect(Object.values<unknown>(endpoints)).not.toContain(elsewhere);
      }
    },
  );
});
