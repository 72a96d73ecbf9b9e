/**
 * Runs the long versions of the reliability suites and the whole benchmark, one after another, and writes what came
 * out to `docs/figures/YYYY-MM-DD.md`. The table is written anew after every step, so that an abort loses only the
 * step that was running; a second run on the same day, with `--only`, replaces the rows it runs.
 *
 * `npm run figures [-- --only kills,soak] [-- --list]`
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { probeFsync } from "../bench/measure/disk-probe.ts";

interface Step {
  readonly name: string;
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Lines of the output that hold the figures. */
  readonly lines: RegExp;
  /** A file in Markdown that the command writes; it is added below the table. */
  readonly markdown?: string;
}

interface Row {
  readonly name: string;
  readonly title: string;
  readonly command: string;
  readonly result: readonly string[];
  readonly passed: boolean;
  readonly minutes: number;
  readonly commit: string;
  readonly markdown?: string;
}

const root = resolve(import.meta.dirname, "..");
const day = new Date().toISOString().slice(0, 10);
const resultsFolder = join(root, "bench", "results");
const rowsFile = join(resultsFolder, `figures-${day}.json`);
const tableFile = join(root, "docs", "figures", `${day}.md`);
const benchTable = join(resultsFolder, `bench-${day}.md`);
const HOURS_4_MS = 4 * 3_600_000;

function acceptance(file: string): readonly string[] {
  const config = ["--config", "acceptance/vitest.config.ts", "--project", "clients"];
  return ["vitest", "run", ...config, `--testTimeout=${HOURS_4_MS}`, `acceptance/${file}`];
}

const testCounts = /^\s*Tests\s+.*\d+ (passed|failed)/;
const compiled = { MILLRACE_COMPILED: "1" };

const steps: readonly Step[] = [
  {
    name: "kills",
    title: "300 × SIGKILL at random moments under 16 writers",
    env: { ...compiled, MILLRACE_KILLS: "300" },
    command: acceptance("reliability/kill-loop.test.ts"),
    lines: /^kill loop:/,
  },
  {
    name: "fuzz",
    title: "200,000 mutated requests",
    env: { ...compiled, MILLRACE_FUZZ: "200000" },
    command: acceptance("reliability/fuzz.test.ts"),
    lines: /^(fuzz: [1-9]\d{3,}|slowest \d{2,})/,
  },
  {
    name: "soak",
    title: "1,000,000 mixed requests at 32 connections beside 64 slow clients",
    env: { ...compiled, MILLRACE_SOAK: "1000000" },
    command: acceptance("reliability/soak.test.ts"),
    lines: /^(soak:|\d+ slow clients:|PSS by tenths:|first error:)/,
  },
  {
    name: "search",
    title: "10,000 random searches against a plain predicate",
    env: { MILLRACE_SEEDS: "10000" },
    command: ["vitest", "run", `--testTimeout=${HOURS_4_MS}`, "packages/platform/src/db/search"],
    lines: testCounts,
  },
  {
    name: "agreement",
    title: "10,000 random searches against a real MLflow",
    env: { ...compiled, MILLRACE_SEEDS: "10000" },
    command: acceptance("search/agreement.test.ts"),
    lines: testCounts,
  },
  {
    name: "bench",
    title: "the benchmark, side by side with MLflow",
    env: {},
    command: ["npm", "run", "--silent", "bench", "--", "--markdown", benchTable],
    lines: /^$/,
    markdown: benchTable,
  },
];

