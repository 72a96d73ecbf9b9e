import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks per second of /proc/PID/stat: USER_HZ, 100 on every Linux port that Node supports. */
const ticksPerSecond = 100;

/** The fields of /proc/PID/stat that follow the command name, which may itself hold spaces and parentheses. */
export function parseStat(stat: string): { readonly parentPid: number; readonly cpuSeconds: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Counted from field 3 (state): parent 4, utime 14, stime 15.
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { parentPid: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond };
}

/** Proportional set size in MiB from /proc/PID/smaps_rollup. */
export function parsePssMib(rollup: string): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kib === undefined ? Number.NaN : Number(kib) / 1024;
}

/** A process and everything it started, itself first. A process that ends meanwhile is left out. */
export function processTree(rootPid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOrNothing(`/proc/${name}/stat`);
    if (stat === undefined) continue;
    const { parentPid } = parseStat(stat);
    children.set(parentPid, [...(children.get(parentPid) ?? []), Number(name)]);
  }
  const tree = [rootPid];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** PSS of the whole process tree in MiB. */
export function treePssMib(rootPid: number): number {
  let total = 0;
  for (const pid of processTree(rootPid)) {
    const rollup = readOrNothing(`/proc/${String(pid)}/smaps_rollup`);
    if (rollup !== undefined) total += parsePssMib(rollup) || 0;
  }
  return total;
}

/** User and system time of the living processes of the tree, in seconds. */
export function treeCpuSeconds(rootPid: number): number {
  let total = 0;
  for (const pid of processTree(rootPid)) {
    const stat = readOrNothing(`/proc/${String(pid)}/stat`);
    if (stat !== undefined) total += parseStat(stat).cpuSeconds;
  }
  return total;
}

/**
 * Waits until the tree has used almost no CPU for a second, so that background work left over from one workload
 * (sealing, checkpoints, garbage collection) is not billed to the next. Gives up after `timeoutMs`.
 */
export async function settle(rootPid: number, timeoutMs = 15_000): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let quiet = 0;
  let before = treeCpuSeconds(rootPid);
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = treeCpuSeconds(rootPid);
    quiet = now - before <= 0.03 ? quiet + 1 : 0;
    if (quiet === 4) return true;
    before = now;
  }
  return false;
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
