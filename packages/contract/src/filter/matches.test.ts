import { describe, expect, test } from "vitest";
import type { Candidate } from "./candidate.ts";
import { parseFilter } from "./check.ts";
import type { SearchableName } from "./entities.ts";
import { matches } from "./matches.ts";

const run: Candidate = {
  attributes: { run_id: "r1", run_name: "Bold Ant", status: "FINISHED", start_time: 100, end_time: null },
  params: { lr: "0.1", Case: "Straße" },
  tags: new Map([["team", "vision"]]),
  metrics: {
    loss: { latest: 0.5, first: 2, min: 0.25, max: 3 },
    nan: { latest: Number.NaN, first: 1, min: 1, max: 4 },
    never: { latest: Number.NaN, first: Number.NaN, min: null, max: null },
    top: { latest: Number.MAX_VALUE, first: 0, min: 0, max: Number.MAX_VALUE },
  },
  datasets: [
    { name: "wine", digest: "d1", context: "training" },
    { name: "iris", digest: "d2", context: null },
  ],
};

test.each<[string, boolean]>([
  ["", true],
  // What is missing matches nothing but IS NULL; NOT negates.
  ["params.x = 'a'", false],
  ["params.x != 'a'", false],
  ["params.x NOT IN ('a')", false],
  ["params.x NOT BETWEEN 'a' AND 'b'", false],
  ["NOT params.x = 'a'", true],
  ["params.x IS NULL", true],
  ["params.lr IS NULL", false],
  ["params.lr IS NOT NULL", true],
  ["end_time > 0", false],
  ["end_time IS NULL", true],
  ["metrics.x != 1", false],
  ["params.constructor IS NULL", true],
  // Text.
  ["params.lr = '0.1'", true],
  ["params.lr = '0.10'", false],
  ["params.Case LIKE 'STRA%'", false],
  ["params.Case ILIKE 'STRA%'", true],
  ["params.Case ILIKE 'STRASSE'", false],
  ["params.Case LIKE 'Stra_e'", true],
  ["run_name ILIKE 'bold%'", true],
  ["tags.team BETWEEN 'a' AND 'w'", true],
  ["tags.team IN ('audio', 'vision')", true],
  ["tags.team NOT IN ('audio', 'vision')", false],
  // The latest value, and aggregates.
  ["metrics.loss < 0.6", true],
  ["metrics.loss BETWEEN 0.5 AND 0.5", true],
  ["metrics.loss IN (1, 0.5)", true],
  ["min(metrics.loss) = 0.25", true],
  ["max(metrics.loss) > 2.9", true],
  ["first(metrics.loss) = 2", true],
  ["last(metrics.loss) = 0.5", true],
  // NaN satisfies != only, and is a value.
  ["metrics.nan > -1", false],
  ["metrics.nan <= 1e999", false],
  ["metrics.nan = 0", false],
  ["metrics.nan != 0", true],
  ["metrics.nan NOT IN (1)", true],
  ["metrics.nan NOT BETWEEN 1 AND 2", false],
  ["metrics.nan IS NOT NULL", true],
  ["max(metrics.nan) = 4", true],
  ["first(metrics.never) != 1", true],
  ["min(metrics.never) != 1", false],
  ["min(metrics.never) IS NULL", true],
  // Infinity is stored as the largest double.
  ["metrics.top < 1e999", true],
  ["metrics.top = 1.7976931348623157e308", true],
  // Any dataset may satisfy a condition.
  ["dataset.name = 'iris'", true],
  ["dataset.name != 'iris'", true],
  ["dataset.name = 'wine' AND dataset.digest = 'd2'", true],
  ["dataset.context = 'eval'", false],
  ["NOT dataset.context = 'eval'", true],
  // Joins.
  ["metrics.loss > 1 OR params.lr = '0.1'", true],
  ["metrics.loss > 1 OR params.lr = '0.1' AND status = 'FAILED'", false],
  ["NOT (metrics.loss > 1 AND status = 'FINISHED')", true],
])("a run and %s: %s", (filter, expected) => {
  expect(matches(run, parseFilter("runs", filter))).toBe(expected);
});

describe("a logged model", () => {
  const model: Candidate = {
    attributes: { name: "m", creation_timestamp_ms: 5 },
    metrics: {
      acc: [
        { value: 0.9, datasetName: "wine", datasetDigest: "d1" },
        { value: 0.2, datasetName: "iris", datasetDigest: "d2" },
      ],
    },
  };

  test.each<[string, { name: string; digest?: string }[], boolean]>([
    ["metrics.acc > 0.8", [], true],
    ["metrics.acc > 0.8 AND metrics.acc < 0.3", [], true],
    ["metrics.acc > 0.8", [{ name: "iris" }], false],
    ["metrics.acc > 0.8", [{ name: "iris" }, { name: "wine" }], true],
    ["metrics.acc > 0.8", [{ name: "wine", digest: "d2" }], false],
    ["NOT metrics.acc > 0.8", [], false],
    ["metrics.acc IS NULL", [{ name: "other" }], true],
  ])("%s on %j: %s", (filter, datasets, expected) => {
    expect(matches(model, parseFilter("loggedModels", filter), datasets)).toBe(expected);
  });
});

test.each<[SearchableName, string, Candidate["attributes"], boolean]>([
  ["experiments", "experiment_id IN ('07', '8')", { experiment_id: "7" }, true],
  ["modelVersions", "version_number >= '2'", { version_number: 10 }, true],
  ["registeredModels", "name ILIKE 'a%' AND NOT name LIKE 'a%'", { name: "Ab" }, true],
])("%s: %s", (name, filter, attributes, expected) => {
  expect(matches({ attributes }, parseFilter(name, filter))).toBe(expected);
});
