import { valuesOf, type Candidate, type DatasetChoice } from "./candidate.ts";
import { compareValues, foldAscii, like } from "./text.ts";
import type { ComparisonOperator, Condition, Filter, FilterValue } from "./tree.ts";

/**
 * Whether a filter holds. This is the definition that the SQL search must agree with:
 * - a condition on something missing is false, and NOT negates: `NOT params.x = 'a'` matches what lacks x,
 *   `params.x != 'a'` does not;
 * - a NaN satisfies `!=` and NOT IN only;
 * - a condition on a logged model's metric, or on a run's datasets, holds if any single value satisfies it.
 */
export function matches(
  candidate: Candidate,
  filter: Filter,
  datasets: readonly DatasetChoice[] = [],
): boolean {
  switch (filter.kind) {
    case "and":
      return filter.terms.every((term) => matches(candidate, term, datasets));
    case "or":
      return filter.terms.some((term) => matches(candidate, term, datasets));
    case "not":
      return !matches(candidate, filter.term, datasets);
    default: {
      const values = valuesOf(candidate, filter.left, datasets);
      if (filter.kind === "null") return filter.negated === values.length > 0;
      return values.some((value) => satisfies(value, filter));
    }
  }
}

function satisfies(value: FilterValue, condition: Exclude<Condition, { kind: "null" }>): boolean {
  switch (condition.kind) {
    case "comparison":
      return compares(value, condition.operator, condition.value);
    case "in":
      return condition.negated
        ? condition.values.every((other) => compares(value, "!=", other))
        : condition.values.some((other) => compares(value, "=", other));
    case "between": {
      const { negated, low, high } = condition;
      return negated
        ? compares(value, "<", low) || compares(value, ">", high)
        : compares(value, ">=", low) && compares(value, "<=", high);
    }
  }
}

function compares(left: FilterValue, operator: ComparisonOperator, right: FilterValue): boolean {
  if (operator === "LIKE") return like(String(left), String(right));
  if (operator === "ILIKE") return like(foldAscii(String(left)), foldAscii(String(right)));
  if (Number.isNaN(left)) return operator === "!=";
  const order = compareValues(left, right);
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
  }
}
