import type { Webhook, WebhookTestResult } from "@millrace/contract";
import { present } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

export interface Webhooks {
  create(request: Fields<"createWebhook">, options?: CallOptions): Promise<Webhook>;
  get(webhookId: string, options?: CallOptions): Promise<Webhook>;
  list(request?: SearchFields<"listWebhooks">, options?: CallOptions): Listing<Webhook>;
  update(request: Fields<"updateWebhook">, options?: CallOptions): Promise<Webhook>;
  delete(webhookId: string, options?: CallOptions): Promise<void>;
  /** Lets the server send an example now and tells how the receiver answered. */
  test(request: Fields<"testWebhook">, options?: CallOptions): Promise<WebhookTestResult>;
}

export function createWebhooks({ call }: Transport): Webhooks {
  return {
    create: async (request, options) =>
      present((await call("createWebhook", request, options)).webhook, "webhook"),
    get: async (webhookId, options) =>
      present((await call("getWebhook", { webhookId }, options)).webhook, "webhook"),
    list: (request = {}, options) =>
      listing(async (pageToken) => {
        const answer = await call("listWebhooks", { ...request, pageToken }, options);
        return { items: answer.webhooks ?? [], nextPageToken: answer.nextPageToken };
      }),
    update: async (request, options) =>
      present((await call("updateWebhook", request, options)).webhook, "webhook"),
    delete: async (webhookId, options) => {
      await call("deleteWebhook", { webhookId }, options);
    },
    test: async (request, options) => present((await call("testWebhook", request, options)).result, "result"),
  };
}
