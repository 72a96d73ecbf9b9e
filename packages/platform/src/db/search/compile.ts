/**
 * Filter trees as SQL conditions. A condition is true or false and never NULL, so that NOT negates; what an
 * operand means is asked of the entity that is searched. The meaning is that of `matches` in the contract.
 */
import { invalidParameter } from "@millrace/contract";
import type { ComparisonOperator, Condition, Filter, FilterValue, Operand } from "@millrace/contract/filter";
import type { Dialect } from "../database.ts";
import { allHold, always, anyHolds, join, list, never, type Sql, sql, verbatim } from "./sql.ts";

/** Longest LIKE pattern in UTF-16 units: SQLite refuses those above 50,000 bytes. */
const PATTERN_LENGTH_MAX = 10_000;

/** Where the values of an operand are. */
export interface ValueSource {
  /** One value, as a column of whatever `exists` looks into. It may be NULL, which means: no value. */
  readonly value: Sql;
  /** Holds for a value that is NaN; `value` says nothing then. */
  readonly isNan?: Sql;
  /** Turns a test of one value, which may be NULL, into a condition that is true or false. */
  exists(test: Sql): Sql;
}

/** What a search must know of the entity that it searches. */
export interface Operands {
  /** Undefined when nothing can have a value, for instance for a key that was never logged. */
  source(operand: Operand): ValueSource | undefined;
  /** An own translation of a condition, where a better one than by its values is known. */
  condition?(condition: Condition): Sql | undefined;
}

export function compileFilter(filter: Filter, operands: Operands, dialect: Dialect): Sql {
  const compile = (term: Filter): Sql => compileFilter(term, operands, dialect);
  switch (filter.kind) {
    case "and":
      return allHold(filter.terms.map(compile));
    case "or":
      return anyHolds(filter.terms.map(compile));
    case "not":
      return sql`NOT (${compile(filter.term)})`;
    default:
      return operands.condition?.(filter) ?? byValues(filter, operands, dialect);
  }
}

function byValues(condition: Condition, operands: Operands, dialect: Dialect): Sql {
  const source = operands.source(condition.left);
  if (condition.kind === "null") {
    if (source === undefined) return condition.negated ? never : always;
    const present = source.exists(sql`${source.value} IS NOT NULL`);
    return condition.negated ? present : sql`NOT ${present}`;
  }
  return source === undefined ? never : source.exists(testOf(condition, source, dialect));
}

/** A test of one value; NaN satisfies `!=` and NOT IN only. */
export function testOf(
  condition: Exclude<Condition, { kind: "null" }>,
  source: ValueSource,
  dialect: Dialect,
): Sql {
  const test = plainTest(condition, source.value, dialect);
  if (source.isNan === undefined) return test;
  const nanPasses =
    (condition.kind === "comparison" && condition.operator === "!=") ||
    (condition.kind === "in" && condition.negated);
  return nanPasses ? sql`(${source.isNan} OR ${test})` : sql`(NOT ${source.isNan} AND ${test})`;
}

function plainTest(condition: Exclude<Condition, { kind: "null" }>, value: Sql, dialect: Dialect): Sql {
  switch (condition.kind) {
    case "comparison":
      return comparison(value, condition.operator, condition.value, dialect);
    case "in": {
      if (condition.values.length === 0) return condition.negated ? sql`${value} IS NOT NULL` : never;
      return sql`${value} ${verbatim(condition.negated ? "NOT IN" : "IN")} ${list(condition.values)}`;
    }
    case "between":
      return sql`${value} ${verbatim(condition.negated ? "NOT BETWEEN" : "BETWEEN")} ${condition.low} AND ${condition.high}`;
  }
}

function comparison(value: Sql, operator: ComparisonOperator, other: FilterValue, dialect: Dialect): Sql {
  if (operator !== "LIKE" && operator !== "ILIKE") {
    return sql`${value} ${verbatim(operator === "!=" ? "<>" : operator)} ${other}`;
  }
  const pattern = String(other);
  if (pattern.length > PATTERN_LENGTH_MAX) {
    throw invalidParameter(
      `A ${operator} pattern may have ${PATTERN_LENGTH_MAX} characters; this one has ${pattern.length}.`,
      { length: pattern.length },
    );
  }
  const matched = (operator === "LIKE" ? dialect.like : dialect.ilike)(value.text, pattern);
  return join([{ text: matched.sql, parameters: [...value.parameters, matched.parameter] }], "");
}

/** A column of the searched row itself. */
export function column(name: string, options: { readonly nullable?: boolean } = {}): ValueSource {
  const value = verbatim(name);
  return {
    value,
    exists: (test) => (options.nullable === true ? sql`(${value} IS NOT NULL AND ${test})` : test),
  };
}

/**
 * Values in rows of another table that belong to the searched row. `IS TRUE` changes nothing but SQLite's plan: a bare
 * EXISTS becomes a join and is asked last, after rows were read that it would have spared.
 */
export function rowsOf(from: Sql, value: Sql, isNan?: Sql): ValueSource {
  return {
    value,
    ...(isNan === undefined ? {} : { isNan }),
    exists: (test) => sql`EXISTS (SELECT 1 FROM ${from} AND ${test}) IS TRUE`,
  };
}
