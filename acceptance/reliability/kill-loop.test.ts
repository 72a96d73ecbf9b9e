import { expect, test } from "vitest";
import { killLoop } from "./kill-loop.ts";

const rounds = Number(process.env["MILLRACE_KILLS"] ?? 30);

test(`${rounds} × SIGKILL under 16 writers: every acknowledged write is there, none twice`, async () => {
  const result = await killLoop(rounds, 16);
  const sorted = result.readyMs.toSorted((a, b) => a - b);
  console.log(
    `kill loop: ${result.rounds} kills, ${result.acknowledged} acknowledged writes, ready again in ${sorted[sorted.length >> 1]!.toFixed(0)} ms (median), ${sorted.at(-1)!.toFixed(0)} ms (slowest)`,
  );
  expect(result.lost).toEqual([]);
  expect(result.wrong).toEqual([]);
  expect(result.integrity).toEqual([]);
  // A loop that wrote nothing would prove nothing.
  expect(result.acknowledged).toBeGreaterThan(rounds * 16);
});
