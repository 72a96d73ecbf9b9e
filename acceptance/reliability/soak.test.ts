import { expect, test } from "vitest";
import { describe as inWords, GROWTH_MAX, soak } from "./soak.ts";

const requests = Number(process.env["MILLRACE_SOAK"] ?? 20_000);
/** Below this the server is still warming up when the run ends, and its memory says nothing. */
const MEMORY_REQUESTS_MIN = 200_000;

test(`${requests} mixed requests at 32 connections beside 64 slow clients: every answer is right`, async () => {
  const result = await soak(requests);
  console.log(inWords(result));
  expect({ errors: result.errors, first: result.firstError }).toEqual({ errors: 0, first: undefined });
  expect(result.slowErrors).toEqual([]);
  expect(result.requests).toBe(requests);
  expect(result.slowExchanges).toBeGreaterThanOrEqual(64);
  expect(result.healthy).toBe(true);
  if (requests >= MEMORY_REQUESTS_MIN) expect(result.growth).toBeLessThanOrEqual(GROWTH_MAX);
});
