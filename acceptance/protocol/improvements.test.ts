import { describe, expect, it } from "vitest";
import { type Answer, ajax, base, call, expectError, ok, proxy, send, targetIsMlflow } from "./call.ts";
import {
  createExperiment,
  createLoggedModel,
  createRegisteredModel,
  createRun,
  createVersion,
  getLoggedModel,
  history,
  logBatch,
  unique,
} from "./entities.ts";

type Check = (answer: Answer) => void | Promise<void>;

/** One fault of MLflow: what it answers, kept as proof that the fault is real, and what Millrace answers. */
function improvement(fault: string, ask: () => Promise<Answer>, upstream: Check, millrace: Check): void {
  it(fault, async () => {
    const answer = await ask();
    await (targetIsMlflow ? upstream : millrace)(answer);
  });
}

const status = (expected: number) => (answer: Answer) => expect(answer.status, answer.text).toBe(expected);
const refused = (fragment = "") => {
  return (answer: Answer) => expectError(answer, 400, "INVALID_PARAMETER_VALUE", fragment);
};

/** A run search that names a new experiment. */
const searchRuns = async (search: object) =>
  call("POST", "runs/search", { experiment_ids: [await createExperiment()], ...search });
const logMetric = async (fields: string) => {
  const { run_id } = await createRun();
  return call("POST", "runs/log-metric", `{"run_id":"${run_id}",${fields}}`);
};
const batch = async (fields: object) => {
  const { run_id } = await createRun();
  return call("POST", "runs/log-batch", { run_id, ...fields });
};
const post = (path: string, body: string) => call("POST", path, body);

describe("§10 where MLflow fails: searches", () => {
  const twice = { order_by: ["metrics.m", "metrics.m"] };
  improvement("runs ordered by a key twice", () => searchRuns(twice), status(500), refused());
  const both = { order_by: ["start_time", "start_time DESC"] };
  improvement("runs ordered by a key both ways", () => searchRuns(both), status(500), refused());
  improvement(
    "registered models ordered by a key twice",
    () => call("GET", "registered-models/search", { order_by: ["name", "name"] }),
    status(500),
    refused(),
  );
  for (const [what, search] of [
    ["an unknown attribute", { filter: "bogus = 'x'" }],
    ["a metric compared with text", { filter: "metrics.m > 'x'" }],
    ["a page token that is none", { page_token: "xx" }],
  ] as const) {
    improvement(
      `logged models searched with ${what}`,
      async () =>
        call("POST", "logged-models/search", { experiment_ids: [await createExperiment()], ...search }),
      status(500),
      refused(),
    );
  }
  for (const family of ["registered-models", "model-versions"]) {
    improvement(
      `${family} searched with IS NULL`,
      () => call("GET", `${family}/search`, { filter: "tags.a IS NULL AND name = 'no such name'" }),
      status(500),
      // One of the additions to the language: it has a meaning here.
      (answer) => expect(answer).toMatchObject({ status: 200, body: {} }),
    );
  }
});

describe("§10 where MLflow fails: requests that are malformed", () => {
  for (const body of ["5", '"x"']) {
    improvement(`the body ${body}`, () => post("experiments/search", body), status(500), refused());
  }
  // Upstream takes an empty list for an empty object.
  improvement("the body []", () => post("runs/search", "[]"), status(200), refused());
  for (const [list, item] of [
    ["metrics", null],
    ["metrics", 5],
    ["params", null],
    ["tags", "a"],
  ] as const) {
    const named = refused(`${list}[0]`);
    improvement(`${JSON.stringify(item)} in ${list}`, () => batch({ [list]: [item] }), status(500), named);
  }
  improvement(
    "a list as end time",
    async () => call("POST", "runs/update", { run_id: (await createRun()).run_id, end_time: ["x"] }),
    status(500),
    refused("end_time"),
  );
  improvement(
    "a list as metric",
    () => logMetric('"key":"m","value":[1],"timestamp":1'),
    status(500),
    refused("value"),
  );
  for (const [field, value] of [
    ["step", "1.5"],
    ["timestamp", "1.5"],
    ["timestamp", "9223372036854775808"],
  ] as const) {
    const fields = { value: "1", timestamp: "1", step: "1", [field]: value };
    const text = Object.entries(fields).map(([key, part]) => `"${key}":${part}`);
    improvement(
      `${field} ${value}`,
      () => logMetric(`"key":"m",${text.join()}`),
      status(200),
      refused(field),
    );
  }
  const bad = { metrics: [{ key: "m", value: "x", timestamp: 1 }] };
  improvement("a text as metric in a batch", () => batch(bad), status(200), refused("metrics[0].value"));
  const numbers = { params: [{ key: "p", value: 5 }] };
  improvement(
    "a number as parameter in a batch",
    () => batch(numbers),
    status(200),
    refused("params[0].value"),
  );
  improvement(
    "numbers as experiment ids",
    () => call("POST", "runs/search", { experiment_ids: [5] }),
    status(200),
    refused("experiment_ids"),
  );
  improvement(
    "an object as tags",
    async () => call("POST", "runs/create", { experiment_id: await createExperiment(), tags: { key: "a" } }),
    status(200),
    refused("tags"),
  );
  improvement(
    "a text for max_results of the bulk history",
    () => call("GET", `${ajax}metrics/get-history-bulk`, { run_id: "r", metric_key: "m", max_results: "x" }),
    status(500),
    refused("max_results"),
  );
  improvement(
    "runs/create without experiment",
    () => call("POST", "runs/create", {}),
    (answer) => expectError(answer, 400, "BAD_REQUEST", "IntegrityError"),
    refused("Missing value for required parameter 'experiment_id'"),
  );
});

