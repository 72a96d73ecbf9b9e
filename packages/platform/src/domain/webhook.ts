/** Rules of webhooks: names, events, and when a delivery is tried again. */
import { invalidParameter, limits, type WebhookEvent } from "@millrace/contract";
import { checkEventType, type EventType, sortedEventTypes } from "./webhook-event.ts";

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkWebhookName(name: string): void {
  if (name.length <= limits.webhookNameLengthMax && /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(name)) return;
  throw invalidParameter(
    `Webhook name '${name}' is invalid. It must start and end with a letter or digit, be less than ${limits.webhookNameLengthMax} characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).`,
    { name },
  );
}

/**
 * The events of a webhook, each once.
 * @throws PlatformError INVALID_PARAMETER_VALUE for none, and for combinations that do not occur
 */
export function checkWebhookEvents(events: readonly WebhookEvent[]): readonly EventType[] {
  if (events.length === 0) {
    throw invalidParameter("Webhook events must be a non-empty list of WebhookEvent objects: [].");
  }
  return sortedEventTypes(events.map(({ entity, action }) => checkEventType(entity, action)));
}

/** How one attempt to deliver ended. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number | undefined }
  | { readonly kind: "failed"; readonly reason: string }
  /** Trying again would not help: the address is not allowed. */
  | { readonly kind: "refused"; readonly reason: string };

export type Verdict =
  | { readonly next: "done" }
  | { readonly next: "retry"; readonly delayMs: number; readonly reason: string }
  | { readonly next: "give-up"; readonly reason: string };

const RETRIED_STATUSES: readonly number[] = [429, 500, 502, 503, 504];
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
const RETRY_AFTER_MAX_MS = 60 * 60_000;

/**
 * What to do after an attempt. The wait doubles from one second to a minute, with up to a second of `jitter`
 * (0 to 1), unless the receiver said how long it wants.
 * @param attempts how many were begun, this one included
 */
export function judge(outcome: Outcome, attempts: number, retriesMax: number, jitter: number): Verdict {
  if (outcome.kind === "refused") return { next: "give-up", reason: outcome.reason };
  if (outcome.kind === "answered") {
    const { status } = outcome;
    if (status >= 200 && status < 300) return { next: "done" };
    if (status >= 300 && status < 400) {
      return {
        next: "give-up",
        reason: `the receiver redirects (status ${status}), which is not followed: correct the webhook's URL`,
      };
    }
    if (!RETRIED_STATUSES.includes(status)) {
      return { next: "give-up", reason: `the receiver answered with status ${status}` };
    }
  }
  const reason =
    outcome.kind === "answered" ? `the receiver answered with status ${outcome.status}` : outcome.reason;
  if (attempts > retriesMax) return { next: "give-up", reason: `${reason}, ${attempts} times` };
  const wanted = outcome.kind === "answered" ? outcome.retryAfterMs : undefined;
  const backoffMs = Math.min(BACKOFF_FIRST_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS) + jitter * 1_000;
  return {
    next: "retry",
    delayMs: wanted === undefined ? Math.round(backoffMs) : Math.min(wanted, RETRY_AFTER_MAX_MS),
    reason,
  };
}

/** The wait that a `Retry-After` header asks for, in milliseconds: seconds, or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
