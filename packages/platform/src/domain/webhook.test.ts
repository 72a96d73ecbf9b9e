import { expect, test } from "vitest";
import { judge, retryAfterMs } from "./webhook.ts";
import { eventBody } from "./webhook-event.ts";

const answered = (status: number, retryAfter?: number) =>
  ({ kind: "answered", status, retryAfterMs: retryAfter }) as const;

test("what arrived is done, what the receiver refuses is given up", () => {
  for (const status of [200, 201, 204]) expect(judge(answered(status), 1, 3, 0)).toEqual({ next: "done" });
  for (const status of [301, 307, 400, 401, 404, 410]) {
    expect(judge(answered(status), 1, 3, 0)).toMatchObject({ next: "give-up" });
  }
  expect(judge({ kind: "refused", reason: "no" }, 1, 3, 0)).toEqual({ next: "give-up", reason: "no" });
});

test("what may pass is tried again: the statuses and waits of MLflow's session", () => {
  for (const status of [429, 500, 502, 503, 504]) {
    const waits = [1, 2, 3].map((attempt) => judge(answered(status), attempt, 3, 0));
    expect(waits.map((verdict) => verdict.next === "retry" && verdict.delayMs)).toEqual([
      1_000, 2_000, 4_000,
    ]);
    expect(judge(answered(status), 4, 3, 0)).toMatchObject({ next: "give-up" });
  }
  expect(judge({ kind: "failed", reason: "reset" }, 1, 3, 0.5)).toEqual({
    next: "retry",
    delayMs: 1_500,
    reason: "reset",
  });
  expect(judge({ kind: "failed", reason: "reset" }, 1, 0, 0)).toMatchObject({ next: "give-up" });
  expect(judge(answered(500), 50, 100, 1)).toMatchObject({ delayMs: 61_000 });
});

test("a receiver may say how long to wait, up to an hour", () => {
  expect(judge(answered(429, 7_000), 1, 3, 0)).toMatchObject({ delayMs: 7_000 });
  expect(judge(answered(429, 1e12), 1, 3, 0)).toMatchObject({ delayMs: 3_600_000 });
  expect(retryAfterMs("120", 0)).toBe(120_000);
  // The example of RFC 9110, section 10.2.3.
  expect(retryAfterMs("Fri, 31 Dec 1999 23:59:59 GMT", Date.UTC(1999, 11, 31, 23, 59, 0))).toBe(59_000);
  expect(retryAfterMs("soon", 0)).toBeUndefined();
  expect(retryAfterMs(undefined, 0)).toBeUndefined();
});

test("a body names its event in lower case, at a time that every Python reads", () => {
  const event = { entity: "MODEL_VERSION_TAG", action: "SET", data: { name: "m" } } as const;
  expect(JSON.parse(eventBody(event, 1_800_000_000_123))).toEqual({
    entity: "model_version_tag",
    action: "set",
    timestamp: "2027-01-15T08:00:00.123+00:00",
    data: { name: "m" },
  });
});
