import { createHmac } from "node:crypto";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../server.ts";
import { base, call, expectError, ok, send } from "./call.ts";
import { unique } from "./entities.ts";

interface Webhook extends Record<string, unknown> {
  readonly webhook_id: string;
}

const events = [{ entity: "MODEL_VERSION", action: "CREATED" }];
// A public address that needs no name server; nothing is sent there, because no test below fires the event.
const url = "https://8.8.8.8/hook";

async function createWebhook(fields: object = {}): Promise<Webhook> {
  const body = { name: unique("hook"), url, events, status: "DISABLED", ...fields };
  return (await ok<{ webhook: Webhook }>("POST", "webhooks", body)).webhook;
}

describe("webhooks", () => {
  it("are created, active unless told otherwise, and never show their secret", async () => {
    const name = unique("hook");
    const body = {
      name,
      url,
      events: [{ entity: "PROMPT", action: "CREATED" }],
      description: "d",
      secret: "s3cret",
    };
    const answer = await call<{ webhook: Webhook }>("POST", "webhooks", body);
    expect(answer.status).toBe(200);
    const { webhook_id } = answer.body.webhook;
    expect(answer.body.webhook).toEqual({
      webhook_id,
      name,
      url,
      description: "d",
      events: body.events,
      status: "ACTIVE",
      creation_timestamp: expect.any(Number),
      last_updated_timestamp: answer.body.webhook["creation_timestamp"],
    });
    expect(await ok("GET", `webhooks/${webhook_id}`)).toEqual(answer.body);
    await ok("DELETE", `webhooks/${webhook_id}`);
  });

  it("are updated in part, listed, and deleted", async () => {
    const { webhook_id } = await createWebhook({ description: "old" });
    const path = `webhooks/${webhook_id}`;
    const renamed = unique("renamed");
    expect(await ok("PATCH", path, { name: renamed, status: "ACTIVE" })).toMatchObject({
      webhook: { webhook_id, name: renamed, status: "ACTIVE", description: "old", url, events },
    });
    const other = [{ entity: "REGISTERED_MODEL", action: "CREATED" }];
    expect(await ok("PATCH", path, { events: other })).toMatchObject({
      webhook: { events: other, name: renamed },
    });
    const { webhooks } = await ok<{ webhooks: Webhook[] }>("GET", "webhooks", { max_results: 1000 });
    expect(webhooks.map((webhook) => webhook.webhook_id)).toContain(webhook_id);
    expect(await ok("DELETE", path)).toEqual({});
    for (const method of ["DELETE", "GET"] as const) {
      const gone = await call(method, path);
      expectError(gone, 404, "RESOURCE_DOES_NOT_EXIST", `Webhook with ID ${webhook_id} not found`);
    }
  });

  it("are listed newest first, in pages", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      ids.unshift((await createWebhook()).webhook_id);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    type Page = { webhooks: Webhook[]; next_page_token: string };
    const first = await ok<Page>("GET", "webhooks", { max_results: 1 });
    const second = await ok<Page>("GET", "webhooks", { max_results: 1, page_token: first.next_page_token });
    expect([first, second].map(({ webhooks }) => webhooks[0]?.webhook_id)).toEqual(ids);
    for (const id of ids) await ok("DELETE", `webhooks/${id}`);
  });

  it.each([
    ["no name", { name: undefined }, "Missing value for required parameter 'name'"],
    ["no address", { url: undefined }, "Missing value for required parameter 'url'"],
    ["no events", { events: undefined }, "Missing value for required parameter 'events'"],
    ["an empty list of events", { events: [] }, "events"],
    [
      "an action that the entity has not",
      { events: [{ entity: "REGISTERED_MODEL", action: "SET" }] },
      "action",
    ],
    ["plain http", { url: "http://8.8.8.8/h" }, "scheme"],
    ["no address at all", { url: "nourl" }, "scheme"],
    ["this machine", { url: "https://127.0.0.1/h" }, "127.0.0.1"],
    ["a private address", { url: "https://10.0.0.1/h" }, "10.0.0.1"],
    ["a name that begins with a dash", { name: "-hook" }, "-hook"],
    ["a name of 64 characters", { name: "w".repeat(64) }, "63 characters"],
  ])("are refused with %s", async (_, fields, message) => {
    const body = { name: unique("hook"), url, events, ...fields };
    expectError(await call("POST", "webhooks", body), 400, "INVALID_PARAMETER_VALUE", message);
  });

  it("that are unknown answer 404", async () => {
    for (const [method, path, body] of [
      ["GET", "webhooks/unknown", undefined],
      ["PATCH", "webhooks/unknown", { name: "x" }],
      ["DELETE", "webhooks/unknown", undefined],
      ["POST", "webhooks/unknown/test", {}],
    ] as const) {
      const answer = await call(method, path, body);
      expectError(answer, 404, "RESOURCE_DOES_NOT_EXIST", "Webhook with ID unknown not found");
    }
  });
});

