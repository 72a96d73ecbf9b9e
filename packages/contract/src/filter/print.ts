import { invalidParameter } from "../errors.ts";
import { quoteEscaped } from "./lexer.ts";
import type { Condition, Filter, FilterValue, Operand, OrderTerm } from "./tree.ts";

/**
 * The canonical text of a filter: `parseFilter` reads it back to an equal tree. Equal trees have equal texts,
 * so the text also serves as a key, for example of a page token.
 * @throws PlatformError INVALID_PARAMETER_VALUE for a tree that no text means (NaN as value, an empty OR).
 */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case "and":
      return filter.terms.map((term) => inside(term, ["and", "or"])).join(" AND ");
    case "or":
      if (filter.terms.length === 0) throw invalidParameter("An OR without terms has no text.");
      return filter.terms.map((term) => inside(term, ["or"])).join(" OR ");
    case "not":
      return `NOT ${inside(filter.term, ["and", "or"])}`;
    default:
      return printCondition(filter);
  }
}

function inside(term: Filter, needParentheses: readonly Filter["kind"][]): string {
  if (term.kind === "and" && term.terms.length === 0) {
    throw invalidParameter("Only a whole filter can be empty; a part of one has no text then.");
  }
  const text = printFilter(term);
  return needParentheses.includes(term.kind) ? `(${text})` : text;
}

function printCondition(condition: Condition): string {
  const left = printOperand(condition.left);
  switch (condition.kind) {
    case "comparison":
      return `${left} ${condition.operator} ${printValue(condition.value)}`;
    case "in":
      return `${left} ${negation(condition)}IN (${condition.values.map(printValue).join(", ")})`;
    case "between":
      return `${left} ${negation(condition)}BETWEEN ${printValue(condition.low)} AND ${printValue(condition.high)}`;
    case "null":
      return `${left} IS ${negation(condition)}NULL`;
  }
}

const negation = ({ negated }: { readonly negated: boolean }): string => (negated ? "NOT " : "");

const prefixOf = { metric: "metrics", param: "params", tag: "tags", dataset: "dataset" } as const;

/** An operand as filters and order_by write it. */
export function printOperand(operand: Operand): string {
  if (operand.entity === "attribute") return operand.key;
  const path = `${prefixOf[operand.entity]}.${printKey(operand.key)}`;
  return operand.entity === "metric" && operand.aggregate !== "last" ? `${operand.aggregate}(${path})` : path;
}

/** One clause of order_by. */
export function printOrderTerm({ operand, ascending }: OrderTerm): string {
  return `${printOperand(operand)} ${ascending ? "ASC" : "DESC"}`;
}

// SQL words that MLflow's tokenizer does not take as a key without quotes.
const sqlWords =
  /(?:^|\.)(?:in|from|case|join|values|set|using|as|and|or|not|asc|desc|end|if|for|then|when|where|group|order|like|ilike|is|null|between|over)(?:\.|$)/i;

/** A key as it follows the dot, quoted where it must be. */
export function printKey(key: string): string {
  if (/^[a-z_]\w*(?:\.[a-z_]\w*)*$/i.test(key) && !sqlWords.test(key)) return key;
  return key.includes("`") ? quoteEscaped(key) : `\`${key}\``;
}

/** A value as a filter writes it: in single quotes if it can, in double quotes or escaped otherwise. */
export function printValue(value: FilterValue): string {
  if (typeof value === "string") return printText(value);
  if (Number.isNaN(value)) throw invalidParameter("NaN cannot be written in a filter.");
  if (!Number.isFinite(value)) return value > 0 ? "1e999" : "-1e999";
  return String(value).replace("e+", "e");
}

function printText(text: string): string {
  // A backslash before the closing quote would keep the quote inside.
  if (text.endsWith("\\")) return quoteEscaped(text);
  if (!text.includes("'")) return `'${text}'`;
  return text.includes('"') ? quoteEscaped(text) : `"${text}"`;
}
