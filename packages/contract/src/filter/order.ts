import { invalidParameter } from "../errors.ts";
import { aggregates, findAttribute, searchables, type Searchable } from "./entities.ts";
import type { SearchableName } from "./entities.ts";
import { tokenize, type Token } from "./lexer.ts";
import { keyOf, resolvePath } from "./operand.ts";
import { isDoubleQuoted } from "./parser.ts";
import { printOperand } from "./print.ts";
import { problemAt, shown } from "./problem.ts";
import type { Aggregate, OrderTerm } from "./tree.ts";

/** Kinds of things whose order is written as text; logged models take objects. */
export type TextOrdered = Exclude<SearchableName, "loggedModels">;

/**
 * Reads order_by clauses such as `metrics.loss ASC`, `min(metrics.loss)` or `start_time DESC`.
 * ASC is the default. The result holds what was asked for; what follows it is in `searchables`.
 * @throws PlatformError INVALID_PARAMETER_VALUE with the clause and the position in it; also for a field that
 * occurs twice, where MLflow refuses it.
 */
export function parseOrderBy(name: TextOrdered, clauses: readonly string[]): readonly OrderTerm[] {
  const searchable: Searchable = searchables[name];
  return withoutDuplicates(
    searchable,
    clauses.map((clause) => parseClause(searchable, clause)),
  );
}

function parseClause(searchable: Searchable, clause: string): OrderTerm {
  const tokens = tokenize(clause, { textName: "order_by" });
  let at = 0;
  const peek = (): Token => tokens[at] ?? (tokens.at(-1) as Token);
  const unexpected = (expected: string) =>
    problemAt(
      "order_by",
      peek(),
      `expected ${expected}, found ${peek().kind === "end" ? "the end" : shown(peek().raw)}.`,
    );
  const readPath = (): Token => {
    const token = peek();
    if (token.kind !== "name" && !isDoubleQuoted(token)) throw unexpected("a field to order by");
    at++;
    return token;
  };

  let path = readPath();
  let aggregate: Aggregate | undefined;
  if (peek().raw === "(") {
    aggregate = aggregates.find((known) => known === path.raw.toLowerCase());
    if (aggregate === undefined) {
      throw problemAt(
        "order_by",
        path,
        `found the function ${shown(path.raw)}; expected one of ${aggregates.join(", ")}.`,
      );
    }
    at++;
    path = readPath();
    if (peek().raw !== ")") throw unexpected(")");
    at++;
  }
  const direction = peek().raw.toUpperCase();
  if (peek().kind !== "end") {
    if (direction !== "ASC" && direction !== "DESC") throw unexpected("ASC, DESC or the end");
    at++;
    if (peek().kind !== "end") throw unexpected("the end");
  }
  const { operand } = resolvePath(searchable, withoutOuterQuotes(path), aggregate, "order_by");
  if (!searchable.orderEntities.includes(operand.entity)) {
    throw problemAt("order_by", path, `${searchable.noun}s cannot be ordered by ${shown(path.raw)}.`);
  }
  return { operand, ascending: direction !== "DESC" };
}

/** In an order the quotes may surround the whole path: `` `metrics.a b` DESC ``. */
function withoutOuterQuotes(path: Token): Token {
  const [quote = ""] = path.raw;
  const inner = path.raw.slice(1, -1);
  const whole = '`"'.includes(quote) && path.raw.endsWith(quote) && !inner.includes(quote);
  return whole && inner.includes(".") ? { ...path, raw: inner } : path;
}

/** One element of order_by of logged-models/search, as it comes over the wire. */
export interface LoggedModelOrder {
  readonly field_name?: string | undefined;
  readonly ascending?: boolean | undefined;
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
}

/**
 * Checks the order of a search for logged models: an attribute, or `metrics.<key>`, if wanted on one dataset.
 * @throws PlatformError INVALID_PARAMETER_VALUE naming the element.
 */
export function checkLoggedModelOrder(order: readonly LoggedModelOrder[]): readonly OrderTerm[] {
  const searchable: Searchable = searchables.loggedModels;
  return withoutDuplicates(
    searchable,
    order.map((element, index) => loggedModelTerm(searchable, element, index)),
  );
}

function loggedModelTerm(searchable: Searchable, element: LoggedModelOrder, index: number): OrderTerm {
  const field = element.field_name ?? "";
  const ascending = element.ascending ?? true;
  const metric = /^metrics\.(?<key>.+)$/su.exec(field)?.groups?.["key"];
  if (metric !== undefined) {
    return {
      operand: { entity: "metric", key: keyOf(metric), aggregate: "last" },
      ascending,
      ...(element.dataset_name ? { datasetName: element.dataset_name } : {}),
      ...(element.dataset_digest ? { datasetDigest: element.dataset_digest } : {}),
    };
  }
  const attribute = findAttribute(searchable, field.replace(/^attributes\./, ""));
  if (attribute === undefined) {
    const keys = searchable.attributes.map(({ key }) => key).join(", ");
    throw invalidParameter(
      `order_by[${index}].field_name is ${field === "" ? "empty" : shown(field)}; logged models are ordered by metrics.<key>, ${keys}.`,
      { path: `order_by[${index}].field_name` },
    );
  }
  return { operand: { entity: "attribute", key: attribute.key }, ascending };
}

function withoutDuplicates(searchable: Searchable, terms: readonly OrderTerm[]): readonly OrderTerm[] {
  const seen = new Set<string>();
  return terms.filter((term, index) => {
    const field = printOperand(term.operand);
    const key = JSON.stringify([field, term.datasetName, term.datasetDigest]);
    if (!seen.has(key)) return seen.add(key);
    if (searchable.duplicateOrder === "ignored") return false;
    throw invalidParameter(`order_by names ${field} twice; name it once.`, {
      path: `order_by[${index}]`,
    });
  });
}
