import { everything, type ComparisonOperator, type Condition } from "./tree.ts";
import type { Filter, FilterValue } from "./tree.ts";
import { operators, searchables } from "./entities.ts";
import type { Searchable, SearchableName } from "./entities.ts";
import { unquote, type Token } from "./lexer.ts";
import { parseSyntax, type ConditionSyntax, type Syntax } from "./parser.ts";
import { resolvePath, type TypedOperand } from "./operand.ts";
import { problemAt, shown } from "./problem.ts";

/**
 * Reads a filter for one kind of thing. The empty text matches everything.
 *
 * Every filter that MLflow 3.17 takes for it has the same meaning here, apart from accidents of its tokenizer.
 * Beyond that: OR, NOT, parentheses, BETWEEN, IN and IS NULL on everything, aggregates of a run's metric.
 * @throws PlatformError INVALID_PARAMETER_VALUE; the message names the column, `details` has position and length.
 */
export function parseFilter(name: SearchableName, text: string): Filter {
  if (text === "") return everything;
  const searchable: Searchable = searchables[name];
  const syntax = parseSyntax(text, { wideKeys: searchable.bareText });
  return syntax === undefined ? everything : checked(searchable, syntax);
}

function checked(searchable: Searchable, syntax: Syntax): Filter {
  switch (syntax.kind) {
    case "and":
    case "or":
      return { kind: syntax.kind, terms: syntax.terms.map((term) => checked(searchable, term)) };
    case "not":
      return { kind: "not", term: checked(searchable, syntax.term) };
    case "condition":
      return checkedCondition(searchable, syntax);
  }
}

function checkedCondition(searchable: Searchable, syntax: ConditionSyntax): Condition {
  const { path, aggregate } = syntax.left;
  const left = resolvePath(searchable, path, aggregate, "filter");
  const operator = checkedOperator(searchable, left, syntax);
  const inList = operator === "IN" || operator === "NOT IN";
  const values = syntax.values.map((token) => valueOf(searchable, left, token, inList));
  const [first, second] = values;
  switch (operator) {
    case "IS NULL":
    case "IS NOT NULL":
      return { kind: "null", left: left.operand, negated: operator === "IS NOT NULL" };
    case "IN":
    case "NOT IN":
      if (values.length === 0 && !searchable.bareText) {
        throw problemAt("filter", syntax.span, "the list is empty; give at least one value.");
      }
      return { kind: "in", left: left.operand, negated: operator === "NOT IN", values };
    case "BETWEEN":
    case "NOT BETWEEN":
      return {
        kind: "between",
        left: left.operand,
        negated: operator === "NOT BETWEEN",
        low: first as FilterValue,
        high: second as FilterValue,
      };
    default:
      return { kind: "comparison", left: left.operand, operator, value: first as FilterValue };
  }
}

type OperatorName = (typeof operators)[keyof typeof operators][number] | ComparisonOperator;

function checkedOperator(
  searchable: Searchable,
  left: TypedOperand,
  { operator, operatorToken }: ConditionSyntax,
): OperatorName {
  const known: readonly OperatorName[] = operators[left.type];
  const found = known.find((candidate) => candidate === operator);
  if (found === undefined) {
    throw problemAt(
      "filter",
      operatorToken,
      `found ${shown(operatorToken.raw)}; ${left.shown} takes one of ${known.join(", ")}.`,
    );
  }
  const mustBeUpper = found === "LIKE" || found === "ILIKE" || found === "IN";
  if (searchable.upperCaseKeywords && mustBeUpper && operatorToken.raw !== found) {
    throw problemAt(
      "filter",
      operatorToken,
      `found ${operatorToken.raw}; write ${found} in upper case for ${searchable.noun}s.`,
    );
  }
  return found;
}

function valueOf(searchable: Searchable, left: TypedOperand, token: Token, inList: boolean): FilterValue {
  if (left.type === "number") return numberOf(left, token);
  if (token.kind === "quoted") {
    return left.type === "integerText" ? integerText(left, token) : unquote(token.raw);
  }
  if (searchable.bareText && (token.kind === "number" || (!inList && !/^0x/i.test(token.raw)))) {
    return token.raw;
  }
  throw problemAt("filter", token, `expected text in quotes for ${left.shown}, found ${shown(token.raw)}.`);
}

function numberOf(left: TypedOperand, token: Token): number {
  if (token.kind === "quoted" && left.attribute?.quotable === true) {
    return Number(integerText(left, token));
  }
  if (token.kind !== "number") {
    throw problemAt(
      "filter",
      token,
      `expected a number without quotes for ${left.shown}, found ${shown(token.raw)}.`,
    );
  }
  if (left.attribute?.whole === true && !isInt64(token.raw)) {
    throw problemAt(
      "filter",
      token,
      `expected a 64-bit integer for ${left.shown}, found ${shown(token.raw)}.`,
    );
  }
  return Number(token.raw) + 0; // no negative zero
}

/** Digits in quotes, in the one spelling that ids have. Space around and a sign are MLflow's tolerance. */
function integerText(left: TypedOperand, token: Token): string {
  const text = unquote(token.raw);
  const digits = text.trim().replace(/^\+(?=\d)/, "");
  if (!isInt64(digits)) {
    throw problemAt(
      "filter",
      token,
      `expected a 64-bit integer in quotes for ${left.shown}, found ${shown(token.raw)}.`,
    );
  }
  return BigInt(digits).toString();
}

function isInt64(digits: string): boolean {
  // 20 characters hold every 64-bit integer; longer runs are not worth converting.
  const plain = digits.replace(/^(-?)0+(?=\d)/, "$1");
  if (!/^-?\d{1,19}$/.test(plain)) return false;
  const integer = BigInt(plain);
  return BigInt.asIntN(64, integer) === integer;
}
