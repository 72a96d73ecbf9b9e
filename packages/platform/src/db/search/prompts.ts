/**
 * Prompts are models with a tag. Registry searches leave them out unless the filter asks for them; then, and only
 * then, what it says of the tag counts. So `!= 'true'`, which clients send with every search for models, matches the
 * ordinary models that lack the tag.
 */
import { allOf, conditionsOf, everything, type Condition, type Filter } from "@millrace/contract/filter";
import { IS_PROMPT_TAG } from "../../domain/registry.ts";

export interface PromptRule {
  readonly leavesOutPrompts: boolean;
  /** The filter without what it says of the tag, if prompts are left out. */
  readonly filter: Filter;
}

export function promptRule(filter: Filter): PromptRule {
  const first = conditionsOf(filter).find(isOnTag);
  if (first !== undefined && asksForPrompts(first)) return { leavesOutPrompts: false, filter };
  return { leavesOutPrompts: true, filter: first === undefined ? filter : withoutTag(filter) };
}

function isOnTag(condition: Condition): boolean {
  return condition.left.entity === "tag" && condition.left.key === IS_PROMPT_TAG;
}

function asksForPrompts(condition: Condition): boolean {
  if (condition.kind !== "comparison") return false;
  const value = String(condition.value).toLowerCase();
  return (
    (condition.operator === "=" && value === "true") || (condition.operator === "!=" && value === "false")
  );
}

function withoutTag(filter: Filter): Filter {
  switch (filter.kind) {
    case "and":
      return allOf(...filter.terms.map(withoutTag));
    case "or":
      return { kind: "or", terms: filter.terms.map(withoutTag) };
    case "not":
      return isCondition(filter.term) && isOnTag(filter.term)
        ? everything
        : { kind: "not", term: withoutTag(filter.term) };
    default:
      return isOnTag(filter) ? everything : filter;
  }
}

function isCondition(filter: Filter): filter is Condition {
  return filter.kind !== "and" && filter.kind !== "or" && filter.kind !== "not";
}
