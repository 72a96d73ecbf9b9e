/** How a search sees versions of registered models. */
import { completeOrder, searchables } from "@millrace/contract/filter";
import { DELETED_STAGE, IS_PROMPT_TAG } from "../../domain/registry.ts";
import type { Dialect, Reader } from "../database.ts";
import { type ModelVersionRow, versionColumns } from "../queries/model-versions.ts";
import { column, compileFilter, type Operands, rowsOf } from "./compile.ts";
import { findPage, type FoundPage } from "./find.ts";
import { promptRule } from "./prompts.ts";
import type { RegistrySearch } from "./registered-models.ts";
import { sql, verbatim } from "./sql.ts";

const columns: Readonly<Record<string, { readonly name: string; readonly nullable?: boolean }>> = {
  name: { name: "m.name" },
  version_number: { name: "v.version" },
  run_id: { name: "v.run_id", nullable: true },
  source_path: { name: "v.source", nullable: true },
  creation_timestamp: { name: "v.creation_time" },
  last_updated_timestamp: { name: "v.last_updated_time" },
};

const operands: Operands = {
  source(operand) {
    if (operand.entity === "attribute") {
      const { name, nullable = false } = columns[operand.key]!;
      return column(name, { nullable });
    }
    return rowsOf(
      sql`model_version_tags t WHERE t.version = v.id AND t.key = ${operand.key}`,
      verbatim("t.value"),
    );
  },
};

/** A model is a prompt here when any of its versions says so. */
const isOfNoPrompt = sql`NOT EXISTS (SELECT 1 FROM model_versions w JOIN model_version_tags p ON p.version = w.id AND p.key = ${IS_PROMPT_TAG} AND p.value = 'true' WHERE w.model = v.model)`;

export function findModelVersions(
  reader: Reader,
  dialect: Dialect,
  { filter, order, limit, position }: RegistrySearch,
): Promise<FoundPage<ModelVersionRow>> {
  const rule = promptRule(filter);
  return findPage(reader, {
    columns: verbatim(versionColumns),
    from: verbatim("model_versions v JOIN registered_models m ON m.id = v.model"),
    where: [
      sql`v.stage <> ${DELETED_STAGE}`,
      compileFilter(rule.filter, operands, dialect),
      ...(rule.leavesOutPrompts ? [isOfNoPrompt] : []),
    ],
    // What versions are ordered by is never missing.
    keys: completeOrder(searchables.modelVersions, order).map(({ operand, ascending }) => ({
      value: verbatim(columns[operand.key]!.name),
      ascending,
    })),
    limit,
    position,
  });
}
