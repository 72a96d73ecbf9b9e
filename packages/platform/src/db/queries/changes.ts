/** The change feed: what changed, in the order of commits. */
import type { Reader, Transaction } from "../database.ts";

export type ChangedEntity = "experiment" | "run" | "logged_model" | "registered_model" | "model_version";
export type ChangeKind = "created" | "updated" | "deleted" | "restored" | "metrics";

export async function recordChange(
  tx: Transaction,
  now: number,
  entity: ChangedEntity,
  id: string,
  kind: ChangeKind,
  experiment: number | null = null,
): Promise<void> {
  await tx.run("INSERT INTO changes (time, entity, entity_id, experiment, kind) VALUES (?, ?, ?, ?, ?)", [
    now,
    entity,
    id,
    experiment,
    kind,
  ]);
}

export interface ChangeRow {
  readonly sequence: number;
  readonly time: number;
  readonly entity: string;
  readonly entity_id: string;
  readonly experiment: number | null;
  readonly kind: string;
}

export async function changesAfter(reader: Reader, sequence: number, countMax: number): Promise<ChangeRow[]> {
  return reader.all<ChangeRow>("SELECT * FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?", [
    sequence,
    countMax,
  ]);
}

/** First and last sequence kept; zeros when the feed is empty. */
export async function changeBounds(reader: Reader): Promise<{ first: number; last: number }> {
  const row = await reader.get<{ first: number | null; last: number | null }>(
    "SELECT min(sequence) AS first, max(sequence) AS last FROM changes",
  );
  return { first: row?.first ?? 0, last: row?.last ?? 0 };
}

/** Forgets what is older; answers how many entries went. */
export async function forgetChanges(tx: Transaction, before: number, countMax: number): Promise<number> {
  return tx.run(
    // The newest entry stays, so that a cursor from before the others can be told to reload.
    "DELETE FROM changes WHERE sequence IN (SELECT sequence FROM changes WHERE time < ? AND sequence < (SELECT max(sequence) FROM changes) ORDER BY sequence LIMIT ?)",
    [before, countMax],
  );
}
