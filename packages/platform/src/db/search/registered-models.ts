/** How a search sees registered models. */
import { completeOrder, type Filter, type OrderTerm, searchables } from "@millrace/contract/filter";
import { IS_PROMPT_TAG } from "../../domain/registry.ts";
import type { Dialect, Reader } from "../database.ts";
import type { RegisteredModelRow } from "../queries/registered-models.ts";
import { column, compileFilter, type Operands, rowsOf } from "./compile.ts";
import { findPage, type FoundPage } from "./find.ts";
import type { SortPosition } from "./order.ts";
import { promptRule } from "./prompts.ts";
import { sql, verbatim } from "./sql.ts";

const columns: Readonly<Record<string, string>> = {
  name: "m.name",
  last_updated_timestamp: "m.last_updated_time",
};

const operands: Operands = {
  source(operand) {
    if (operand.entity === "attribute") return column(columns[operand.key]!);
    return rowsOf(
      sql`registered_model_tags t WHERE t.model = m.id AND t.key = ${operand.key}`,
      verbatim("t.value"),
    );
  },
};

const isNoPrompt = sql`NOT EXISTS (SELECT 1 FROM registered_model_tags p WHERE p.model = m.id AND p.key = ${IS_PROMPT_TAG} AND p.value = 'true')`;

export interface RegistrySearch {
  readonly filter: Filter;
  readonly order: readonly OrderTerm[];
  readonly limit: number;
  readonly position?: SortPosition | undefined;
}

export function findRegisteredModels(
  reader: Reader,
  dialect: Dialect,
  { filter, order, limit, position }: RegistrySearch,
): Promise<FoundPage<RegisteredModelRow>> {
  const rule = promptRule(filter);
  return findPage(reader, {
    columns: verbatim("m.id, m.name, m.description, m.creation_time, m.last_updated_time"),
    from: verbatim("registered_models m"),
    where: [compileFilter(rule.filter, operands, dialect), ...(rule.leavesOutPrompts ? [isNoPrompt] : [])],
    keys: completeOrder(searchables.registeredModels, order).map(({ operand, ascending }) => ({
      value: verbatim(columns[operand.key]!),
      ascending,
    })),
    limit,
    position,
  });
}
