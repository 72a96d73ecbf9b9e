import { findAttribute, searchables, type Searchable, type SearchableName } from "./entities.ts";
import type { Condition, Filter } from "./tree.ts";

/** What this language has beyond MLflow's, as far as a tree shows it. */
export type Extension = "OR" | "NOT" | "BETWEEN" | "IN" | "IS NULL" | "aggregate";

/**
 * The additions that a filter uses. None: a stock MLflow server takes the printed filter too. For clients
 * that talk to both, and for the proof that nothing else is accepted that MLflow refuses.
 */
export function extensionsUsed(name: SearchableName, filter: Filter): ReadonlySet<Extension> {
  const found = new Set<Extension>();
  const searchable: Searchable = searchables[name];
  const visit = (node: Filter): void => {
    switch (node.kind) {
      case "or":
        found.add("OR");
        node.terms.forEach(visit);
        break;
      case "and":
        node.terms.forEach(visit);
        break;
      case "not":
        found.add("NOT");
        visit(node.term);
        break;
      default:
        for (const extension of ofCondition(searchable, node)) found.add(extension);
    }
  };
  visit(filter);
  return found;
}

function ofCondition(searchable: Searchable, condition: Condition): readonly Extension[] {
  const { left } = condition;
  const found: Extension[] = [];
  if (left.entity === "metric" && left.aggregate !== "last") found.push("aggregate");
  if (condition.kind === "between") found.push("BETWEEN");
  if (condition.kind === "null" && !searchable.mlflow.nulls.includes(left.entity)) {
    found.push("IS NULL");
  }
  if (condition.kind === "in") {
    const inMlflow =
      left.entity === "attribute"
        ? findAttribute(searchable, left.key)?.listInMlflow === true
        : searchable.mlflow.lists.includes(left.entity);
    if (!inMlflow) found.push("IN");
  }
  return found;
}
