import type { UseCases } from "../handler.ts";
import { testWebhook } from "./test-webhook.ts";
import { createWebhook, deleteWebhook, getWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

export const webhookUseCases = {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  testWebhook,
  updateWebhook,
} satisfies Partial<UseCases>;
