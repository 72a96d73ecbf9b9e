/**
 * A checked filter. It holds canonical keys and plain values only, so that two spellings of one question
 * give equal trees and the SQL compiler, the plain predicate and the printer need no second look at the text.
 */
export type Filter = AndFilter | OrFilter | NotFilter | Condition;

export type Condition = Comparison | InCondition | BetweenCondition | NullCondition;

/** Every term holds. No terms: everything matches (the empty filter). */
export interface AndFilter {
  readonly kind: "and";
  readonly terms: readonly Filter[];
}

/** At least one term holds. The parser makes two terms or more. */
export interface OrFilter {
  readonly kind: "or";
  readonly terms: readonly Filter[];
}

/** The term does not hold. Unlike `!=`, this matches what lacks the key. */
export interface NotFilter {
  readonly kind: "not";
  readonly term: Filter;
}

/** False when the left side has no value, whatever the operator. */
export interface Comparison {
  readonly kind: "comparison";
  readonly left: Operand;
  readonly operator: ComparisonOperator;
  readonly value: FilterValue;
}

/** `IN` is a disjunction of `=`, `NOT IN` a conjunction of `!=`; both are false when the left side has no value. */
export interface InCondition {
  readonly kind: "in";
  readonly left: Operand;
  readonly negated: boolean;
  readonly values: readonly FilterValue[];
}

/** Both ends belong to the range. Both forms are false when the left side has no value (or is NaN). */
export interface BetweenCondition {
  readonly kind: "between";
  readonly left: Operand;
  readonly negated: boolean;
  readonly low: FilterValue;
  readonly high: FilterValue;
}

/** `IS NULL`: the left side has no value. A metric whose latest value is NaN has one. */
export interface NullCondition {
  readonly kind: "null";
  readonly left: Operand;
  readonly negated: boolean;
}

export type ComparisonOperator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "LIKE" | "ILIKE";

/**
 * Text, or a number as a double: integers beyond 2^53 are rounded to the nearest one, as MLflow does for
 * metrics, and `1e999` is Infinity, which is above every stored value (±Infinity is stored as ±1.797e308).
 */
export type FilterValue = string | number;

/** Which of a run's values of one metric is meant. `last` is the latest, and what a bare `metrics.x` means. */
export type Aggregate = "last" | "min" | "max" | "first";

export type Operand =
  | { readonly entity: "attribute"; readonly key: string }
  | { readonly entity: "metric"; readonly key: string; readonly aggregate: Aggregate }
  | { readonly entity: "param"; readonly key: string }
  | { readonly entity: "tag"; readonly key: string }
  | { readonly entity: "dataset"; readonly key: DatasetKey };

export type OperandEntity = Operand["entity"];

export type DatasetKey = "name" | "digest" | "context";

/** One field of an order, most significant first in a list. */
export interface OrderTerm {
  readonly operand: Operand;
  readonly ascending: boolean;
  /** For a logged model's metric: only values on this dataset count. */
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** The filter that everything matches. */
export const everything: AndFilter = { kind: "and", terms: [] };

/** Joins filters so that all hold, without needless nesting. */
export function allOf(...filters: readonly Filter[]): Filter {
  const terms = filters.flatMap((filter) => (filter.kind === "and" ? filter.terms : [filter]));
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : { kind: "and", terms };
}

/** All conditions of a filter from left to right, however they are joined. */
export function conditionsOf(filter: Filter): readonly Condition[] {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.terms.flatMap(conditionsOf);
    case "not":
      return conditionsOf(filter.term);
    default:
      return [filter];
  }
}
