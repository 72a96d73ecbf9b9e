import { expect, test } from "vitest";
import { describe as inWords, fuzz, loadRegressions } from "./fuzz.ts";

const requests = Number(process.env["MILLRACE_FUZZ"] ?? 20_000);
const seed = Number(process.env["MILLRACE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

test(`${requests} mutated requests (seed ${seed}): an answer to each, no 5xx, no hang, nothing of the inside shown`, async () => {
  const result = await fuzz({ requests, seed });
  console.log(inWords(result));
  expect(result.failures).toEqual([]);
  expect(result.refused).toEqual([]);
  expect(result.requests).toBe(requests);
  expect({ samePid: result.samePid, healthy: result.healthy }).toEqual({ samePid: true, healthy: true });
  // Requests that all fail at the door would prove little: enough of them must be right, and enough wrong.
  expect(result.statuses[200]! / requests).toBeGreaterThan(0.1);
  expect(result.statuses[400]! / requests).toBeGreaterThan(0.1);
});

test("requests that once failed are answered", async () => {
  const result = await fuzz({ requests: 0, seed, regressionsOnly: true });
  console.log(inWords(result));
  expect(result.failures).toEqual([]);
  expect(result.requests).toBe(loadRegressions().length);
});
