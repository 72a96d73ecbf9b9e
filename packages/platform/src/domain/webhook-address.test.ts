import { expect, test } from "vitest";
import { checkWebhookUrl, isPublicAddress } from "./webhook-address.ts";

/** Asked of Python 3.11's `ipaddress`, by the rule of MLflow 3.17.2. */
const PUBLIC =
  "8.8.8.8 1.1.1.1 203.0.114.7 11.0.0.0 100.63.255.255 100.128.0.0 128.0.0.1 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.3.1 192.167.1.1 192.169.0.1 198.17.255.255 198.20.0.0 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808:: 2001:4860:4860::8888 2606:4700::1111".split(
    " ",
  );
const CLOSED =
  "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.2.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:a00:1 64:ff9b::a00:1 2002:7f00:1:: fe80::1 fc00::1 fdff::1 2001:db8::1 100::1 2001::1 2001:10::1".split(
    " ",
  );

test.each(PUBLIC)("%s is public", (address) => expect(isPublicAddress(address)).toBe(true));
test.each(CLOSED)("%s is not", (address) => expect(isPublicAddress(address)).toBe(false));

test.each([
  // Narrower than Python here: a dummy address, documentation, multicast.
  "192.0.0.8",
  "3fff::1",
  "224.0.0.1",
  "ff02::1",
  // Not addresses, or not in the one form that the network stack cannot misread.
  "",
  "example.com",
  "127.1",
  "0177.0.0.1",
  "1.2.3.256",
  "1:2:3:4:5:6:7",
  "1::2::3",
  "::1.2.3",
  "fe80::1%eth0",
])("%j is not, either", (address) => expect(isPublicAddress(address)).toBe(false));

const policy = { allowedSchemes: ["https"], allowPrivateAddresses: false };

test.each([
  ["http://example.com/h", "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."],
  ["nourl", "Invalid webhook URL scheme: ''. Allowed schemes are: https."],
  ["file:///etc/passwd", "Invalid webhook URL scheme: 'file'. Allowed schemes are: https."],
  ["https://", "Invalid webhook URL 'https://': it cannot be parsed."],
])("refuses %s", (url, message) => {
  expect(() => checkWebhookUrl(url, policy)).toThrow(message);
});

test("other schemes than http and https are never sent, even if allowed", () => {
  expect(() => checkWebhookUrl("ftp://h/x", { ...policy, allowedSchemes: ["ftp"] })).toThrow(
    "http or https only",
  );
});

test("passwords do not belong into addresses", () => {
  expect(() => checkWebhookUrl("https://user:pass@example.com/", policy)).toThrow(
    "give the webhook a secret",
  );
});

test("hosts are read in their canonical form, however they are written", () => {
  const host = (url: string): string => checkWebhookUrl(url, policy).hostname;
  expect(host("https://0177.0.0.1/")).toBe("127.0.0.1");
  expect(host("https://2130706433/")).toBe("127.0.0.1");
  expect(host("https://127.1/")).toBe("127.0.0.1");
});
