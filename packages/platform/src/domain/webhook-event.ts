/** What webhooks are told of, and the body that tells it. */
import { invalidParameter, type webhookActions, type webhookEntities } from "@millrace/contract";
import type { Text } from "./batch.ts";

export type EventEntity = Exclude<keyof typeof webhookEntities, "ENTITY_UNSPECIFIED">;
export type EventAction = Exclude<keyof typeof webhookActions, "ACTION_UNSPECIFIED">;

export interface EventType {
  readonly entity: EventEntity;
  readonly action: EventAction;
}

/** An event, with the data of its body. */
export interface Event extends EventType {
  readonly data: Readonly<Record<string, unknown>>;
}

const setOrDeleted: readonly EventAction[] = ["DELETED", "SET"];
const createdOrDeleted: readonly EventAction[] = ["CREATED", "DELETED"];

/** Which actions each entity has, in alphabetical order. */
const actionsOf: Readonly<Record<EventEntity, readonly EventAction[]>> = {
  REGISTERED_MODEL: ["CREATED"],
  MODEL_VERSION: ["CREATED"],
  MODEL_VERSION_TAG: setOrDeleted,
  MODEL_VERSION_ALIAS: createdOrDeleted,
  PROMPT: ["CREATED"],
  PROMPT_VERSION: ["CREATED"],
  PROMPT_TAG: setOrDeleted,
  PROMPT_VERSION_TAG: setOrDeleted,
  PROMPT_ALIAS: createdOrDeleted,
  BUDGET_POLICY: ["EXCEEDED"],
};

/**
 * Checks that such an event exists.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function checkEventType(
  entity: keyof typeof webhookEntities | undefined,
  action: keyof typeof webhookActions | undefined,
): EventType {
  if (entity === undefined || entity === "ENTITY_UNSPECIFIED") {
    throw invalidParameter(
      `Invalid webhook event: it names no known entity. Use one of ${Object.keys(actionsOf).join(", ")}.`,
    );
  }
  const actions = actionsOf[entity];
  if (action === undefined || action === "ACTION_UNSPECIFIED" || !actions.includes(action)) {
    const valid = actions.map((each) => `'${each.toLowerCase()}'`).join(", ");
    throw invalidParameter(
      `Invalid action '${(action ?? "").toLowerCase()}' for entity '${entity.toLowerCase()}'. Valid actions are: [${valid}]`,
      { entity, action },
    );
  }
  return { entity, action };
}

/** Every kind of event once, in the order in which answers list them. */
export function sortedEventTypes(types: readonly EventType[]): readonly EventType[] {
  const byName = new Map(types.map((type) => [`${type.entity} ${type.action}`, type]));
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, type]) => type);
}

/** The JSON that is delivered. The time is when the event was recorded, however late it arrives. */
export function eventBody({ entity, action, data }: Event, timeMs: number): string {
  return JSON.stringify({
    entity: entity.toLowerCase(),
    action: action.toLowerCase(),
    // An offset instead of Z, which older versions of Python do not read.
    timestamp: new Date(timeMs).toISOString().replace("Z", "+00:00"),
    data,
  });
}

/** Tags as bodies carry them: an object. */
export function tagsObject(tags: readonly Text[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/** An event of each kind with made-up values, for trying out a webhook. */
export function sampleEvent(type: EventType): Event {
  const isAbout = (kind: string): boolean => type.entity.startsWith(kind);
  const name = isAbout("PROMPT") ? "sample_prompt" : "sample_model";
  const described = { tags: { sample_key: "sample value" }, description: "Sent to try out a webhook." };
  const pair = type.action === "SET" ? { key: "sample_key", value: "sample value" } : { key: "sample_key" };
  const version = { version: "1" };
  const aliased =
    type.action === "CREATED" ? { alias: "sample_alias", ...version } : { alias: "sample_alias" };
  const data: Readonly<Record<EventEntity, Readonly<Record<string, unknown>>>> = {
    REGISTERED_MODEL: { name, ...described },
    MODEL_VERSION: {
      name,
      ...version,
      source: "models:/m-00000000000000000000000000000000",
      run_id: "00000000000000000000000000000000",
      ...described,
    },
    MODEL_VERSION_TAG: { name, ...version, ...pair },
    MODEL_VERSION_ALIAS: { name, ...aliased },
    PROMPT: { name, ...described },
    PROMPT_VERSION: { name, ...version, template: "Greet {{name}}.", ...described },
    PROMPT_TAG: { name, ...pair },
    PROMPT_VERSION_TAG: { name, ...version, ...pair },
    PROMPT_ALIAS: { name, ...aliased },
    BUDGET_POLICY: {
      budget_policy_id: "sample_policy",
      budget_unit: "USD",
      budget_amount: 100,
      current_spend: 101.5,
      duration_unit: "MONTHS",
      duration_value: 1,
      target_scope: "GLOBAL",
      workspace: "default",
      target_value: null,
      window_start: 1_767_225_600_000,
    },
  };
  return { ...type, data: data[type.entity] };
}
