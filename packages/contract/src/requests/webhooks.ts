import { Webhook, WebhookEvent, webhookStatuses, WebhookTestResult } from "../entities/index.ts";
import { enumeration, integer, list, message, nested, required, string } from "../wire/index.ts";

export const CreateWebhookRequest = message("CreateWebhookRequest", {
  name: required(string()),
  description: string(),
  url: required(string()),
  events: required(list(nested(WebhookEvent))),
  secret: string(),
  status: enumeration(webhookStatuses),
});
export const WebhookResponse = message("WebhookResponse", { webhook: nested(Webhook) });
export const WebhookIdRequest = message("WebhookIdRequest", { webhookId: required(string()) });
export const ListWebhooksRequest = message("ListWebhooksRequest", {
  maxResults: integer(),
  pageToken: string(),
});
export const ListWebhooksResponse = message("ListWebhooksResponse", {
  webhooks: list(nested(Webhook)),
  nextPageToken: string(),
});
export const UpdateWebhookRequest = message("UpdateWebhookRequest", {
  webhookId: required(string()),
  name: string(),
  description: string(),
  url: string(),
  events: list(nested(WebhookEvent)),
  secret: string(),
  status: enumeration(webhookStatuses),
});
export const TestWebhookRequest = message("TestWebhookRequest", {
  webhookId: required(string()),
  event: nested(WebhookEvent),
});
export const TestWebhookResponse = message("TestWebhookResponse", { result: nested(WebhookTestResult) });
