import { uuidHex } from "@millrace/contract";
import { getWebhook, readWebhooks } from "../../db/queries/webhooks.ts";
import { judge } from "../../domain/webhook.ts";
import { checkEventType, eventBody, sampleEvent } from "../../domain/webhook-event.ts";
import type { UseCase } from "../handler.ts";
import { dashed } from "../webhook-outbox.ts";
import { secretBox } from "./secrets.ts";
import { send } from "./send.ts";

/** Sends a made-up event at once, whether or not the webhook is active; once, so that the answer is of now. */
export const testWebhook: UseCase<"testWebhook"> = async (ctx, { webhookId, event }) => {
  const { row, events } = await ctx.db.read(async (reader) => {
    const found = await getWebhook(reader, webhookId);
    const [webhook] = await readWebhooks(reader, [found]);
    return { row: found, events: webhook!.events! };
  });
  const { entity, action } = event ?? events[0]!;
  const type = checkEventType(entity, action);
  const secret = row.secret === null ? undefined : (await secretBox(ctx)).open(row.secret, webhookId);
  const now = ctx.clock();
  const sent = await send(
    {
      url: row.url,
      deliveryId: dashed(uuidHex(ctx.random)),
      body: eventBody(sampleEvent(type), now),
      secret,
    },
    ctx.settings.webhooks,
    now,
  );
  const verdict = judge(sent, 1, 0, 0);
  if (sent.kind !== "answered") {
    return { result: { success: false, errorMessage: `Failed to test webhook: ${sent.reason}` } };
  }
  const isRedirect = sent.status >= 300 && sent.status < 400;
  return {
    result: {
      success: verdict.next === "done",
      responseStatus: sent.status,
      responseBody: sent.answer ?? "",
      errorMessage: isRedirect && verdict.next === "give-up" ? verdict.reason : undefined,
    },
  };
};
