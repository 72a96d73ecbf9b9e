import { boolean, enumeration, integer, list, message, nested, string, type TypeOf } from "../wire/index.ts";

export const webhookStatuses = { ACTIVE: 1, DISABLED: 2 } as const;
export const webhookEntities = {
  ENTITY_UNSPECIFIED: 0,
  REGISTERED_MODEL: 1,
  MODEL_VERSION: 2,
  MODEL_VERSION_TAG: 3,
  MODEL_VERSION_ALIAS: 4,
  PROMPT: 5,
  PROMPT_VERSION: 6,
  PROMPT_TAG: 7,
  PROMPT_VERSION_TAG: 8,
  PROMPT_ALIAS: 9,
  BUDGET_POLICY: 10,
} as const;
export const webhookActions = {
  ACTION_UNSPECIFIED: 0,
  CREATED: 1,
  UPDATED: 2,
  DELETED: 3,
  SET: 4,
  EXCEEDED: 5,
} as const;

export const WebhookEvent = message("WebhookEvent", {
  entity: enumeration(webhookEntities),
  action: enumeration(webhookActions),
});
export type WebhookEvent = TypeOf<typeof WebhookEvent>;

/** The secret is never part of an answer. */
export const Webhook = message("Webhook", {
  webhookId: string(),
  name: string(),
  description: string(),
  url: string(),
  events: list(nested(WebhookEvent)),
  status: enumeration(webhookStatuses),
  creationTimestamp: integer(),
  lastUpdatedTimestamp: integer(),
});
export type Webhook = TypeOf<typeof Webhook>;

export const WebhookTestResult = message("WebhookTestResult", {
  success: boolean(),
  responseStatus: integer(),
  responseBody: string(),
  errorMessage: string(),
});
export type WebhookTestResult = TypeOf<typeof WebhookTestResult>;
