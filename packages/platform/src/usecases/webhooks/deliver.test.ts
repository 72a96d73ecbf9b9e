/** Deliveries to a real receiver on this machine. Payloads are those of MLflow 3.17.2. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { claimDeliveries, dueDeliveries } from "../../db/queries/webhooks.ts";
import { openTestContext, type TestContext } from "../../testing/context.ts";
import type { RawRequest } from "../handler.ts";
import { registryUseCases } from "../registry/index.ts";
import { type Deliveries, startDeliveries } from "./deliver.ts";
import { webhookUseCases } from "./index.ts";

const all = { ...registryUseCases, ...webhookUseCases };
type All = typeof all;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let ctx: TestContext;
let receiver: Server;
let url: string;
let received: Received[];
let respond: (response: ServerResponse, count: number) => void;
let deliveries: Deliveries | undefined;

const local = { allowedSchemes: ["http", "https"], allowPrivateAddresses: true };

beforeEach(async () => {
  received = [];
  respond = (response) => response.end("thanks");
  receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      respond(response, received.length);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  ctx = await openTestContext({ webhooks: local });
});
afterEach(async () => {
  await deliveries?.stop();
  deliveries = undefined;
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await ctx.close();
});

async function call<N extends keyof All>(
  name: N,
  request: Parameters<All[N]>[1],
): Promise<Exclude<Awaited<ReturnType<All[N]>>, { body: unknown }>> {
  const useCase = all[name] as (...parameters: unknown[]) => Promise<never>;
  return useCase(ctx, request, {} as RawRequest);
}

async function hook(change: object = {}): Promise<string> {
  const events = [{ entity: "REGISTERED_MODEL", action: "CREATED" }] as const;
  return (await call("createWebhook", { name: "w", url, events, ...change })).webhook!.webhookId!;
}

/** Rows of the outbox. */
const waiting = () =>
  ctx.db.read((reader) =>
    reader.all<{ attempts: number; next_attempt_time: number }>(
      "SELECT attempts, next_attempt_time FROM webhook_deliveries ORDER BY id",
    ),
  );

const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 5_000, interval: 5 });
const isEmpty = async () => (await waiting()).length === 0;

test("every event of the registry, with its data, once", async () => {
  const pairs = [
    ["REGISTERED_MODEL", "CREATED"],
    ["MODEL_VERSION", "CREATED"],
    ["MODEL_VERSION_TAG", "SET"],
    ["MODEL_VERSION_TAG", "DELETED"],
    ["MODEL_VERSION_ALIAS", "CREATED"],
    ["MODEL_VERSION_ALIAS", "DELETED"],
    ["PROMPT", "CREATED"],
    ["PROMPT_VERSION", "CREATED"],
    ["PROMPT_TAG", "SET"],
    ["PROMPT_TAG", "DELETED"],
    ["PROMPT_VERSION_TAG", "SET"],
    ["PROMPT_VERSION_TAG", "DELETED"],
    ["PROMPT_ALIAS", "CREATED"],
    ["PROMPT_ALIAS", "DELETED"],
  ] as const;
  await hook({ events: pairs.map(([entity, action]) => ({ entity, action })), secret: "s" });
  deliveries = startDeliveries(ctx);
  const isPrompt = { key: "mlflow.prompt.is_prompt", value: "true" };
  const text = { key: "mlflow.prompt.text", value: "Say {{x}}" };
  const c = { key: "c", value: "d" };
  await call("createRegisteredModel", { name: "m", description: "text", tags: [c] });
  await call("createRegisteredModel", { name: "p", tags: [isPrompt, c] });
  await call("createModelVersion", { name: "m", source: "s3://b/p", description: "one", tags: [c] });
  await call("createModelVersion", { name: "p", source: "dummy-source", tags: [isPrompt, text, c] });
  for (const name of ["m", "p"]) {
    await call("setRegisteredModelTag", { name, key: "k", value: "v" });
    await call("deleteRegisteredModelTag", { name, key: "k" });
    await call("setModelVersionTag", { name, version: "1", key: "k", value: "v" });
    await call("deleteModelVersionTag", { name, version: "1", key: "k" });
    await call("setAlias", { name, alias: "champion", version: "1" });
    await call("deleteAlias", { name, alias: "champion" });
  }
  await until(isEmpty);
  const events = received.map(
    ({ body }) => JSON.parse(body) as { entity: string; action: string; data: object },
  );
  expect(Object.fromEntries(events.map(({ entity, action, data }) => [`${entity}.${action}`, data]))).toEqual(
    {
      "registered_model.created": { name: "m", tags: { c: "d" }, description: "text" },
      "model_version.created": {
        name: "m",
        version: "1",
        source: "s3://b/p",
        run_id: null,
        tags: { c: "d" },
        description: "one",
      },
      "model_version_tag.set": { name: "m", version: "1", key: "k", value: "v" },
      "model_version_tag.deleted": { name: "m", version: "1", key: "k" },
      "model_version_alias.created": { name: "m", version: "1", alias: "champion" },
      "model_version_alias.deleted": { name: "m", alias: "champion" },
      "prompt.created": { name: "p", tags: { c: "d" }, description: "" },
      "prompt_version.created": {
        name: "p",
        version: "1",
        template: "Say {{x}}",
        tags: { c: "d" },
        description: null,
      },
      "prompt_tag.set": { name: "p", key: "k", value: "v" },
      "prompt_tag.deleted": { name: "p", key: "k" },
      "prompt_version_tag.set": { name: "p", version: "1", key: "k", value: "v" },
      "prompt_version_tag.deleted": { name: "p", version: "1", key: "k" },
      "prompt_alias.created": { name: "p", version: "1", alias: "champion" },
      "prompt_alias.deleted": { name: "p", alias: "champion" },
    },
  );
  expect(received).toHaveLength(pairs.length);
  for (const { headers, body } of received) {
    const id = headers["x-mlflow-delivery-id"];
    const time = headers["x-mlflow-timestamp"];
    expect(time).toBe(String(Math.floor(ctx.clock() / 1000)));
    const mac = createHmac("sha256", "s").update(`${id}.${time}.${body}`).digest("base64");
    expect(headers["x-mlflow-signature"]).toBe(`v1,${mac}`);
  }
});

