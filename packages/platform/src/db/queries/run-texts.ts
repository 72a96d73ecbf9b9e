/** Params (written once) and tags (overwritten) of runs. */
import { invalidParameter } from "@millrace/contract";
import type { Text } from "../../domain/batch.ts";
import type { SqlValue, Transaction } from "../database.ts";
import { internKeys, type KeyCache } from "./keys.ts";
import type { RunKey } from "./runs.ts";

const ROWS_PER_STATEMENT = 25;

const valuesLists = new Map<number, string>();

/** Placeholders of so many rows of so many columns. */
export function valuesList(rows: number, columns: number): string {
  const name = rows * 100 + columns;
  let text = valuesLists.get(name);
  if (text === undefined) {
    const row = `(${Array.from({ length: columns }, () => "?").join(", ")})`;
    text = Array.from({ length: rows }, () => row).join(", ");
    valuesLists.set(name, text);
  }
  return text;
}

async function insert(
  tx: Transaction,
  table: "params" | "tags",
  tail: string,
  rows: readonly SqlValue[][],
): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const part = rows.slice(start, start + ROWS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO ${table} (run, key, value, experiment) VALUES ${valuesList(part.length, 4)}${tail}`,
      part.flat(),
    );
  }
}

/**
 * Adds params. The same value again is fine.
 * @throws PlatformError INVALID_PARAMETER_VALUE when a param has another value already; nothing is written then
 */
export async function addParams(
  tx: Transaction,
  cache: KeyCache,
  run: RunKey,
  params: readonly Text[],
): Promise<void> {
  if (params.length === 0) return;
  const keys = await internKeys(
    tx,
    cache,
    params.map((param) => param.key),
  );
  const before = new Map<number, string>();
  if (params.length > 4) {
    const rows = await tx.all<{ key: number; value: string }>("SELECT key, value FROM params WHERE run = ?", [
      run.id,
    ]);
    for (const { key, value } of rows) before.set(key, value);
  } else {
    for (const key of keys) {
      const row = await tx.get<{ value: string }>("SELECT value FROM params WHERE run = ? AND key = ?", [
        run.id,
        key,
      ]);
      if (row !== undefined) before.set(key, row.value);
    }
  }
  const changed: { key: string; old: string; value: string }[] = [];
  const rows: SqlValue[][] = [];
  params.forEach(({ key, value }, index) => {
    const old = before.get(keys[index]!);
    if (old === undefined) rows.push([run.id, keys[index]!, value, run.experiment]);
    else if (old !== value) changed.push({ key, old, value });
  });
  if (changed.length > 0) throw paramsChanged(run.run_id, changed);
  await insert(tx, "params", "", rows);
}

function paramsChanged(
  runId: string,
  changed: readonly { key: string; old: string; value: string }[],
): Error {
  const first = changed[0]!;
  const message =
    changed.length === 1
      ? `Changing param values is not allowed. Param with key='${first.key}' was already logged with value='${first.old}' for run ID='${runId}'. Attempted logging new value '${first.value}'.`
      : `Changing param values is not allowed. Params were already logged='[${changed
          .map(({ key, old, value }) => `{'key': '${key}', 'old_value': '${old}', 'new_value': '${value}'}`)
          .join(", ")}]' for run ID='${runId}'.`;
  return invalidParameter(message, { runId, keys: changed.map(({ key }) => key) });
}

/** Sets tags; a later value replaces an earlier one. */
export async function setTags(
  tx: Transaction,
  cache: KeyCache,
  run: RunKey,
  tags: readonly Text[],
): Promise<void> {
  if (tags.length === 0) return;
  const keys = await internKeys(
    tx,
    cache,
    tags.map((tag) => tag.key),
  );
  await insert(
    tx,
    "tags",
    " ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
    tags.map(({ value }, index) => [run.id, keys[index]!, value, run.experiment]),
  );
}
