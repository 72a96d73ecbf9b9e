/**
 * Delivers what the outbox holds, at least once each: a delivery is claimed before it is sent and removed after it
 * arrived, so one that a crash interrupted is sent again, under the same id. Receivers tell repetitions by that.
 */
import type { Context } from "../../context.ts";
import {
  claimDeliveries,
  type DeliveryRow,
  deliverySignal,
  dueDeliveries,
  getWebhookRow,
  nextDeliveryTime,
  removeDelivery,
  rescheduleDelivery,
} from "../../db/queries/webhooks.ts";
import { webhookStatuses } from "@millrace/contract";
import { judge, type Outcome } from "../../domain/webhook.ts";
import { secretBox } from "./secrets.ts";
import { send } from "./send.ts";

const DELIVERIES_AT_ONCE_DEFAULT = 10;
/** How long after its time-out a delivery counts as lost, with the server that sent it. */
const LEASE_MARGIN_MS = 5_000;
/** What another server put off, or a clock that was set back, is noticed after this time. */
const IDLE_MAX_MS = 30_000;
const AFTER_ERROR_MS = 1_000;

export interface Deliveries {
  /** Begins nothing new, ends what is being sent, and resolves when all is recorded. */
  stop(): Promise<void>;
}

/** Starts delivering. */
export function startDeliveries(ctx: Context): Deliveries {
  const { webhooks } = ctx.settings;
  const atOnceMax = webhooks.deliveriesMax ?? DELIVERIES_AT_ONCE_DEFAULT;
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  let awake = Promise.withResolvers<void>();
  const wake = (): void => awake.resolve();
  const stopListening = deliverySignal(ctx.db).listen(wake);

  const claim = async (): Promise<DeliveryRow[]> => {
    const free = atOnceMax - sending.size;
    if (free <= 0) return [];
    const now = ctx.clock();
    const due = await ctx.db.read((reader) => dueDeliveries(reader, now, free));
    if (due.length === 0) return [];
    const leaseEnd = now + webhooks.requestTimeoutMs + LEASE_MARGIN_MS;
    return ctx.db.write((tx) => claimDeliveries(tx, due, leaseEnd), due.length);
  };

  const deliver = async (row: DeliveryRow): Promise<void> => {
    try {
      await deliverOne(ctx, row, stopping.signal);
    } catch (error) {
      // The claim runs out, and the delivery is due again.
      ctx.log.error({ err: error, delivery: row.delivery_id }, "recording a webhook delivery failed");
    }
  };

  const pause = async (waitMs: number): Promise<void> => {
    const timer = setTimeout(wake, waitMs);
    timer.unref();
    await awake.promise;
    clearTimeout(timer);
    awake = Promise.withResolvers<void>();
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let waitMs = IDLE_MAX_MS;
      try {
        const claimed = await claim();
        for (const row of claimed) {
          const task = deliver(row).finally(() => {
            sending.delete(task);
            wake();
          });
          sending.add(task);
        }
        if (claimed.length > 0) continue;
        // With every place taken, the next end of a delivery wakes the loop.
        if (sending.size < atOnceMax) {
          const next = await ctx.db.read(nextDeliveryTime);
          if (next !== undefined) waitMs = Math.min(Math.max(next - ctx.clock(), 0), IDLE_MAX_MS);
        }
      } catch (error) {
        ctx.log.error({ err: error }, "looking for webhook deliveries failed");
        waitMs = AFTER_ERROR_MS;
      }
      await pause(waitMs);
    }
  };
  const running = loop();

  return {
    async stop() {
      stopping.abort();
      stopListening();
      wake();
      await running;
      await Promise.all(sending);
    },
  };
}

async function deliverOne(ctx: Context, row: DeliveryRow, signal: AbortSignal): Promise<void> {
  const { webhooks } = ctx.settings;
  const webhook = await ctx.db.read((reader) => getWebhookRow(reader, row.webhook));
  // Nobody wants it any more.
  if (webhook === undefined || webhook.status !== webhookStatuses.ACTIVE) {
    await ctx.db.write((tx) => removeDelivery(tx, row.id));
    return;
  }
  const facts = {
    webhook: webhook.webhook_id,
    delivery: row.delivery_id,
    url: webhook.url,
    attempt: row.attempts,
  };
  let outcome: Outcome;
  try {
    const secret =
      webhook.secret === null ? undefined : (await secretBox(ctx)).open(webhook.secret, webhook.webhook_id);
    outcome = await send(
      { url: webhook.url, deliveryId: row.delivery_id, body: row.body, secret },
      webhooks,
      ctx.clock(),
      signal,
    );
  } catch (error) {
    outcome = { kind: "refused", reason: (error as Error).message };
  }
  const verdict = judge(outcome, row.attempts, webhooks.requestRetriesMax, jitter(ctx));
  if (signal.aborted && verdict.next !== "done") {
    // The server stops, which is not the receiver's fault: due again at once, after the next start.
    await ctx.db.write((tx) => rescheduleDelivery(tx, row.id, ctx.clock()));
    return;
  }
  switch (verdict.next) {
    case "done":
      ctx.log.debug(facts, "webhook delivered");
      await ctx.db.write((tx) => removeDelivery(tx, row.id));
      return;
    case "retry":
      ctx.log.info(
        { ...facts, reason: verdict.reason, delayMs: verdict.delayMs },
        "webhook will be sent again",
      );
      await ctx.db.write((tx) => rescheduleDelivery(tx, row.id, ctx.clock() + verdict.delayMs));
      return;
    case "give-up":
      ctx.log.warn({ ...facts, reason: verdict.reason }, "webhook given up");
      await ctx.db.write((tx) => removeDelivery(tx, row.id));
  }
}

/** Between 0 and 1. */
function jitter(ctx: Context): number {
  const bytes = new Uint8Array(2);
  ctx.random(bytes);
  return (bytes[0]! * 256 + bytes[1]!) / 65_536;
}