test("nobody is told of what was not asked for, or was refused, or while disabled", async () => {
  const webhookId = await hook();
  await call("createRegisteredModel", { name: "m" });
  await expect(call("createRegisteredModel", { name: "m" })).rejects.toThrow("already exists");
  await call("createModelVersion", { name: "m", source: "s3://b/p" });
  await call("updateWebhook", { webhookId, status: "DISABLED" });
  await call("createRegisteredModel", { name: "quiet" });
  expect(await waiting()).toHaveLength(1);
  // Disabled before it was sent: nothing goes out.
  deliveries = startDeliveries(ctx);
  await until(isEmpty);
  expect(received).toEqual([]);
  await call("updateWebhook", { webhookId, status: "ACTIVE" });
  await call("createRegisteredModel", { name: "loud" });
  await until(isEmpty);
  expect(received.map(({ body }) => JSON.parse(body).data.name)).toEqual(["loud"]);
  expect(received[0]!.headers["x-mlflow-signature"]).toBeUndefined();
});

test("deleting a webhook drops what it was still to get", async () => {
  const webhookId = await hook();
  await call("createRegisteredModel", { name: "m" });
  await call("deleteWebhook", { webhookId });
  expect(await waiting()).toEqual([]);
});

test("a receiver in trouble is asked again, later, under the same id", async () => {
  respond = (response, count) => {
    response.statusCode = count === 1 ? 503 : 200;
    response.end();
  };
  await hook();
  deliveries = startDeliveries(ctx);
  await call("createRegisteredModel", { name: "m" });
  await until(() => ctx.lines.some(({ message }) => message === "webhook will be sent again"));
  await vi.waitUntil(async () => (await waiting())[0]?.next_attempt_time !== ctx.clock() + 10_000);
  const [row] = await waiting();
  expect(row!.attempts).toBe(1);
  expect(row!.next_attempt_time - ctx.clock()).toBeGreaterThanOrEqual(1_000);
  expect(row!.next_attempt_time - ctx.clock()).toBeLessThanOrEqual(2_000);
  ctx.advance(2_000);
  await deliveries.stop();
  deliveries = startDeliveries(ctx);
  await until(isEmpty);
  const ids = received.map(({ headers }) => headers["x-mlflow-delivery-id"]);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});

test.each([
  ["an answer that will not change", 410, "the receiver answered with status 410"],
  ["a redirect, which could lead inside", 302, "which is not followed"],
])("%s is given up, with a line in the log", async (_, status, reason) => {
  respond = (response) => {
    response.writeHead(status, { Location: `${url}/elsewhere` });
    response.end();
  };
  const webhookId = await hook();
  deliveries = startDeliveries(ctx);
  await call("createRegisteredModel", { name: "m" });
  await until(isEmpty);
  expect(received).toHaveLength(1);
  expect(ctx.lines).toContainEqual({
    level: "warn",
    message: "webhook given up",
    facts: expect.objectContaining({ webhook: webhookId, reason: expect.stringContaining(reason) }),
  });
});

