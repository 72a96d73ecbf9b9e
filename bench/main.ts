import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePorts } from "./free-port.ts";
import { probeFsync } from "./measure/disk-probe.ts";
import { parseOptions, usage, type Options } from "./options.ts";
import {
  allRight,
  renderMarkdown,
  renderText,
  type Machine,
  type Report,
  type TargetResults,
} from "./report/table.ts";
import { runTarget } from "./run-target.ts";
import { millrace } from "./targets/millrace.ts";
import { mlflow } from "./targets/mlflow.ts";
import type { Target } from "./targets/target.ts";
import { workloads } from "./workloads/index.ts";

function chooseTargets(options: Options): Target[] {
  const executable = resolve(options.mlflow);
  const all = [millrace(resolve(options.millrace)), mlflow(executable, 1), mlflow(executable, undefined)];
  const chosen = all.filter((target) =>
    options.targets.some(
      (name) => name === target.name || (name === "mlflow" && target.name.startsWith("mlflow")),
    ),
  );
  if (chosen.length === 0) throw new Error(`No target is named ${options.targets.join(", ")}.`);
  return chosen;
}

function chooseWorkloads(only: readonly string[]): typeof workloads {
  for (const name of only)
    if (!workloads.some((workload) => isNamed(workload.name, name)))
      throw new Error(`No workload is named ${name}; --list shows them.`);
  return only.length === 0
    ? workloads
    : workloads.filter((workload) => only.some((name) => isNamed(workload.name, name)));
}

/** `search` names the workload `search` and its family `search-large`. */
function isNamed(workload: string, name: string): boolean {
  return workload === name || workload.startsWith(`${name}-`);
}

function describeMachine(folder: string): Machine {
  const probe = probeFsync(folder, 500);
  return {
    cpus: cpus().length,
    cpuModel: cpus()[0]?.model ?? "unknown",
    node: process.versions.node,
    sqlite: process.versions["sqlite"] ?? "unknown",
    kernel: `Linux ${release()}`,
    fsyncProbe: probe.toString(),
    fsyncProbeMs: probe.p50,
    loadAverage: loadavg(),
  };
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(usage);
    return 0;
  }
  if (options === "list") {
    for (const workload of workloads) console.log(workload.name);
    return 0;
  }
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const chosen = chooseWorkloads(options.only);
  const targets = chooseTargets(options);
  if (options.folder !== undefined) mkdirSync(options.folder, { recursive: true });
  const folder = mkdtempSync(join(resolve(options.folder ?? tmpdir()), "millrace-bench-"));
  // Interrupted, the servers and their data go as well: `exit` handlers kill what was started.
  const removeFolder = (): void => {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  };
  if (options.keep) say(`Databases and logs stay in ${folder}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  process.on("exit", removeFolder);
  try {
    const startedAt = new Date().toISOString();
    const machine = describeMachine(folder);
    const freePort = freePorts(options.port);
    const results: TargetResults[] = [];
    for (const target of targets)
      results.push(await runTarget(target, chosen, { options, folder, freePort, say }));
    const report: Report = {
      startedAt,
      machine,
      workloads: chosen.map(({ name, figures }) => ({ name, figures })),
      targets: results,
    };
    console.log(renderText(report));
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify({ ...report, options }, null, 2)}\n`);
    if (options.markdown !== undefined) writeFileSync(options.markdown, renderMarkdown(report));
    return allRight(report) ? 0 : 1;
  } finally {
    removeFolder();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
