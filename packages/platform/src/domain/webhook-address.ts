/** Which addresses a webhook may have: the server calls them, so they must not lead inside. */
import { invalidParameter } from "@millrace/contract";

export interface WebhookUrlPolicy {
  readonly allowedSchemes: readonly string[];
  readonly allowPrivateAddresses: boolean;
}

/**
 * Checks scheme and host. The host's addresses are checked apart, when it is known what they are.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function checkWebhookUrl(text: string, policy: WebhookUrlPolicy): URL {
  if (text.trim() === "") {
    throw invalidParameter(`Webhook URL cannot be empty or just whitespace: '${text}'`);
  }
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? "";
  const allowed = policy.allowedSchemes.map((each) => each.toLowerCase());
  if (!allowed.includes(scheme)) {
    throw invalidParameter(
      `Invalid webhook URL scheme: '${scheme}'. Allowed schemes are: ${allowed.join(", ")}.`,
      { scheme },
    );
  }
  if (!URL.canParse(text)) throw invalidParameter(`Invalid webhook URL '${text}': it cannot be parsed.`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw invalidParameter(
      `Invalid webhook URL scheme: '${scheme}'. Webhooks are sent over http or https only.`,
      { scheme },
    );
  }
  if (url.hostname === "") throw invalidParameter(`Webhook URL must include a hostname: '${text}'`);
  if (url.username !== "" || url.password !== "") {
    throw invalidParameter(
      "The webhook URL holds a user name or password, which would be stored in plain text. Leave them out and give the webhook a secret instead.",
    );
  }
  return url;
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

export function privateAddress(host: string, address: string) {
  return invalidParameter(
    `Webhook URL must not resolve to a non-public IP address. '${host}' resolves to ${address}.`,
    { host, address },
  );
}

/** IPv4 blocks that are not on the public internet (IANA's special-purpose registry), and multicast. */
const CLOSED_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** The same below 2000::/3, outside of which no IPv6 address is public. */
const CLOSED_V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
];

/** IPv6 addresses that carry an IPv4 address, and at which bit. */
const EMBEDDING: readonly (readonly [string, number, number])[] = [
  ["::ffff:0:0", 96, 96],
  ["64:ff9b::", 96, 96],
  ["2002::", 16, 16],
];

const closedV4 = CLOSED_V4.map(([network, bits]) => [v4(network)!, bits] as const);
const closedV6 = CLOSED_V6.map(([network, bits]) => [v6(network)!, bits] as const);
const embedding = EMBEDDING.map(([network, bits, at]) => [v6(network)!, bits, at] as const);

/** Whether an address in text form may be called from everywhere; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  const four = v4(address);
  if (four !== undefined) return isPublicV4(four);
  const six = v6(address.replace(/%.*$/, ""));
  if (six === undefined) return false;
  for (const [network, bits, at] of embedding) {
    if (isWithin(six, network, bits, 128)) return isPublicV4((six >> BigInt(96 - at)) & 0xffff_ffffn);
  }
  // 2000::/3 is all that was ever given out.
  return six >> 125n === 1n && !closedV6.some(([network, bits]) => isWithin(six, network, bits, 128));
}

function isPublicV4(address: bigint): boolean {
  return !closedV4.some(([network, bits]) => isWithin(address, network, bits, 32));
}

function isWithin(address: bigint, network: bigint, bits: number, width: number): boolean {
  const shift = BigInt(width - bits);
  return address >> shift === network >> shift;
}

function v4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function v6(text: string): bigint | undefined {
  // An IPv4 address in dots may stand for the last two groups.
  const dotted = /^(.*:)([\d.]+)$/.exec(text);
  let groups = text;
  if (dotted?.[2]?.includes(".")) {
    const last = v4(dotted[2]);
    if (last === undefined) return undefined;
    groups = `${dotted[1]}${(last >> 16n).toString(16)}:${(last & 0xffffn).toString(16)}`;
  }
  const halves = groups.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array.from({ length: missing }, () => "0"), ...tail]) {
    if (!/^[\da-f]{1,4}$/i.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}
