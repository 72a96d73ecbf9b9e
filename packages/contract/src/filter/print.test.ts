import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseFilter } from "./check.ts";
import { searchables } from "./entities.ts";
import { extensionsUsed } from "./extensions.ts";
import { parseOrderBy } from "./order.ts";
import { printFilter, printOrderTerm } from "./print.ts";
import { randomFilter, randomOrder } from "./random.ts";
import type { Condition, Filter, FilterValue, Operand } from "./tree.ts";

const key = fc.string({ unit: "binary", maxLength: 8 }).filter((text) => !/[\0\p{Surrogate}]/u.test(text));
const text = fc.oneof(key, fc.constantFrom("it's", 'a"b', "'\"", "\\", "a\\'", "''", "' OR 1=1"));
const number = fc.double({ noNaN: true }).map((value) => value + 0);

const textOperand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ entity: fc.constant("param" as const), key }),
  fc.record({ entity: fc.constant("tag" as const), key }),
  fc.record({ entity: fc.constant("dataset" as const), key: fc.constantFrom("name", "context") }),
  fc.record({ entity: fc.constant("attribute" as const), key: fc.constantFrom("run_id", "run_name") }),
);
const numberOperand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({
    entity: fc.constant("metric" as const),
    key,
    aggregate: fc.constantFrom("last", "min", "max", "first"),
  }),
  fc.record({ entity: fc.constant("attribute" as const), key: fc.constant("start_time") }),
);

function condition(
  left: fc.Arbitrary<Operand>,
  value: fc.Arbitrary<FilterValue>,
  operators: readonly ("=" | "LIKE" | "ILIKE" | "<=" | "!=")[],
): fc.Arbitrary<Condition> {
  const negated = fc.boolean();
  return fc.oneof(
    fc.record({
      kind: fc.constant("comparison" as const),
      left,
      operator: fc.constantFrom(...operators),
      value,
    }),
    fc.record({
      kind: fc.constant("in" as const),
      left,
      negated,
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("between" as const), left, negated, low: value, high: value }),
    fc.record({ kind: fc.constant("null" as const), left, negated }),
  );
}

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      condition(textOperand, text, ["=", "!=", "LIKE", "ILIKE"]),
      condition(numberOperand, number, ["=", "!=", "<="]),
    ),
    fc.record({ kind: fc.constant("not" as const), term: tie("filter") }),
    fc.record({
      kind: fc.constantFrom("and", "or"),
      terms: fc.array(tie("filter"), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));

test("the text of a tree parses to the same tree", () => {
  fc.assert(
    fc.property(filter, (tree) => {
      expect(parseFilter("runs", printFilter(tree))).toEqual(tree);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["(created>=5)", "start_time >= 5"],
  [
    "tags.`a` = \"x\" and (params.b ilike 'y' or NOT(metric.c<1))",
    "tags.a = 'x' AND (params.b ILIKE 'y' OR NOT metrics.c < 1)",
  ],
  ["run_id in ( 'a',\"b\",)", "run_id IN ('a', 'b')"],
  ["min( metrics.a ) between -1. and 1e999", "min(metrics.a) BETWEEN -1 AND 1e999"],
  ["params.`a b` is not null", "params.`a b` IS NOT NULL"],
  ["", ""],
])("%s prints as %s", (written, canonical) => {
  expect(printFilter(parseFilter("runs", written))).toBe(canonical);
});

test.each<[Filter]>([
  [{ kind: "or", terms: [] }],
  [{ kind: "not", term: { kind: "and", terms: [] } }],
  [
    {
      kind: "comparison",
      left: { entity: "metric", key: "a", aggregate: "last" },
      operator: "=",
      value: Number.NaN,
    },
  ],
])("a tree that no text means is refused: %j", (tree) => {
  expect(() => printFilter(tree)).toThrow(expect.objectContaining({ code: "INVALID_PARAMETER_VALUE" }));
});

test.each(Array.from({ length: 300 }, (_, seed) => seed))(
  "random filter and order, seed %i, survive printing",
  (seed) => {
    const tree = randomFilter(seed);
    expect(parseFilter("runs", printFilter(tree))).toEqual(tree);
    const plain = randomFilter(seed, { mlflowOnly: true });
    expect(parseFilter("runs", printFilter(plain))).toEqual(plain);
    expect([...extensionsUsed("runs", plain)]).toEqual([]);
    const order = randomOrder(seed);
    expect(parseOrderBy("runs", order.map(printOrderTerm))).toEqual(order);
  },
);

test("every default order and tie-break can be asked for", () => {
  for (const { name, defaultOrder, tieBreak } of Object.values(searchables)) {
    if (name === "loggedModels") continue;
    for (const order of [defaultOrder, tieBreak]) {
      expect(parseOrderBy(name, order.map(printOrderTerm))).toEqual(order);
    }
  }
});
