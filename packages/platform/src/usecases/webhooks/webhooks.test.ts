/** What MLflow 3.17.2 answered to the same requests, where a comment does not say otherwise. */
import { randomFillSync } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestContext, type TestContext } from "../../testing/context.ts";
import type { RawRequest } from "../handler.ts";
import { webhookUseCases } from "./index.ts";
import { createSecretBox } from "./secrets.ts";
import { signature } from "./send.ts";

type All = typeof webhookUseCases;
let ctx: TestContext;

beforeEach(async () => {
  ctx = await openTestContext();
});
afterEach(() => ctx.close());

async function call<N extends keyof All>(
  name: N,
  request: Parameters<All[N]>[1],
): Promise<Exclude<Awaited<ReturnType<All[N]>>, { body: unknown }>> {
  const useCase = webhookUseCases[name] as (...parameters: unknown[]) => Promise<never>;
  return useCase(ctx, request, {} as RawRequest);
}

const created = { entity: "MODEL_VERSION", action: "CREATED" } as const;
const base = { name: "w1", url: "https://8.8.8.8/h", events: [created] };

test("created: newest first, events sorted, the secret kept and never shown", async () => {
  const first = await call("createWebhook", { ...base, description: "d", secret: "s", status: "DISABLED" });
  const now = ctx.clock();
  expect(first).toEqual({
    webhook: {
      webhookId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      name: "w1",
      description: "d",
      url: base.url,
      events: [created],
      status: "DISABLED",
      creationTimestamp: now,
      lastUpdatedTimestamp: now,
    },
  });
  const events = [
    { entity: "REGISTERED_MODEL", action: "CREATED" },
    { entity: "MODEL_VERSION_ALIAS", action: "DELETED" },
    { entity: "REGISTERED_MODEL", action: "CREATED" },
  ] as const;
  const second = await call("createWebhook", { ...base, events });
  expect(second.webhook).toMatchObject({ events: [events[1], events[0]], status: "ACTIVE" });
  expect((await call("listWebhooks", {})).webhooks).toEqual([second.webhook, first.webhook]);
  const stored = await ctx.db.read((reader) =>
    reader.all<{ secret: Uint8Array | null }>("SELECT secret FROM webhooks ORDER BY id"),
  );
  expect(stored[1]!.secret).toBeNull();
  // Version, nonce, one byte of text, tag.
  expect(stored[0]!.secret).toHaveLength(1 + 12 + 1 + 16);
});

test("pages hold every webhook once, also when some are deleted between them", async () => {
  const ids: string[] = [];
  for (let index = 0; index < 7; index++) {
    ids.unshift((await call("createWebhook", base)).webhook!.webhookId!);
    if (index % 2 === 0) ctx.advance(1);
  }
  const seen: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await call("listWebhooks", { maxResults: 2, pageToken });
    seen.push(...page.webhooks!.map(({ webhookId }) => webhookId!));
    pageToken = page.nextPageToken;
    if (seen.length === 2) await call("deleteWebhook", { webhookId: ids[0]! });
  } while (pageToken !== undefined);
  expect(seen).toEqual(ids);
  expect((await call("listWebhooks", { maxResults: 6 })).nextPageToken).toBeUndefined();
  for (const maxResults of [-1, 1001]) {
    await expect(call("listWebhooks", { maxResults })).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message: "max_results must be between 1 and 1000.",
    });
  }
});

test("updates change what is given", async () => {
  const { webhookId } = (await call("createWebhook", { ...base, secret: "s" })).webhook!;
  const update = (change: object) => call("updateWebhook", { webhookId: webhookId!, ...change });
  ctx.advance(5);
  expect((await update({ name: "w9", description: "e" })).webhook).toMatchObject({
    name: "w9",
    description: "e",
    url: base.url,
    events: [created],
    lastUpdatedTimestamp: ctx.clock(),
  });
  const prompt = { entity: "PROMPT", action: "CREATED" };
  expect((await update({ events: [prompt] })).webhook!.events).toEqual([prompt]);
  expect((await update({ name: "", url: "", events: [] })).webhook).toMatchObject({
    name: "w9",
    events: [prompt],
  });
  await expect(update({ url: "http://x" })).rejects.toMatchObject({
    message: "Invalid webhook URL scheme: 'http'. Allowed schemes are: https.",
  });
  const secret = () => ctx.db.read((reader) => reader.get("SELECT secret IS NULL AS none FROM webhooks"));
  expect(await secret()).toEqual({ none: 0 });
  await update({ secret: "" });
  expect(await secret()).toEqual({ none: 1 });
});