describe("§10 where MLflow fails: numbers", () => {
  it("bare NaN and Infinity are stored as 0 at time 0", async () => {
    const { run_id } = await createRun();
    const tokens = { nan: "NaN", up: "Infinity", down: "-Infinity" };
    for (const [key, token] of Object.entries(tokens)) {
      const body = `{"run_id":"${run_id}","key":"${key}","value":${token},"timestamp":7,"step":1}`;
      expect(await call("POST", "runs/log-metric", body)).toMatchObject({ status: 200 });
      const stored = { nan: "NaN", up: Number.MAX_VALUE, down: -Number.MAX_VALUE }[key];
      expect(await history(run_id, key)).toEqual([targetIsMlflow ? [0, 0, 0] : [stored, 7, 1]]);
    }
  });

  it("the bulk history writes a bare NaN, which browsers cannot parse", async () => {
    const { run_id } = await createRun();
    await logBatch(run_id, { metrics: [{ key: "m", value: "NaN", timestamp: 1, step: 0 }] });
    const answer = await call("GET", `${ajax}metrics/get-history-bulk`, { run_id, metric_key: "m" });
    expect(answer.status).toBe(200);
    if (targetIsMlflow) expect(answer.text).toMatch(/"value":\s*NaN/);
    else
      expect(answer.body).toEqual({ metrics: [{ key: "m", value: "NaN", timestamp: 1, step: 0, run_id }] });
  });
});

describe("§10 where MLflow fails: artifacts", () => {
  improvement(
    "an upload to ....//....//etc/passwd",
    () => send({ method: "PUT", path: `${proxy}/....//....//etc/passwd`, body: "x" }),
    status(500),
    refused(),
  );
  improvement(
    "a NUL in the name of an upload",
    () => send({ method: "PUT", path: `${proxy}/${unique("nul")}/a%00b`, body: "x" }),
    status(200),
    refused(),
  );
});

describe("§10 where MLflow fails: life cycle and registry", () => {
  improvement(
    "renaming a deleted experiment",
    async () => {
      const experiment_id = await createExperiment();
      await ok("POST", "experiments/delete", { experiment_id });
      return call("POST", "experiments/update", { experiment_id, new_name: unique("renamed") });
    },
    (answer) => expectError(answer, 500, "INVALID_STATE"),
    status(400),
  );
  improvement(
    "archiving the others of a stage that is not active",
    async () => {
      const name = await createRegisteredModel();
      await createVersion(name);
      const body = { name, version: "1", stage: "None", archive_existing_versions: true };
      return call("POST", "model-versions/transition-stage", body);
    },
    status(500),
    refused(),
  );
  improvement(
    "the same parameter twice in a new logged model",
    async () => {
      const params = [
        { key: "twice", value: "1" },
        { key: "twice", value: "1" },
      ];
      return call("POST", "logged-models", { experiment_id: await createExperiment(), params });
    },
    (answer) => expectError(answer, 400, "BAD_REQUEST", "IntegrityError"),
    refused("twice"),
  );
  improvement(
    "a workspace named to a server without workspaces",
    () =>
      send({
        method: "POST",
        path: `${base}experiments/search`,
        headers: { "content-type": "application/json", "x-mlflow-workspace": "team-a" },
        body: '{"max_results":1}',
      }),
    (answer) => expectError(answer, 500, "FEATURE_DISABLED"),
    (answer) => {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.body).toMatchObject({ error_code: "FEATURE_DISABLED" });
    },
  );

  it("the alias latest may give an old archived version", async () => {
    const name = await createRegisteredModel();
    for (let i = 0; i < 3; i++) await createVersion(name);
    // The newest version is made the first that the database finds, the oldest the last, or the other way round.
    for (const stages of [
      ["Archived", "None", "Production"],
      ["Production", "None", "Archived"],
    ]) {
      for (const [i, stage] of stages.entries()) {
        await ok("POST", "model-versions/transition-stage", { name, version: String(i + 1), stage });
      }
      type Answer = { model_version: { version: string } };
      const { model_version } = await ok<Answer>("GET", "registered-models/alias", { name, alias: "latest" });
      if (targetIsMlflow) expect(["1", "2", "3"]).toContain(model_version.version);
      else expect(model_version.version).toBe("3");
    }
  });

  it("mlflow.modelVersions lists a version twice, as integer and as text", async () => {
    const run = await createRun();
    const { model_id } = (await createLoggedModel(run.experiment_id)).info;
    const name = await createRegisteredModel();
    await createVersion(name, { source: `models:/${model_id}`, model_id });
    const entries = async (): Promise<{ name: string; version: number | string }[]> => {
      const tags = (await getLoggedModel(model_id)).info["tags"] as { key: string; value: string }[];
      return JSON.parse(tags.find(({ key }) => key === "mlflow.modelVersions")?.value ?? "[]");
    };
    const byServer = await entries();
    expect(byServer).toEqual([{ name, version: expect.toSatisfy((version) => String(version) === "1") }]);
    // What the Python client does next.
    const value = JSON.stringify([...byServer, { name, version: "1" }]);
    await ok("PATCH", `logged-models/${model_id}/tags`, { tags: [{ key: "mlflow.modelVersions", value }] });
    expect((await entries()).map((entry) => String(entry.version))).toEqual(
      targetIsMlflow ? ["1", "1"] : ["1"],
    );
  });
});
