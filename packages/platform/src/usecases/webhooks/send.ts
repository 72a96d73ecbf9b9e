/** One signed request to the receiver of a webhook. */
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { WebhookSettings } from "../../context.ts";
import { type Outcome, retryAfterMs } from "../../domain/webhook.ts";
import { checkWebhookUrl, hostOf, isPublicAddress, privateAddress } from "../../domain/webhook-address.ts";
import { PrivateAddressError, publicLookup } from "./addresses.ts";

/** As much of an answer as is kept, for the result of a test. */
const ANSWER_BYTES_MAX = 64 * 1024;

export interface Message {
  readonly url: string;
  readonly deliveryId: string;
  readonly body: string;
  readonly secret: string | undefined;
}

/** How it ended; `answer` is the beginning of the receiver's text. */
export type Sent = Outcome & { readonly answer?: string };

/**
 * `v1,` and the HMAC-SHA256, in base64, of what was sent when under which id.
 * @param seconds since 1970, as in the header
 */
export function signature(secret: string, deliveryId: string, seconds: string, body: string): string {
  const mac = createHmac("sha256", secret).update(`${deliveryId}.${seconds}.${body}`).digest("base64");
  return `v1,${mac}`;
}

/** Sends once and never throws. Redirects are not followed, and no proxy is used: either could lead inside. */
export async function send(
  message: Message,
  settings: WebhookSettings,
  now: number,
  signal?: AbortSignal,
): Promise<Sent> {
  let url: URL;
  try {
    url = checkWebhookUrl(message.url, settings);
    const host = hostOf(url);
    if (!settings.allowPrivateAddresses && isIP(host) !== 0 && !isPublicAddress(host)) {
      throw privateAddress(host, host);
    }
  } catch (error) {
    return { kind: "refused", reason: (error as Error).message };
  }
  const seconds = String(Math.floor(now / 1_000));
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(message.body)),
    "User-Agent": "millrace-webhooks",
    "X-MLflow-Delivery-Id": message.deliveryId,
    "X-MLflow-Timestamp": seconds,
  };
  if (message.secret !== undefined) {
    headers["X-MLflow-Signature"] = signature(message.secret, message.deliveryId, seconds, message.body);
  }
  const timeout = AbortSignal.timeout(settings.requestTimeoutMs);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const { promise, resolve } = Promise.withResolvers<Sent>();
  const fail = (error: Error): void => {
    if (error instanceof PrivateAddressError) {
      resolve({
        kind: "refused",
        reason: `Webhook URL must not resolve to a non-public IP address: ${error.message}`,
      });
    } else {
      const reason = timeout.aborted
        ? `no answer within ${settings.requestTimeoutMs} ms`
        : `the request failed: ${error.message || error.name}`;
      resolve({ kind: "failed", reason });
    }
  };
  const sending = request(
    url,
    {
      method: "POST",
      headers,
      // A connection of its own: the next one is to be checked again.
      agent: false,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      ...(settings.allowPrivateAddresses ? {} : { lookup: publicLookup }),
    },
    (response) => {
      const status = response.statusCode ?? 0;
      const wanted = retryAfterMs(response.headers["retry-after"], now);
      const parts: Buffer[] = [];
      let bytes = 0;
      const done = (): void =>
        resolve({
          kind: "answered",
          status,
          retryAfterMs: wanted,
          answer: Buffer.concat(parts).subarray(0, ANSWER_BYTES_MAX).toString("utf8"),
        });
      response.on("data", (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes < ANSWER_BYTES_MAX) return;
        done();
        response.destroy();
      });
      response.on("end", done);
      response.on("error", fail);
    },
  );
  sending.on("error", fail);
  sending.end(message.body);
  return promise;
}
