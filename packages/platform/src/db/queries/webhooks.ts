import {
  PlatformError,
  type Webhook,
  webhookActions,
  webhookEntities,
  webhookStatuses,
} from "@millrace/contract";
import {
  type EventAction,
  type EventEntity,
  type EventType,
  sortedEventTypes,
} from "../../domain/webhook-event.ts";
import type { Reader, Transaction } from "../database.ts";

export interface WebhookRow {
  readonly id: number;
  readonly webhook_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly url: string;
  readonly status: number;
  /** Encrypted. */
  readonly secret: Uint8Array | null;
  readonly creation_time: number;
  readonly last_updated_time: number;
}

const entityNames = new Map(
  Object.entries(webhookEntities).map(([name, number]) => [number as number, name as EventEntity]),
);
const actionNames = new Map(
  Object.entries(webhookActions).map(([name, number]) => [number as number, name as EventAction]),
);

export function noWebhook(webhookId: string): PlatformError {
  return new PlatformError("RESOURCE_DOES_NOT_EXIST", `Webhook with ID ${webhookId} not found.`, {
    webhookId,
  });
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST */
export async function getWebhook(reader: Reader, webhookId: string): Promise<WebhookRow> {
  const row = await reader.get<WebhookRow>("SELECT * FROM webhooks WHERE webhook_id = ?", [webhookId]);
  if (row === undefined) throw noWebhook(webhookId);
  return row;
}

/** Where a page of webhooks ended. */
export interface WebhookPosition {
  readonly creationTime: number;
  readonly id: number;
}

/** Webhooks from the newest to the oldest. */
export async function listWebhooks(
  reader: Reader,
  after: WebhookPosition | undefined,
  countMax: number,
): Promise<WebhookRow[]> {
  const order = "ORDER BY creation_time DESC, id DESC LIMIT ?";
  if (after === undefined) return reader.all<WebhookRow>(`SELECT * FROM webhooks ${order}`, [countMax]);
  return reader.all<WebhookRow>(
    `SELECT * FROM webhooks WHERE creation_time < ? OR (creation_time = ? AND id < ?) ${order}`,
    [after.creationTime, after.creationTime, after.id, countMax],
  );
}

/** Whole webhooks, without their secrets, in the order of the rows. */
export async function readWebhooks(reader: Reader, rows: readonly WebhookRow[]): Promise<Webhook[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const events = Map.groupBy(
    await reader.all<{ webhook: number; entity: number; action: number }>(
      `SELECT webhook, entity, action FROM webhook_events WHERE webhook IN (${ids.map(() => "?").join(", ")})`,
      ids,
    ),
    ({ webhook }) => webhook,
  );
  return rows.map((row) => ({
    webhookId: row.webhook_id,
    name: row.name,
    description: row.description ?? undefined,
    url: row.url,
    events: sortedEventTypes(
      (events.get(row.id) ?? []).map(({ entity, action }) => ({
        entity: entityNames.get(entity)!,
        action: actionNames.get(action)!,
      })),
    ),
    status: row.status === webhookStatuses.ACTIVE ? "ACTIVE" : "DISABLED",
    creationTimestamp: row.creation_time,
    lastUpdatedTimestamp: row.last_updated_time,
  }));
}

export async function insertWebhook(tx: Transaction, row: Omit<WebhookRow, "id">): Promise<WebhookRow> {
  const added = await tx.get<WebhookRow>(
    "INSERT INTO webhooks (webhook_id, name, description, url, status, secret, creation_time, last_updated_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
    [
      row.webhook_id,
      row.name,
      row.description,
      row.url,
      row.status,
      row.secret,
      row.creation_time,
      row.last_updated_time,
    ],
  );
  return added!;
}

export async function updateWebhook(tx: Transaction, row: WebhookRow): Promise<void> {
  await tx.run(
    "UPDATE webhooks SET name = ?, description = ?, url = ?, status = ?, secret = ?, last_updated_time = ? WHERE id = ?",
    [row.name, row.description, row.url, row.status, row.secret, row.last_updated_time, row.id],
  );
}

/** Replaces the events that a webhook is told of. */
export async function setWebhookEvents(
  tx: Transaction,
  webhook: number,
  types: readonly EventType[],
): Promise<void> {
  await tx.run("DELETE FROM webhook_events WHERE webhook = ?", [webhook]);
  for (const { entity, action } of types) {
    await tx.run("INSERT INTO webhook_events (webhook, entity, action) VALUES (?, ?, ?)", [
      webhook,
      webhookEntities[entity],
      webhookActions[action],
    ]);
  }
}

/** Removes a webhook and what was still to be delivered to it. */
export async function removeWebhook(tx: Transaction, webhook: number): Promise<void> {
  await tx.run("DELETE FROM webhook_deliveries WHERE webhook = ?", [webhook]);
  await tx.run("DELETE FROM webhook_events WHERE webhook = ?", [webhook]);
  await tx.run("DELETE FROM webhooks WHERE id = ?", [webhook]);
}

/** The active webhooks that want to know of such events. */
export async function subscribers(reader: Reader, { entity, action }: EventType): Promise<number[]> {
  const rows = await reader.all<{ id: number }>(
    "SELECT w.id FROM webhook_events e JOIN webhooks w ON w.id = e.webhook WHERE e.entity = ? AND e.action = ? AND w.status = ? ORDER BY w.id",
    [webhookEntities[entity], webhookActions[action], webhookStatuses.ACTIVE],
  );
  return rows.map(({ id }) => id);
}

export interface DeliveryRow {
  readonly id: number;
  /** Stays the same however often it is tried, so that a receiver can tell a repetition. */
  readonly delivery_id: string;
  readonly webhook: number;
  readonly body: string;
  /** Begun so far. */
  readonly attempts: number;
  readonly next_attempt_time: number;
}

export async function addDelivery(
  tx: Transaction,
  webhook: number,
  deliveryId: string,
  body: string,
  now: number,
): Promise<void> {
  await tx.run(
    "INSERT INTO webhook_deliveries (delivery_id, webhook, body, attempts, next_attempt_time) VALUES (?, ?, ?, 0, ?)",
    [deliveryId, webhook, body, now],
  );
}

/** What is to be sent now, the longest due first, and when the next is due. */
export async function dueDeliveries(reader: Reader, now: number, countMax: number): Promise<DeliveryRow[]> {
  return reader.all<DeliveryRow>(
    "SELECT * FROM webhook_deliveries WHERE next_attempt_time <= ? ORDER BY next_attempt_time, id LIMIT ?",
    [now, countMax],
  );
}

export async function nextDeliveryTime(reader: Reader): Promise<number | undefined> {
  const row = await reader.get<{ next: number | null }>(
    "SELECT min(next_attempt_time) AS next FROM webhook_deliveries",
  );
  return row?.next ?? undefined;
}

/**
 * Takes deliveries for sending: until `leaseEnd` nobody else does, and after a crash they are due again. Answers
 * those that were taken; another server may have been faster.
 */
export async function claimDeliveries(
  tx: Transaction,
  rows: readonly DeliveryRow[],
  leaseEnd: number,
): Promise<DeliveryRow[]> {
  const taken: DeliveryRow[] = [];
  for (const row of rows) {
    const changed = await tx.run(
      "UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_time = ? WHERE id = ? AND next_attempt_time = ? AND attempts = ?",
      [leaseEnd, row.id, row.next_attempt_time, row.attempts],
    );
    if (changed > 0) taken.push({ ...row, attempts: row.attempts + 1, next_attempt_time: leaseEnd });
  }
  return taken;
}

export async function rescheduleDelivery(tx: Transaction, delivery: number, time: number): Promise<void> {
  await tx.run("UPDATE webhook_deliveries SET next_attempt_time = ? WHERE id = ?", [time, delivery]);
}

export async function removeDelivery(tx: Transaction, delivery: number): Promise<void> {
  await tx.run("DELETE FROM webhook_deliveries WHERE id = ?", [delivery]);
}

export async function getWebhookRow(reader: Reader, id: number): Promise<WebhookRow | undefined> {
  return reader.get<WebhookRow>("SELECT * FROM webhooks WHERE id = ?", [id]);
}

/** Tells whoever delivers that something was recorded, so that it need not ask all the time. */
export interface DeliverySignal {
  notify(): void;
  /** Answers a function that stops listening. */
  listen(listener: () => void): () => void;
}

const signals = new WeakMap<object, DeliverySignal>();

/** The signal that belongs to a database. */
export function deliverySignal(owner: object): DeliverySignal {
  let signal = signals.get(owner);
  if (signal === undefined) {
    const listeners = new Set<() => void>();
    signal = {
      notify: () => {
        for (const listener of listeners) listener();
      },
      listen: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    signals.set(owner, signal);
  }
  return signal;
}
