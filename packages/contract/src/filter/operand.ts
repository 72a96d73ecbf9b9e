import { datasetKeys, findAttribute } from "./entities.ts";
import type { Searchable, SearchableAttribute } from "./entities.ts";
import { unquote, type Token } from "./lexer.ts";
import { problemAt, shown, type TextName } from "./problem.ts";
import type { Aggregate, Operand, OperandEntity } from "./tree.ts";

/** An operand with what decides which operators and values go with it. */
export interface TypedOperand {
  readonly operand: Operand;
  readonly type: SearchableAttribute["type"];
  readonly attribute?: SearchableAttribute;
  /** As messages name it. */
  readonly shown: string;
}

/**
 * Finds what a path such as `params.lr` or `start_time` stands for.
 * @throws PlatformError INVALID_PARAMETER_VALUE when nothing of that name can be searched or ordered by.
 */
export function resolvePath(
  searchable: Searchable,
  path: Token,
  aggregate: Aggregate | undefined,
  textName: TextName,
): TypedOperand {
  const { entity, key } = splitPath(searchable, path, textName);
  if (aggregate !== undefined && (entity !== "metric" || !searchable.aggregates)) {
    const reason =
      entity === "metric"
        ? `a ${searchable.noun} has no ${aggregate}() of a metric`
        : `${aggregate}() takes a metric`;
    throw problemAt(textName, path, `${reason}, found ${shown(path.raw)}.`);
  }
  switch (entity) {
    case "attribute":
      return attributeOperand(searchable, key, path, textName);
    case "dataset": {
      const known = datasetKeys.find((candidate) => candidate === key);
      if (known === undefined) {
        throw problemAt(
          textName,
          path,
          `a dataset has no ${shown(key)}; expected one of ${datasetKeys.join(", ")}.`,
        );
      }
      return { operand: { entity, key: known }, type: "text", shown: path.raw };
    }
    case "metric":
      return {
        operand: { entity, key, aggregate: aggregate ?? "last" },
        type: "number",
        shown: shown(path.raw),
      };
    case "param":
    case "tag":
      return { operand: { entity, key }, type: "text", shown: shown(path.raw) };
  }
}

function attributeOperand(
  searchable: Searchable,
  key: string,
  path: Token,
  textName: TextName,
): TypedOperand {
  const allowed = textName === "filter" ? isFilterable : isOrderable;
  const attribute = findAttribute(searchable, key);
  if (attribute === undefined || !allowed(attribute)) {
    const keys = searchable.attributes.filter(allowed).map((candidate) => candidate.key);
    const verb = textName === "filter" ? "searched" : "ordered";
    throw problemAt(
      textName,
      path,
      `found ${shown(path.raw)}; ${searchable.noun}s are ${verb} by ${choices(searchable, keys, textName)}.`,
    );
  }
  const operand: Operand = { entity: "attribute", key: attribute.key };
  return { operand, type: attribute.type, attribute, shown: attribute.key };
}

function choices(searchable: Searchable, keys: readonly string[], textName: TextName): string {
  const entities = Object.entries(searchable.prefixes)
    .filter(([entity]) => entity !== "attribute")
    .filter(([entity]) => textName === "filter" || searchable.orderEntities.some((known) => known === entity))
    .map(([, spellings]) => `${spellings[0]}.<key>`);
  return [...keys, ...entities].join(", ");
}

const isFilterable = (attribute: SearchableAttribute): boolean => attribute.filterable !== false;
const isOrderable = (attribute: SearchableAttribute): boolean => attribute.orderable !== false;

/** Splits at the first dot only, so that keys may contain dots. */
function splitPath(
  searchable: Searchable,
  path: Token,
  textName: TextName,
): { readonly entity: OperandEntity; readonly key: string } {
  const dot = path.raw.indexOf(".");
  if (dot === -1) return { entity: "attribute", key: keyOf(path.raw) };
  const prefix = withoutQuotes(path.raw.slice(0, dot), "`");
  for (const [entity, spellings] of Object.entries(searchable.prefixes)) {
    if (spellings.includes(prefix)) {
      // Elsewhere MLflow takes a missing key and finds nothing; here it fails.
      if (searchable.bareText && dot === path.raw.length - 1) {
        throw problemAt(textName, path, `expected a key after ${shown(path.raw)}`);
      }
      return { entity: entity as OperandEntity, key: keyOf(path.raw.slice(dot + 1)) };
    }
  }
  const known = Object.values(searchable.prefixes).map((spellings) => spellings[0]);
  throw problemAt(
    textName,
    path,
    `found ${shown(prefix)} before the dot; a ${searchable.noun} has ${known.join(", ")}.`,
  );
}

/** A key without its quotes. MLflow strips straight quotes, then backticks, each once. */
export function keyOf(raw: string): string {
  if (/^[eE]'.*'$/s.test(raw)) return unquote(raw);
  const straight = raw.startsWith('"') ? '"' : "'";
  return withoutQuotes(withoutQuotes(raw, straight), "`");
}

function withoutQuotes(raw: string, quote: string): string {
  const quoted = raw.length >= 2 && raw.startsWith(quote) && raw.endsWith(quote);
  return quoted ? raw.slice(1, -1) : raw;
}
