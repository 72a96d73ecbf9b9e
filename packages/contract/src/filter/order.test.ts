import { describe, expect, test } from "vitest";
import type { Candidate } from "./candidate.ts";
import { searchables } from "./entities.ts";
import { checkLoggedModelOrder, parseOrderBy, type TextOrdered } from "./order.ts";
import { compareBy, completeOrder } from "./sort.ts";

describe("reading", () => {
  test.each<[string, object]>([
    ["metrics.a", { operand: { entity: "metric", key: "a", aggregate: "last" }, ascending: true }],
    ["metrics.`a b` desc", { operand: { entity: "metric", key: "a b" }, ascending: false }],
    ["`metrics.a b` DESC", { operand: { entity: "metric", key: "a b" }, ascending: false }],
    [
      "max(metric.loss) Asc",
      { operand: { entity: "metric", key: "loss", aggregate: "max" }, ascending: true },
    ],
    ["attributes.Created DESC", { operand: { entity: "attribute", key: "start_time" }, ascending: false }],
    ["parameters.x", { operand: { entity: "param", key: "x" }, ascending: true }],
  ])("%s", (clause, term) => {
    expect(parseOrderBy("runs", [clause])).toMatchObject([term]);
  });

  test.each<[TextOrdered, string[], RegExp]>([
    ["runs", [""], /Column 1 of the order_by: expected a field/],
    ["runs", ["start_time up"], /Column 12 .* expected ASC, DESC or the end, found up/],
    ["runs", ["start_time ASC DESC"], /Column 16 .* expected the end, found DESC/],
    ["runs", ["start_time, end_time"], /Column 11 .* found ,/],
    ["runs", ["dataset.name"], /runs cannot be ordered by dataset.name/],
    ["runs", ["foo"], /runs are ordered by run_id, .*metrics\.<key>/],
    ["runs", ["created", "start_time DESC"], /names start_time twice/],
    ["runs", ["metrics.a", "last(metrics.a)"], /names metrics.a twice/],
    ["experiments", ["tags.a"], /cannot be ordered by tags.a/],
    ["experiments", ["min(metrics.a)"], /before the dot/],
    ["registeredModels", ["creation_timestamp"], /registered models are ordered by name/],
    ["registeredModels", ["timestamp", "last_updated_timestamp"], /twice/],
    ["modelVersions", ["run_id"], /model versions are ordered by name, version_number/],
  ])("%s refuses %j", (name, clauses, sentence) => {
    expect(() => parseOrderBy(name, clauses)).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMETER_VALUE", message: expect.stringMatching(sentence) }),
    );
  });

  test("where MLflow takes a field twice, the first decides", () => {
    expect(parseOrderBy("experiments", ["name", "name DESC"])).toMatchObject([{ ascending: true }]);
  });
});

describe("logged models", () => {
  test("objects become the same terms as text", () => {
    expect(
      checkLoggedModelOrder([
        { field_name: "metrics.val loss", ascending: false, dataset_name: "wine" },
        { field_name: "creation_time" },
        { field_name: "creation_timestamp", ascending: false },
      ]),
    ).toEqual([
      {
        operand: { entity: "metric", key: "val loss", aggregate: "last" },
        ascending: false,
        datasetName: "wine",
      },
      { operand: { entity: "attribute", key: "creation_timestamp_ms" }, ascending: true },
    ]);
  });

  test.each([["params.a"], ["foo"], [""], [undefined], ["metric.a"], ["tags"]])(
    "%j is refused with its place",
    (field) => {
      expect(() => checkLoggedModelOrder([{ field_name: "name" }, { field_name: field }])).toThrow(
        expect.objectContaining({
          code: "INVALID_PARAMETER_VALUE",
          details: { path: "order_by[1].field_name" },
        }),
      );
    },
  );

  test("a metric orders by its newest value, by timestamp before step, on the dataset", () => {
    const acc = [
      { value: 1, timestampMs: 20, step: 0, datasetName: "wine" },
      { value: 2, timestampMs: 10, step: 9, datasetName: "wine" },
      { value: 9, timestampMs: 30, step: 0, datasetName: "iris" },
    ];
    const models: Candidate[] = [
      { attributes: { name: "none" } },
      { attributes: { name: "one" }, metrics: { acc } },
      { attributes: { name: "half" }, metrics: { acc: [{ value: 1.5, datasetName: "wine" }] } },
    ];
    const sorted = (dataset_name?: string) =>
      models
        .toSorted(compareBy(checkLoggedModelOrder([{ field_name: "metrics.acc", dataset_name }])))
        .map(({ attributes }) => attributes["name"]);
    expect(sorted()).toEqual(["half", "one", "none"]);
    expect(sorted("wine")).toEqual(["one", "half", "none"]);
  });
});

describe("sorting", () => {
  const run = (run_id: string, latest: number | undefined, end_time: number | null = null): Candidate => ({
    attributes: { run_id, start_time: 0, end_time },
    metrics: latest === undefined ? {} : { loss: { latest } },
  });
  const runs = [
    run("c", undefined, 2),
    run("b", Number.NaN, 1),
    run("a", Number.NaN),
    run("d", 1),
    run("e", -1),
  ];

  test.each<[string[], string]>([
    [["metrics.loss"], "edabc"],
    [["metrics.loss DESC"], "deabc"],
    [["end_time", "run_id DESC"], "bceda"],
    [["end_time DESC", "run_id DESC"], "cbeda"],
    [[], "abcde"],
  ])("%j puts numbers, then NaN, then what is missing: %s", (clauses, expected) => {
    const order = completeOrder(searchables.runs, parseOrderBy("runs", clauses));
    const ids = runs.toSorted(compareBy(order)).map(({ attributes }) => attributes["run_id"]);
    expect(ids.join("")).toBe(expected);
  });

  test("a tie-break leaves out what the order names", () => {
    const order = completeOrder(searchables.modelVersions, parseOrderBy("modelVersions", ["name DESC"]));
    expect(order.map(({ operand, ascending }) => [operand.key, ascending])).toEqual([
      ["name", false],
      ["version_number", false],
    ]);
  });
});
