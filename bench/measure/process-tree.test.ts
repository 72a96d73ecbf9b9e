import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { parsePssMib, parseStat, processTree, treeCpuSeconds, treePssMib } from "./process-tree.ts";

test("reads parent and CPU time after a command name that holds spaces and parentheses", () => {
  const stat =
    "4242 (mlflow (w) 1) S 17 4242 4242 0 -1 4194304 900 0 0 0 1234 66 5 6 20 0 11 0 8800 1000 200 18446744073709551615";
  expect(parseStat(stat)).toEqual({ parentPid: 17, cpuSeconds: 13 });
});

test("reads Pss, not its parts", () => {
  const rollup =
    "00400000-7ffd [rollup]\nRss:   9000 kB\nPss:   3072 kB\nPss_Dirty:  17 kB\nPss_Anon: 12 kB\n";
  expect(parsePssMib(rollup)).toBe(3);
  expect(parsePssMib("")).toBeNaN();
});

test("a tree holds the children, and their memory and CPU time count", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdout.write('up'); setInterval(() => {}, 1000)"]);
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  expect(processTree(process.pid)).toContain(pid);
  expect(treePssMib(pid)).toBeGreaterThan(5);
  expect(treeCpuSeconds(process.pid)).toBeGreaterThanOrEqual(treeCpuSeconds(pid));
  child.kill();
});