/** What a reader needs to compare figures; nothing that names the machine. */
function facts(): string[] {
  const version = (command: string, ...args: string[]): string =>
    (spawnSync(command, args, { cwd: root, encoding: "utf8" }).stdout ?? "").trim();
  const model = cpus()[0]?.model ?? "unknown";
  const manifest = JSON.parse(readFileSync(join(root, "packages/platform/package.json"), "utf8")) as {
    version: string;
  };
  return [
    `- ${cpus().length} × ${model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release().split("-")[0]}`,
    `- 4 KB \`pwrite\` + \`fdatasync\`: ${probeFsync(tmpdir()).toString()}`,
    `- Millrace ${manifest.version} (commit ${version("git", "rev-parse", "--short", "HEAD")}), Node ${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "unknown"}`,
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function render(rows: readonly Row[], machine: readonly string[]): string {
  const table = rows.map(
    ({ title, command, result, passed, minutes, commit }) =>
      `| ${cell(title)} | \`${cell(command)}\` | ${cell(result.join("<br>"))} | ${passed ? "passed" : "**failed**"} | ${minutes.toFixed(1)} | ${commit} |`,
  );
  const appendix = rows.flatMap(({ title, markdown }) =>
    markdown === undefined ? [] : ["", `## ${title}`, "", markdown.replace(/^# .*\n+/, "").trim()],
  );
  return `${[
    `# Figures of ${day}`,
    "",
    "Written by `npm run figures`. The server and what drives it share the machine.",
    "",
    ...machine,
    "",
    "| what | command | result | verdict | minutes | commit |",
    "| --- | --- | --- | --- | --- | --- |",
    ...table,
    ...appendix,
  ].join("\n")}\n`;
}

function shown({ env, command }: Step): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = command.map((word) => (word.startsWith(root) ? word.slice(root.length + 1) : word));
  return [...settings, ...(words[0] === "vitest" ? ["npx"] : []), ...words].join(" ");
}

/** Runs a command, shows its output, and keeps the lines that matter. */
function run(step: Step): Promise<{ readonly passed: boolean; readonly lines: readonly string[] }> {
  const [program, ...args] = step.command;
  const child = spawn(program!, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`,
      NO_COLOR: "1",
      ...step.env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => {
      const lines = output.split("\n").filter((line) => step.lines.test(line) || testCounts.test(line));
      // A command that the slowest request is shown with may be long.
      done({ passed: code === 0, lines: lines.map((line) => line.trim().slice(0, 300)) });
    });
  });
}

const { values } = parseArgs({ options: { only: { type: "string" }, list: { type: "boolean" } } });
if (values.list) {
  for (const { name, title } of steps) console.log(`${name.padEnd(8)} ${title}`);
  process.exit(0);
}
const only = values.only?.split(",");
const unknown = only?.filter((name) => !steps.some((step) => step.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(`No figure is named ${unknown.join(", ")}: use ${steps.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

mkdirSync(resultsFolder, { recursive: true });
mkdirSync(join(root, "docs", "figures"), { recursive: true });
const machine = facts();
const commit = machine[2]!.match(/commit (\w+)/)?.[1] ?? "";
let rows: readonly Row[] = existsSync(rowsFile) ? (JSON.parse(readFileSync(rowsFile, "utf8")) as Row[]) : [];
const chosen = steps.filter(({ name }) => only === undefined || only.includes(name));
if (spawnSync(process.execPath, ["scripts/build.ts"], { cwd: root, stdio: "inherit" }).status !== 0)
  process.exit(1);

for (const step of chosen) {
  console.log(`\n=== ${step.name}: ${step.title}`);
  const startMs = performance.now();
  const { passed, lines } = await run(step);
  const file = step.markdown;
  const row: Row = {
    name: step.name,
    title: step.title,
    command: shown(step),
    result: file === undefined ? lines : ["the table below"],
    passed,
    minutes: (performance.now() - startMs) / 60_000,
    commit,
    ...(file !== undefined && existsSync(file) && { markdown: readFileSync(file, "utf8") }),
  };
  const all = [...rows.filter(({ name }) => name !== step.name), row];
  rows = steps.flatMap(({ name }) => all.filter((other) => other.name === name));
  writeFileSync(rowsFile, JSON.stringify(rows, null, 2));
  writeFileSync(tableFile, render(rows, machine));
}
const failed = rows.filter(({ name, passed }) => !passed && chosen.some((step) => step.name === name));
console.log(`\n${tableFile.slice(root.length + 1)}: ${rows.length} rows, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