interface Delivery {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

// A server that was running already cannot be told to deliver to this machine.
describe.skipIf(process.env["MILLRACE_TARGET"]?.startsWith("http"))("deliveries of webhooks", () => {
  const deliveries: Delivery[] = [];
  let arrived = () => {};
  let receiver: Server;
  let server: RunningServer;

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        deliveries.push({ headers: request.headers, text: Buffer.concat(chunks).toString() });
        response.end("thanks");
        arrived();
      });
    });
    receiver.listen(0, "127.0.0.1");
    await once(receiver, "listening");
    server = await startServer({
      env: {
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES: "http,https",
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: "true",
        NO_PROXY: "127.0.0.1",
        no_proxy: "127.0.0.1",
      },
    });
  });

  afterAll(async () => {
    await server?.stop();
    receiver?.closeAllConnections();
    receiver?.close();
  });

  const post = (path: string, body: object) =>
    send(
      {
        method: "POST",
        path: base + path,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      },
      server.url,
    );

  async function delivery(): Promise<Delivery> {
    if (deliveries.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    const first = deliveries.shift();
    if (first === undefined) throw new Error("Nothing was delivered.");
    return first;
  }

  it("hold the event, and are signed over id, time and body", async () => {
    const address = receiver.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const hook = { name: "receiver", url: `http://127.0.0.1:${port}/hook`, secret: "s3cret" };
    const created = await post("webhooks", {
      ...hook,
      events: [
        { entity: "REGISTERED_MODEL", action: "CREATED" },
        { entity: "MODEL_VERSION_ALIAS", action: "CREATED" },
      ],
    });
    expect(created, created.text).toMatchObject({ status: 200 });

    await post("registered-models/create", {
      name: "wine",
      description: "d",
      tags: [{ key: "a", value: "1" }],
    });
    const { headers, text } = await delivery();
    const body: unknown = JSON.parse(text);
    expect(body).toMatchObject({
      entity: "registered_model",
      action: "created",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      data: { name: "wine", description: "d", tags: { a: "1" } },
    });
    const [id, time] = [headers["x-mlflow-delivery-id"], headers["x-mlflow-timestamp"]];
    const signature = createHmac("sha256", hook.secret)
      .update(`${String(id)}.${String(time)}.${text}`)
      .digest("base64");
    expect(headers["x-mlflow-signature"]).toBe(`v1,${signature}`);
    expect(headers["content-type"]).toMatch(/^application\/json/);

    await post("model-versions/create", { name: "wine", source: "s3://b/p" });
    await post("registered-models/alias", { name: "wine", alias: "champion", version: "1" });
    // Nobody asked for the version's creation, so the next one to arrive is the alias.
    expect(JSON.parse((await delivery()).text)).toMatchObject({
      entity: "model_version_alias",
      action: "created",
      data: { name: "wine", alias: "champion", version: "1" },
    });

    const { webhook } = created.body as { webhook: Webhook };
    const tested = await post(`webhooks/${webhook.webhook_id}/test`, {});
    expect(tested.body).toMatchObject({
      result: { success: true, response_status: 200, response_body: "thanks" },
    });
    // The example is made up for one of the two events.
    expect(JSON.parse((await delivery()).text)).toMatchObject({
      action: "created",
      data: expect.any(Object),
    });
  });
});