test("what was not delivered survives the server, a crash in the middle included", async () => {
  await hook();
  await call("createRegisteredModel", { name: "before" });
  const { folder } = ctx;
  const now = ctx.clock();
  await ctx.close({ keepFolder: true });
  ctx = await openTestContext({ webhooks: local, folder, now });
  // Stops while the receiver thinks, as a crash would, but recorded.
  let asked = Promise.withResolvers<void>();
  respond = () => asked.resolve();
  const interrupted = startDeliveries(ctx);
  await asked.promise;
  expect((await waiting())[0]).toEqual({ attempts: 1, next_attempt_time: now + 5_000 + 5_000 });
  await interrupted.stop();
  // Without the record, the claim ends by itself; either way it is sent again.
  expect((await waiting())[0]).toEqual({ attempts: 1, next_attempt_time: now });
  respond = (response) => response.end();
  deliveries = startDeliveries(ctx);
  await until(isEmpty);
  expect(new Set(received.map(({ headers }) => headers["x-mlflow-delivery-id"])).size).toBe(1);
  expect(received).toHaveLength(2);
});

test("what a killed server had taken is due again when its claim ends, and no sooner", async () => {
  await hook();
  await call("createRegisteredModel", { name: "m" });
  const now = ctx.clock();
  const [row] = await ctx.db.read((reader) => dueDeliveries(reader, now, 10));
  await ctx.db.write((tx) => claimDeliveries(tx, [row!], now + 10_000));
  // Another that saw the same row comes too late.
  expect(await ctx.db.write((tx) => claimDeliveries(tx, [row!], now + 10_000))).toEqual([]);
  expect(await ctx.db.read((reader) => dueDeliveries(reader, now + 9_999, 10))).toEqual([]);
  ctx.advance(10_000);
  deliveries = startDeliveries(ctx);
  await until(isEmpty);
  expect(received.map(({ headers }) => headers["x-mlflow-delivery-id"])).toEqual([row!.delivery_id]);
});

test("a slow receiver holds only its own place", async () => {
  await ctx.close();
  ctx = await openTestContext({ webhooks: { ...local, deliveriesMax: 2, requestTimeoutMs: 60_000 } });
  let held: ServerResponse | undefined;
  respond = (response, count) => {
    if (count === 1) held = response;
    else response.end();
  };
  await hook();
  deliveries = startDeliveries(ctx);
  for (let index = 0; index < 20; index++) await call("createRegisteredModel", { name: `m${index}` });
  await vi.waitUntil(async () => (await waiting()).length === 1, { timeout: 5_000 });
  expect(received).toHaveLength(20);
  held!.end();
  await until(isEmpty);
});

test("a receiver that never answers runs into the time-out", async () => {
  await ctx.close();
  ctx = await openTestContext({ webhooks: { ...local, requestTimeoutMs: 50, requestRetriesMax: 0 } });
  respond = () => {};
  await hook();
  deliveries = startDeliveries(ctx);
  await call("createRegisteredModel", { name: "m" });
  await until(isEmpty);
  expect(ctx.lines.at(-1)).toMatchObject({
    message: "webhook given up",
    facts: { reason: "no answer within 50 ms, 1 times" },
  });
});

test("the address is checked again when it is used", async () => {
  await hook({ url: url.replace("127.0.0.1", "localhost") });
  await hook();
  await call("createRegisteredModel", { name: "m" });
  const { folder } = ctx;
  await ctx.close({ keepFolder: true });
  ctx = await openTestContext({ folder, webhooks: { allowedSchemes: ["http"] } });
  deliveries = startDeliveries(ctx);
  await until(isEmpty);
  expect(received).toEqual([]);
  const reasons = ctx.lines.map(({ facts }) => (facts as { reason?: string }).reason);
  expect(reasons).toHaveLength(2);
  for (const reason of reasons) expect(reason).toContain("must not resolve to a non-public IP address");
});

test("trying a webhook out: what the receiver said", async () => {
  const webhookId = await hook({ secret: "s", status: "DISABLED" });
  expect(await call("testWebhook", { webhookId })).toEqual({
    result: { success: true, responseStatus: 200, responseBody: "thanks", errorMessage: undefined },
  });
  expect(JSON.parse(received[0]!.body)).toMatchObject({ entity: "registered_model", action: "created" });
  respond = (response) => {
    response.statusCode = 500;
    response.end("no".repeat(100_000));
  };
  const event = { entity: "PROMPT_TAG", action: "DELETED" } as const;
  const { result } = await call("testWebhook", { webhookId, event });
  expect(result).toMatchObject({ success: false, responseStatus: 500 });
  expect(result!.responseBody).toHaveLength(65_536);
  expect(JSON.parse(received[1]!.body)).toMatchObject({ entity: "prompt_tag", action: "deleted" });
  await call("updateWebhook", { webhookId, url: "http://127.0.0.1:1/closed" });
  expect((await call("testWebhook", { webhookId })).result).toMatchObject({
    success: false,
    errorMessage: expect.stringMatching(/^Failed to test webhook: .*ECONNREFUSED/),
  });
});