test("unknown ones", async () => {
  const unknown = { code: "RESOURCE_DOES_NOT_EXIST", message: "Webhook with ID nope not found." };
  const webhookId = "nope";
  await expect(call("getWebhook", { webhookId })).rejects.toMatchObject(unknown);
  await expect(call("updateWebhook", { webhookId, name: "x" })).rejects.toMatchObject(unknown);
  await expect(call("deleteWebhook", { webhookId })).rejects.toMatchObject(unknown);
  await expect(call("testWebhook", { webhookId })).rejects.toMatchObject(unknown);
});

test.each([
  [
    { name: "-w" },
    "Webhook name '-w' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).",
  ],
  [{ name: "w".repeat(64) }, "is invalid. It must start and end with"],
  [{ events: [] }, "Webhook events must be a non-empty list of WebhookEvent objects: []."],
  [
    { events: [{ entity: "REGISTERED_MODEL", action: "SET" }] },
    "Invalid action 'set' for entity 'registered_model'. Valid actions are: ['created']",
  ],
  [{ events: [{ action: "SET" }] }, "it names no known entity"],
  [
    { url: "https://127.0.0.1/h" },
    "Webhook URL must not resolve to a non-public IP address. '127.0.0.1' resolves to 127.0.0.1.",
  ],
  [
    { url: "https://10.0.0.1/h" },
    "Webhook URL must not resolve to a non-public IP address. '10.0.0.1' resolves to 10.0.0.1.",
  ],
  [{ url: "https://[::ffff:127.0.0.1]/h" }, "Webhook URL must not resolve to a non-public IP address."],
  [{ url: "https://localhost/h" }, "Webhook URL must not resolve to a non-public IP address. 'localhost'"],
  [{ url: "https://no-such-host.invalid/h" }, "Cannot resolve Webhook URL hostname 'no-such-host.invalid'"],
] as const)("refuses %j", async (change, message) => {
  await expect(call("createWebhook", { ...base, ...change })).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringContaining(message),
  });
});

test("a secret is readable with its key, for its webhook, unchanged; and not otherwise", () => {
  const random = (bytes: Uint8Array): void => void randomFillSync(bytes);
  const box = createSecretBox(new Uint8Array(32).fill(7), random);
  const sealed = box.seal("geheim ü", "a");
  expect(box.open(sealed, "a")).toBe("geheim ü");
  expect(box.seal("geheim ü", "a")).not.toEqual(sealed);
  expect(Buffer.from(sealed).includes("geheim")).toBe(false);
  const lost = expect.objectContaining({ code: "DATA_LOSS" });
  expect(() => box.open(sealed, "b")).toThrow(lost);
  expect(() => createSecretBox(new Uint8Array(32).fill(8), random).open(sealed, "a")).toThrow(lost);
  for (let index = 0; index < sealed.length; index++) {
    const bent = Uint8Array.from(sealed);
    bent[index]! ^= 1;
    expect(() => box.open(bent, "a")).toThrow(lost);
  }
});

test("a key that is none is reported before a secret is kept", async () => {
  await ctx.close();
  ctx = await openTestContext({ webhooks: { secretEncryptionKey: "short" } });
  await expect(call("createWebhook", { ...base, secret: "s" })).rejects.toMatchObject({
    message: expect.stringContaining("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"),
  });
  expect((await call("createWebhook", base)).webhook).toMatchObject({ name: "w1" });
});

test("the signature, computed by Python's hmac", () => {
  const id = "3f0a1c9e-0000-4000-8000-000000000001";
  const body = '{"entity":"registered_model","data":{"name":"é"}}';
  expect(signature("s3cret ü", id, "1800000000", body)).toBe(
    "v1,aj/lWJ2skqzz+2vc2qEZPlAwGn/gW/jLTmo/LPmUFpM=",
  );
});
