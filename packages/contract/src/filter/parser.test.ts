import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlatformError } from "../errors.ts";
import { parseFilter } from "./check.ts";
import { filterLimits, searchables, type SearchableName } from "./entities.ts";
import type { Filter } from "./tree.ts";

const names = Object.keys(searchables) as SearchableName[];

function refusal(name: SearchableName, text: string): PlatformError {
  try {
    parseFilter(name, text);
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

const a: Filter = comparison("a");
const b: Filter = comparison("b");
const c: Filter = comparison("c");

function comparison(key: string): Filter {
  return { kind: "comparison", left: { entity: "tag", key }, operator: "=", value: "x" };
}

describe("shape", () => {
  const t = (key: string) => `tags.${key} = 'x'`;

  test.each<[string, Filter]>([
    ["", { kind: "and", terms: [] }],
    ["and", { kind: "and", terms: [] }],
    [t("a"), a],
    [`${t("a")} AND`, a],
    [`AND ${t("a")}`, a],
    [`${t("a")} and And ${t("b")}`, { kind: "and", terms: [a, b] }],
    [`${t("a")}\n${t("b")}`, { kind: "and", terms: [a, b] }],
    [`${t("a")} OR ${t("b")} AND ${t("c")}`, { kind: "or", terms: [a, { kind: "and", terms: [b, c] }] }],
    [`(${t("a")} OR ${t("b")}) AND ${t("c")}`, { kind: "and", terms: [{ kind: "or", terms: [a, b] }, c] }],
    [`NOT ${t("a")} AND ${t("b")}`, { kind: "and", terms: [{ kind: "not", term: a }, b] }],
    [
      `not not (${t("a")} or ${t("b")})`,
      { kind: "not", term: { kind: "not", term: { kind: "or", terms: [a, b] } } },
    ],
    [`((${t("a")}))`, a],
  ])("%j", (text, tree) => {
    expect(parseFilter("runs", text)).toEqual(tree);
  });

  test("BETWEEN keeps its own AND", () => {
    expect(parseFilter("runs", "created NOT BETWEEN 1 AND 2 AND tags.a = 'x'")).toEqual({
      kind: "and",
      terms: [
        {
          kind: "between",
          left: { entity: "attribute", key: "start_time" },
          negated: true,
          low: 1,
          high: 2,
        },
        a,
      ],
    });
  });

  test.each(["min", "max", "first", "last", "MIN"])("%s() of a metric", (name) => {
    expect(parseFilter("runs", `${name}(metrics.\`val loss\`) < 1`)).toMatchObject({
      left: { entity: "metric", key: "val loss", aggregate: name.toLowerCase() },
    });
  });
});

describe("values and keys", () => {
  test.each<[SearchableName, string, string | number]>([
    ["runs", "metrics.a > -1.5e3", -1500],
    ["runs", "metrics.a > .5", 0.5],
    ["runs", "metrics.a > -.5", -0.5],
    ["runs", "metrics.a > 1.", 1],
    ["runs", "metrics.a < 1e999", Infinity],
    ["runs", "metrics.a > 9007199254740993", 9007199254740992],
    ["runs", "params.a = 'it''s'", "it''s"],
    ["runs", "params.a = 'it\\'s'", "it\\'s"],
    ["runs", "params.a = 'C:\\'", "C:\\"],
    ["runs", 'params.a = "a\'b"', "a'b"],
    ["runs", String.raw`params.a = E'a\'b"c\\'`, "a'b\"c\\"],
    ["experiments", "experiment_id = ' 007 '", "7"],
    ["modelVersions", "version_number = '12'", 12],
    ["loggedModels", "params.lr = 0.01", "0.01"],
    ["loggedModels", "name = plain", "plain"],
  ])("%s: %s", (name, text, value) => {
    expect(parseFilter(name, text)).toMatchObject({ kind: "comparison", value });
  });

  test.each<[SearchableName, string, object]>([
    ["runs", "params.a.b.c = 'x'", { entity: "param", key: "a.b.c" }],
    ["runs", "parameter.\"a b\" = 'x'", { entity: "param", key: "a b" }],
    ["runs", "tag.`a``b` = 'x'", { entity: "tag", key: "a``b" }],
    ["runs", "tags.'a b' = 'x'", { entity: "tag", key: "a b" }],
    ["runs", "tags.in = 'x'", { entity: "tag", key: "in" }],
    ["runs", "`run name` = 'x'", { entity: "attribute", key: "run_name" }],
    ["runs", "\"Run name\" = 'x'", { entity: "attribute", key: "run_name" }],
    ["runs", "attr.Created = 5", { entity: "attribute", key: "start_time" }],
    ["runs", "datasets.digest = 'x'", { entity: "dataset", key: "digest" }],
    ["loggedModels", "creation_time = 5", { entity: "attribute", key: "creation_timestamp_ms" }],
    ["loggedModels", "metrics.val-loss = 5", { entity: "metric", key: "val-loss", aggregate: "last" }],
  ])("%s: %s", (name, text, left) => {
    expect(parseFilter(name, text)).toMatchObject({ left });
  });
});

describe("refusals name the place, what was found and what was expected", () => {
  test.each<[SearchableName, string, number, RegExp]>([
    ["runs", " ", 2, /nothing but space/],
    ["runs", "metrics.a >", 12, /expected a value .* found the end/],
    ["runs", "metrics.a", 10, /expected a comparison .* found the end/],
    ["runs", "metrics.a == 1", 11, /found ==; metrics.a takes one of =/],
    ["runs", "metrics.a <> 1", 11, /found <>/],
    ["runs", "metrics.a > '1'", 13, /expected a number without quotes .* found '1'/],
    ["runs", "metrics.a > +1", 13, /found \+/],
    ["runs", "metrics.a > -.5e3", 13, /found -/],
    ["runs", "metrics.a > 1E+3", 15, /found \+.* no plus sign/],
    ["runs", "metrics.a > 1.5.5", 16, /found \.5/],
    ["runs", "metrics.a > 1;", 14, /semicolon/],
    ["runs", "metrics.a-b > 1", 10, /backticks/],
    ["runs", "Metrics.a > 1", 1, /found Metrics before the dot; a run has attributes, metrics/],
    ["runs", "metrics . a > 1", 9, /found \./],
    ["runs", "params.a = x", 12, /expected text in quotes for params.a, found x/],
    ["runs", "params.a = 1", 12, /expected text in quotes/],
    ["runs", "params.a = 'x", 12, /expected a closing '/],
    ["runs", "params.a > 'x'", 10, /found >; params.a takes one of =, !=, LIKE/],
    ["runs", "params.a RLIKE 'x'", 10, /found RLIKE/],
    ["runs", "params.a NOT LIKE 'x'", 10, /put NOT before the whole condition/],
    ["runs", "params.a = 'x' foo", 19, /found the end/],
    ["runs", "params.a = 'x' -- no", 16, /found -/],
    ["runs", "run_id IN ()", 1, /list is empty/],
    ["runs", "run_id IN ('a' 'b')", 16, /expected , or \), found 'b'/],
    ["runs", "run_id IN 'a'", 11, /expected \( and a list/],
    ["runs", "run_id IN ('a', 1)", 17, /expected text in quotes for run_id, found 1/],
    ["runs", "foo = 'x'", 1, /found foo; runs are searched by run_id, .*params\.<key>/],
    ["runs", "dataset.profile = 'x'", 1, /a dataset has no profile; expected one of name/],
    ["runs", "min(params.a) = 1", 5, /min\(\) takes a metric/],
    ["runs", "avg(metrics.a) = 1", 1, /found the function avg/],
    ["runs", "(metrics.a > 1", 15, /expected AND, OR or \), found the end/],
    ["runs", "metrics.a > 1)", 14, /expected AND, OR or the end, found \)/],
    ["runs", "metrics.a > 1 OR", 17, /expected a condition after OR/],
    ["runs", "OR metrics.a > 1", 1, /expected a condition before OR/],
    ["runs", "NOT", 4, /expected a condition, found the end/],
    ["runs", "metrics.a BETWEEN 1 OR 2", 21, /expected AND and the upper end/],
    ["runs", "params.a = '\0'", 13, /NUL/],
    ["runs", "params.a = '\ud800'", 13, /surrogate/],
    ["experiments", "name like 'x'", 6, /write LIKE in upper case/],
    ["experiments", "experiment_id in ('1')", 15, /write IN in upper case/],
    ["experiments", "creation_time > 1.5", 17, /expected a 64-bit integer/],
    ["experiments", "experiment_id = 'abc'", 17, /expected a 64-bit integer in quotes/],
    ["experiments", "experiment_id = '9223372036854775808'", 17, /64-bit/],
    ["experiments", "experiment_id LIKE '1'", 15, /experiment_id takes one of =/],
    ["registeredModels", "last_updated_timestamp > 1", 1, /registered models are searched by name/],
    ["modelVersions", "version_number = 'x'", 18, /64-bit integer/],
    ["loggedModels", "metric.a > 1", 1, /a logged model has attributes, metrics/],
    ["loggedModels", "min(metrics.a) > 1", 5, /a logged model has no min\(\)/],
    ["loggedModels", "metrics.a > 'x'", 13, /expected a number/],
    ["loggedModels", "name IN (x)", 10, /expected text in quotes for name, found x/],
    ["loggedModels", "name = 0x10", 8, /expected text in quotes for name, found 0x10/],
    ["loggedModels", "params. = 'x'", 1, /expected a key after params\./],
    ["loggedModels", "foo = 'x'", 1, /logged models are searched by model_id/],
  ])("%s: %j at column %i", (name, text, column, sentence) => {
    const error = refusal(name, text);
    expect(error.code).toBe("INVALID_PARAMETER_VALUE");
    expect(error.message).toMatch(sentence);
    expect(error.message).toContain(`Column ${column} of the filter`);
    expect(error.details["position"]).toBe(column - 1);
  });

  test.each([
    ["tags.a = 'x' tags.b = 'x' OR tags.c = 'x'", 14],
    ["tags.a = 'x' OR tags.b = 'x' AND", 33],
    ["(tags.a = 'x') AND AND tags.b = 'x'", 20],
  ])("beside OR, NOT and parentheses every AND must be in its place: %s", (text, column) => {
    expect(refusal("runs", text).message).toContain(`Column ${column} `);
  });

  test("nesting and conditions have limits, and no depth overflows the stack", () => {
    const deep = (levels: number) => `${"(".repeat(levels)}tags.a = 'x'${")".repeat(levels)}`;
    expect(parseFilter("runs", deep(filterLimits.nestingMax))).toEqual(a);
    expect(refusal("runs", deep(filterLimits.nestingMax + 1)).message).toMatch(/levels/);
    expect(refusal("runs", deep(200_000)).message).toMatch(/levels/);
    expect(refusal("runs", `${"NOT ".repeat(200_000)}tags.a = 'x'`).message).toMatch(/levels/);
    const many = (count: number) => Array.from({ length: count }, () => "tags.a = 'x'").join(" AND ");
    expect(parseFilter("runs", many(filterLimits.conditionsMax))).toMatchObject({ kind: "and" });
    expect(refusal("runs", many(filterLimits.conditionsMax + 1)).message).toMatch(/conditions/);
  });
});

describe("any text", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        "metrics.a",
        "params.`b c`",
        "tags",
        "run_id",
        "min(",
        "E'",
        "AND",
        " or ",
        "NOT ",
        "IN",
        "(",
        ")",
        ",",
        "'x'",
        '"',
        "'",
        "`",
        ".",
        "1",
        "-1e3",
        "=",
        "!=",
        "LIKE",
        "BETWEEN",
        " IS NULL",
        "\\",
        " ",
        "\0",
        "é",
        "😀",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 20 },
  );

  test("is read or refused with a position inside it, never anything else", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), pieces, (name, parts) => {
        const text = parts.join("");
        try {
          parseFilter(name, text);
        } catch (error) {
          expect(error).toBeInstanceOf(PlatformError);
          const { position, length } = (error as PlatformError).details as Record<string, number>;
          expect(position).toBeGreaterThanOrEqual(0);
          expect((position ?? 0) + (length ?? 0)).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
