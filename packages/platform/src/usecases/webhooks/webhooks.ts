import { invalidParameter, uuidHex, type Webhook, webhookStatuses } from "@millrace/contract";
import type { Reader } from "../../db/database.ts";
import {
  getWebhook as getRow,
  insertWebhook,
  listWebhooks as listRows,
  readWebhooks,
  removeWebhook,
  setWebhookEvents,
  updateWebhook as updateRow,
  type WebhookRow,
} from "../../db/queries/webhooks.ts";
import { checkWebhookEvents, checkWebhookName } from "../../domain/webhook.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { dashed } from "../webhook-outbox.ts";
import { checkWebhookAddress } from "./addresses.ts";
import { secretBox } from "./secrets.ts";

async function readOne(reader: Reader, row: WebhookRow): Promise<{ webhook: Webhook }> {
  const [webhook] = await readWebhooks(reader, [row]);
  return { webhook: webhook! };
}

/** Several webhooks may have one name. */
export const createWebhook: UseCase<"createWebhook"> = async (ctx, request) => {
  const { name, url, description, secret, status = "ACTIVE" } = request;
  checkWebhookName(name);
  const events = checkWebhookEvents(request.events);
  await checkWebhookAddress(url, ctx.settings.webhooks);
  const webhookId = dashed(uuidHex(ctx.random));
  const sealed = secret ? (await secretBox(ctx)).seal(secret, webhookId) : null;
  return ctx.db.write(async (tx) => {
    const now = ctx.clock();
    const row = await insertWebhook(tx, {
      webhook_id: webhookId,
      name,
      description: description || null,
      url,
      status: webhookStatuses[status],
      secret: sealed,
      creation_time: now,
      last_updated_time: now,
    });
    await setWebhookEvents(tx, row.id, events);
    return readOne(tx, row);
  });
};

export const getWebhook: UseCase<"getWebhook"> = async (ctx, { webhookId }) =>
  ctx.db.read(async (reader) => readOne(reader, await getRow(reader, webhookId)));

/** From the newest to the oldest. */
export const listWebhooks: UseCase<"listWebhooks"> = async (ctx, { maxResults = 0, pageToken }) => {
  const { webhooksPerPageDefault, webhooksPerPageMax } = ctx.limits;
  // 0 is what clients send that mean the default.
  const count = maxResults === 0 ? webhooksPerPageDefault : maxResults;
  if (count < 1 || count > webhooksPerPageMax) {
    throw invalidParameter(`max_results must be between 1 and ${webhooksPerPageMax}.`, { maxResults });
  }
  const query = "webhooks";
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  return ctx.db.read(async (reader) => {
    const rows = await listRows(
      reader,
      position && { creationTime: Number(position[0]), id: Number(position[1]) },
      count + 1,
    );
    const page = rows.slice(0, count);
    const last = rows.length > count ? page.at(-1) : undefined;
    return {
      webhooks: await readWebhooks(reader, page),
      nextPageToken: last && encodePageToken(ctx, query, [last.creation_time, last.id]),
    };
  });
};

/** Changes what is given. An empty name, URL or list of events changes nothing; an empty secret removes it. */
export const updateWebhook: UseCase<"updateWebhook"> = async (ctx, request) => {
  const { webhookId, name, description, url, secret, status } = request;
  await ctx.db.read((reader) => getRow(reader, webhookId));
  if (name) checkWebhookName(name);
  const events = request.events?.length ? checkWebhookEvents(request.events) : undefined;
  if (url) await checkWebhookAddress(url, ctx.settings.webhooks);
  const sealed = secret ? (await secretBox(ctx)).seal(secret, webhookId) : null;
  return ctx.db.write(async (tx) => {
    const before = await getRow(tx, webhookId);
    const row: WebhookRow = {
      ...before,
      name: name || before.name,
      description: description ?? before.description,
      url: url || before.url,
      status: status === undefined ? before.status : webhookStatuses[status],
      secret: secret === undefined ? before.secret : sealed,
      last_updated_time: ctx.clock(),
    };
    await updateRow(tx, row);
    if (events !== undefined) await setWebhookEvents(tx, row.id, events);
    return readOne(tx, row);
  });
};

/** What was still to be delivered goes with it. */
export const deleteWebhook: UseCase<"deleteWebhook"> = async (ctx, { webhookId }) => {
  await ctx.db.write(async (tx) => removeWebhook(tx, (await getRow(tx, webhookId)).id));
  return {};
};
