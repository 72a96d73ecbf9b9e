/** Where a webhook's host leads: asked when it is registered, and again by every connection. */
import { lookup as dnsLookup } from "node:dns";
import { lookup } from "node:dns/promises";
import { type LookupFunction, isIP } from "node:net";
import { invalidParameter } from "@millrace/contract";
import type { WebhookSettings } from "../../context.ts";
import { checkWebhookUrl, hostOf, isPublicAddress, privateAddress } from "../../domain/webhook-address.ts";

const RESOLVE_TIMEOUT_MS = 5_000;

/**
 * Checks the URL of a webhook and every address of its host.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export async function checkWebhookAddress(text: string, settings: WebhookSettings): Promise<URL> {
  const url = checkWebhookUrl(text, settings);
  if (settings.allowPrivateAddresses) return url;
  const host = hostOf(url);
  for (const address of await addressesOf(host)) {
    if (!isPublicAddress(address)) throw privateAddress(host, address);
  }
  return url;
}

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  let timer: NodeJS.Timeout | undefined;
  try {
    const found = await Promise.race([
      lookup(host, { all: true }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in time")), RESOLVE_TIMEOUT_MS);
      }),
    ]);
    return found.map(({ address }) => address);
  } catch (cause) {
    throw invalidParameter(`Cannot resolve Webhook URL hostname '${host}': ${(cause as Error).message}`, {
      host,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Marks the failure of a connection that was not made because of where it led. */
export class PrivateAddressError extends Error {}

/**
 * Resolves a host for a connection and refuses it when any address is private. The connection uses what was checked
 * here, so a name that answers differently the second time gains nothing.
 */
export const publicLookup: LookupFunction = (host, options, callback) => {
  dnsLookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) {
      callback(error, "");
      return;
    }
    const closed = found.find(({ address }) => !isPublicAddress(address));
    const first = found[0];
    if (closed !== undefined || first === undefined) {
      callback(new PrivateAddressError(`'${host}' resolves to ${closed?.address ?? "nothing"}`), "");
    } else if (options.all === true) {
      callback(null, found);
    } else {
      callback(null, first.address, first.family);
    }
  });
};
