import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PlatformError } from "../errors.ts";
import { parseFilter } from "./check.ts";
import type { SearchableName } from "./entities.ts";
import { extensionsUsed } from "./extensions.ts";
import { parseOrderBy, type TextOrdered } from "./order.ts";
import { conditionsOf, type Condition, type Filter } from "./tree.ts";

/** What MLflow 3.17.2 made of random filters and orders; fixtures/filter/make-cases.py asked it. */
interface Cases {
  readonly filters: Readonly<Record<SearchableName, readonly [text: string, answer: string | Row[]][]>>;
  readonly orders: Readonly<
    Record<TextOrdered, readonly [clauses: string[], answer: string | [string, string, boolean][]][]>
  >;
}
/** Entity, key, operator, value. */
type Row = readonly [string, string, string, unknown];

const cases = JSON.parse(
  readFileSync(new URL("../../../../fixtures/filter/cases.json", import.meta.url), "utf8"),
) as Cases;

/** Where we refuse what MLflow takes, or read it otherwise: accidents of its tokenizer, for logged models only. */
const intended: readonly { readonly why: string; readonly applies: RegExp }[] = [
  {
    why: "text in double quotes is compared with its quotes, a key in quotes is looked up with them",
    applies: /"|\.'a b'/,
  },
  { why: "a number that our numbers do not include counts as text", applies: /1E\+3/ },
  { why: "operator signs other than - and / become part of a key", applies: /%a\.b|&&/ },
];

/** What we take although MLflow refuses it, and no tree shows. */
const lenient: readonly { readonly why: string; readonly applies: RegExp }[] = [
  { why: "parentheses that change nothing", applies: /^\(.*\)$/s },
  { why: "a key that is an SQL word goes without quotes", applies: /\.(?:in|from)\b/ },
  { why: "IS NULL of a key that begins with a digit", applies: /\.1a\s+IS\b/i },
  {
    why: "a logged model's time has all its names also behind attributes.",
    applies: /attributes\.(?:creation_time(?:stamp)?|last_updated_timestamp)\b/,
  },
];

function read<T>(parse: () => T): T | PlatformError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
}

function rowOf(condition: Condition): Row {
  const { left } = condition;
  const not = "negated" in condition && condition.negated ? "NOT " : "";
  switch (condition.kind) {
    case "comparison":
      return [left.entity, left.key, condition.operator, condition.value];
    case "in":
      return [left.entity, left.key, `${not}IN`, condition.values];
    case "null":
      return [left.entity, left.key, `IS ${not}NULL`, null];
    case "between":
      return [left.entity, left.key, `${not}BETWEEN`, [condition.low, condition.high]];
  }
}

/** MLflow leaves ids as written and compares them as integers; numbers in a list of texts as texts. */
function expectedRow([entity, key, operator, value]: Row): Row {
  if (key === "experiment_id" && entity === "attribute") {
    const canonical = (id: unknown): string => BigInt(String(id).trim()).toString();
    return [entity, key, operator, Array.isArray(value) ? value.map(canonical) : canonical(value)];
  }
  if (key === "version_number" && entity === "attribute") return [entity, key, operator, Number(value)];
  if (Array.isArray(value)) return [entity, key, operator, value.map(String)];
  const isInfinite = typeof value === "object" && value !== null;
  return [entity, key, operator, isInfinite ? Infinity : value];
}

describe.each(Object.keys(cases.filters) as SearchableName[])("%s", (name) => {
  const all = cases.filters[name].map(([text, answer]) => ({
    text,
    answer,
    ours: read(() => parseFilter(name, text)),
  }));
  const accepted = all.filter(({ answer }) => typeof answer !== "string");

  test(`the ${accepted.length} filters that MLflow takes have the same comparisons`, () => {
    expect(accepted.length).toBeGreaterThan(100);
    const differing = accepted.filter(({ answer, ours }) => {
      if (ours instanceof PlatformError) return true;
      const isConjunction = ours.kind === "and" || conditionsOf(ours)[0] === ours;
      const rows = conditionsOf(ours).map(rowOf);
      return !isConjunction || !sameRows(rows, (answer as Row[]).map(expectedRow));
    });
    const unexpected = differing.filter(
      ({ text }) => name !== "loggedModels" || !intended.some(({ applies }) => applies.test(text)),
    );
    expect(unexpected).toEqual([]);
  });

  test(`of the ${all.length - accepted.length} that MLflow refuses, we take only our additions`, () => {
    const taken = all.filter(
      ({ answer, ours }) => typeof answer === "string" && !(ours instanceof PlatformError),
    );
    expect(taken.length).toBeGreaterThan(10);
    const unexpected = taken.filter(
      ({ text, ours }) =>
        extensionsUsed(name, ours as Filter).size === 0 && !lenient.some(({ applies }) => applies.test(text)),
    );
    expect(unexpected).toEqual([]);
  });

  test("what a tree shows as MLflow's own, MLflow takes", () => {
    const unmarked = accepted.filter(
      ({ ours }) => !(ours instanceof PlatformError) && extensionsUsed(name, ours).size > 0,
    );
    expect(unmarked).toEqual([]);
  });
});

function sameRows(ours: readonly Row[], theirs: readonly Row[]): boolean {
  return JSON.stringify(ours.map(infinityShown)) === JSON.stringify(theirs.map(infinityShown));
}

const infinityShown = (row: Row): readonly unknown[] =>
  row.map((cell) => (cell === Infinity ? "Infinity" : cell));

describe.each(Object.keys(cases.orders) as TextOrdered[])("order of %s", (name) => {
  test.each(cases.orders[name])("%j", (clauses, answer) => {
    const ours = read(() => parseOrderBy(name, clauses));
    if (typeof answer === "string") {
      // The other spellings of run_name are refused upstream in an order, though not in a filter.
      const isLenient = clauses.some((clause) => /run name/i.test(clause));
      if (!isLenient) expect(ours).toMatchObject({ code: "INVALID_PARAMETER_VALUE" });
      return;
    }
    const seen = new Set<string>();
    const expected = answer
      .map(([entity, key, ascending]) => [
        entity,
        key === "timestamp" ? "last_updated_timestamp" : key,
        ascending,
      ])
      .filter(([, key]) => !seen.has(String(key)) && seen.add(String(key)));
    expect(ours).not.toBeInstanceOf(PlatformError);
    if (ours instanceof PlatformError) return;
    expect(ours.map(({ operand, ascending }) => [operand.entity, operand.key, ascending])).toEqual(expected);
  });
});
