/**
 * Runs all checks and suites one after the other, goes on after a failure, and ends with "N passed, N failed".
 * Suites count their tests; any other step counts as one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "millrace-ci-"));
const only = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const failures: string[] = [];

function run(name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  console.log(`\n=== ${name}`);
  const started = performance.now();
  const [program, ...args] = command;
  const { status, signal } = spawnSync(program!, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`, ...env },
  });
  console.log(
    `=== ${name}: ${status === 0 ? "ok" : `failed (${signal ?? status})`}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  return status ?? 1;
}

function step(name: string, command: readonly string[], env?: Readonly<Record<string, string>>): void {
  if (only.length > 0 && !only.includes(name)) return;
  if (run(name, command, env) === 0) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

function suite(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  if (only.length > 0 && !only.includes(name)) return;
  const report = join(scratch, `${name.replaceAll(" ", "-")}.json`);
  const status = run(
    name,
    ["vitest", "run", ...args, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    env,
  );
  const counts = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as Report) : undefined;
  passed += counts?.numPassedTests ?? 0;
  skipped += counts?.numPendingTests ?? 0;
  // A suite that broke without a failing test (a file that cannot be loaded) counts as one failure.
  const broken = counts?.numFailedTests || (status === 0 ? 0 : 1);
  failed += broken;
  if (broken > 0) failures.push(name);
}

const acceptance = ["--config", "acceptance/vitest.config.ts"];
step("typecheck", ["npm", "run", "--silent", "typecheck"]);
step("lint", ["npm", "run", "--silent", "lint"]);
step("format", ["npm", "run", "--silent", "format:check"]);
step("layers", ["node", "scripts/check-layers.ts"]);
step("members", ["node", "scripts/check-members.ts"]);
suite("unit", []);
step("build", ["node", "scripts/build.ts"]);
step("packed", ["node", "scripts/check-packed.ts"]);
suite("acceptance", acceptance, { MILLRACE_COMPILED: "1" });
step("bench", ["npm", "run", "--silent", "bench", "--", "--quick", "--target", "millrace"]);

rmSync(scratch, { recursive: true, force: true });
if (failures.length > 0) console.log(`\nfailed: ${failures.join(", ")}`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
