/**
 * The change feed. A cursor is a position in the order of commits; without one the feed starts now. What is older than
 * a day is forgotten: a cursor from before that is told to reload.
 */
import type { Context } from "../../context.ts";
import { changeBounds, changesAfter, forgetChanges } from "../../db/queries/changes.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";

const KEPT_MS = 24 * 3600 * 1000;
const FORGOTTEN_PER_STEP = 2_000;
const PAGE_DEFAULT = 1_000;

export const listChanges: UseCase<"listChanges"> = async (ctx, { cursor, maxResults }) => {
  const size = Math.min(Math.max(maxResults ?? PAGE_DEFAULT, 1), ctx.limits.changesPerPageMax);
  const after = cursor ? (decodePageToken(ctx, "changes", cursor)[0] as number) : undefined;
  return ctx.db.read(async (reader) => {
    const { first, last } = await changeBounds(reader);
    const at = (sequence: number): string => encodePageToken(ctx, "changes", [sequence]);
    if (after === undefined) return { cursor: at(last) };
    // Entries between the cursor and the first one kept were forgotten.
    if (after + 1 < first) return { cursor: at(last), reload: true };
    const rows = await changesAfter(reader, after, size);
    return {
      changes: rows.map((row) => ({
        sequence: row.sequence,
        timestamp: row.time,
        entity: row.entity,
        id: row.entity_id,
        experimentId: row.experiment === null ? undefined : String(row.experiment),
        kind: row.kind,
      })),
      cursor: at(rows.at(-1)?.sequence ?? after),
    };
  });
};

/** Forgets changes older than a day, a bounded number at a time. */
export async function forgetOldChanges(ctx: Context): Promise<void> {
  while (
    (await ctx.db.background((tx) => forgetChanges(tx, ctx.clock() - KEPT_MS, FORGOTTEN_PER_STEP))) ===
    FORGOTTEN_PER_STEP
  );
}
