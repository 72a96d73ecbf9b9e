/**
 * The outbox of webhooks: an event is recorded with the change that it tells of, in one transaction, so neither
 * exists without the other. What delivers it waits for the commit.
 */
import { uuidHex } from "@millrace/contract";
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import { addDelivery, deliverySignal, subscribers } from "../db/queries/webhooks.ts";
import { type Event, eventBody } from "../domain/webhook-event.ts";

/** Records an event for every webhook that asked for it; one look into an index when none did. */
export async function emitEvent(
  ctx: Pick<Context, "db" | "random" | "clock">,
  tx: Transaction,
  event: Event,
): Promise<void> {
  const webhooks = await subscribers(tx, event);
  if (webhooks.length === 0) return;
  const now = ctx.clock();
  const body = eventBody(event, now);
  for (const webhook of webhooks) await addDelivery(tx, webhook, dashed(uuidHex(ctx.random)), body, now);
  tx.onCommit(() => deliverySignal(ctx.db).notify());
}

/** A UUID with its dashes. */
export function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
