import type { Figure, Measurement, Measurements } from "../session.ts";
import type { TargetName } from "../targets/target.ts";
import { effectiveBound, verdict, type Goal } from "./verdict.ts";

/** What one target measured; a workload that did not run says why. */
export interface TargetResults {
  readonly name: TargetName;
  readonly title: string;
  readonly durability: string;
  readonly artifactDurability: string;
  readonly unavailable?: string;
  readonly measurements: Record<string, Measurement>;
  /** By workload name. */
  readonly skipped: Record<string, string>;
  readonly failed: Record<string, string>;
}

export interface Machine {
  readonly cpus: number;
  readonly cpuModel: string;
  readonly node: string;
  readonly sqlite: string;
  readonly kernel: string;
  readonly fsyncProbe: string;
  readonly fsyncProbeMs: number;
  /** Load averages of the last 1, 5 and 15 minutes when the session began: a busy machine gives poor figures. */
  readonly loadAverage: readonly number[];
}

export interface Report {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly workloads: readonly { readonly name: string; readonly figures: readonly Figure[] }[];
  readonly targets: readonly TargetResults[];
}

const header = [
  "figure",
  "must reach",
  "Millrace",
  "",
  "MLflow 1 worker",
  "MLflow default",
  "ratio",
  "bare echo",
];

/** The table's cells, header first. */
export function tableCells(report: Report): string[][] {
  const find = (name: TargetName): TargetResults | undefined =>
    report.targets.find((target) => target.name === name);
  const columns = [find("millrace"), find("mlflow-1"), find("mlflow-default")];
  const rows = report.workloads.flatMap((workload) =>
    workload.figures.map((figure) => {
      const [ours, ...theirs] = columns.map((target) => target?.measurements[figure.id]);
      const goals = ours?.goals ?? figure.goals;
      const judged = ours === undefined ? "" : judgement(ours, goals);
      const cells = columns.map((target) => cell(target, workload.name, figure));
      const best = betterOf(figure, theirs);
      return [
        figure.title,
        goalsText(goals, figure.unit, ours?.probeMs) || (figure.rule ?? ""),
        cells[0] ?? "",
        judged,
        cells[1] ?? "",
        cells[2] ?? "",
        ours === undefined || best === undefined ? "" : ratio(figure, ours.value, best),
        echoText(figure, [ours, ...theirs]),
      ];
    }),
  );
  return [header, ...rows];
}

/** A table for a terminal, with what each figure rests on below it. */
export function renderText(report: Report): string {
  const cells = tableCells(report);
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const table = [
    line(cells[0] ?? []),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...cells.slice(1).map(line),
  ];
  return [...machineLines(report), "", ...table, "", ...detailLines(report)].join("\n");
}

/** The same table in Markdown, dated. */
export function renderMarkdown(report: Report): string {
  const row = (texts: readonly string[]): string =>
    `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head, ...rows] = tableCells(report);
  return [
    `# Figures of ${report.startedAt.slice(0, 10)}`,
    "",
    ...machineLines(report).map((text) => `- ${text}`),
    "",
    row(head ?? []),
    row(header.map(() => "---")),
    ...rows.map(row),
    "",
    "What each figure rests on:",
    "",
    ...detailLines(report).map((text) => `- ${text}`),
    "",
  ].join("\n");
}

function machineLines(report: Report): string[] {
  const { machine } = report;
  return [
    `${report.startedAt}; ${String(machine.cpus)} CPUs (${machine.cpuModel}), ${machine.kernel}, Node ${machine.node}, SQLite ${machine.sqlite}, load average ${machine.loadAverage.map((load) => load.toFixed(1)).join(" ")}`,
    `fsync probe (4 KB pwrite + fdatasync): ${machine.fsyncProbe}; bounds on synced work hold up to 0.3 ms and stretch beyond it`,
    ...report.targets.map(
      (target) =>
        `${target.title}: ${target.durability}; artifacts ${target.artifactDurability}` +
        (target.unavailable === undefined ? "" : `; column empty: ${target.unavailable}`),
    ),
  ];
}

function detailLines(report: Report): string[] {
  const lines: string[] = [];
  for (const target of report.targets) {
    for (const workload of report.workloads) {
      const skipped = target.skipped[workload.name];
      if (skipped !== undefined) lines.push(`${target.title}, ${workload.name}: left out, ${skipped}`);
      const failed = target.failed[workload.name];
      if (failed !== undefined) lines.push(`${target.title}, ${workload.name}: FAILED, ${failed}`);
      for (const figure of workload.figures) {
        const measured = target.measurements[figure.id];
        if (measured?.detail !== undefined)
          lines.push(`${target.title}, ${figure.id}: ${measured.detail}${probeText(figure, measured)}`);
        if ((measured?.errors ?? 0) > 0)
          lines.push(
            `${target.title}, ${figure.id}: ${String(measured?.errors)} WRONG ANSWERS, first: ${String(measured?.firstError)}`,
          );
      }
    }
  }
  return lines;
}

function probeText(figure: Figure, measured: Measurement): string {
  const synced = (measured.goals ?? figure.goals ?? []).some((goal) => goal.synced === true);
  return !synced || measured.probeMs === undefined ? "" : `, fsync probe ${measured.probeMs.toFixed(3)} ms`;
}

function cell(target: TargetResults | undefined, workload: string, figure: Figure): string {
  if (target === undefined || target.unavailable !== undefined) return "";
  const measured = target.measurements[figure.id];
  if (measured !== undefined)
    return (
      formatValue(measured.value, figure.unit) +
      (measured.at === undefined ? "" : ` ${measured.at}`) +
      ((measured.errors ?? 0) > 0 ? " (wrong answers)" : "")
    );
  if (target.failed[workload] !== undefined) return "failed";
  return target.skipped[workload] === undefined ? "" : "left out";
}

/** Wrong answers miss every bound, and a bound that a slow disk stretched is not the stated one. */
function judgement(measured: Measurement, goals: readonly Goal[] | undefined): string {
  if ((measured.errors ?? 0) > 0) return "missed";
  const asStated = verdict(measured.value, goals, undefined);
  const onThisDisk = verdict(measured.value, goals, measured.probeMs);
  return asStated === onThisDisk ? asStated : `${onThisDisk} (slow disk)`;
}

function goalsText(goals: readonly Goal[] | undefined, unit: string, probeMs: number | undefined): string {
  return (goals ?? [])
    .map((goal) => {
      const bound = effectiveBound(goal, probeMs);
      const sign = goal.bound === "at most" ? "≤" : "≥";
      const stretched = bound === goal.value ? "" : ` (${formatValue(goal.value, unit)} at 0.3 ms)`;
      return `${sign} ${formatValue(bound, unit)}${stretched}${goal.because === undefined ? "" : ` (${goal.because})`}`;
    })
    .join(" or ");
}

function betterOf(figure: Figure, measured: readonly (Measurement | undefined)[]): number | undefined {
  const values = measured.flatMap((one) => (one === undefined || (one.errors ?? 0) > 0 ? [] : [one.value]));
  if (values.length === 0) return undefined;
  return figure.better === "lower" ? Math.min(...values) : Math.max(...values);
}

/** How many times better than the better MLflow set-up. */
function ratio(figure: Figure, ours: number, best: number): string {
  const times = figure.better === "lower" ? best / ours : ours / best;
  return Number.isFinite(times) ? `${times < 10 ? times.toFixed(1) : times.toFixed(0)} ×` : "";
}

function echoText(figure: Figure, measured: readonly (Measurement | undefined)[]): string {
  const echo = measured.find((one) => one?.echo !== undefined)?.echo;
  return echo === undefined ? "" : formatValue(echo, figure.better === "higher" ? figure.unit : "/s");
}

/** Three significant digits below 1,000 and none after the point above. */
export function formatValue(value: number, unit: string): string {
  const size = Math.abs(value);
  const text = size >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
  return unit.startsWith("/") ? text + unit : `${text} ${unit}`;
}

/** Whether every answer of every workload was right. */
export function allRight(report: Report): boolean {
  return report.targets.every(
    (target) => Object.keys(target.failed).length === 0 && noErrors(target.measurements),
  );
}

function noErrors(measurements: Measurements): boolean {
  return Object.values(measurements).every((measured) => (measured.errors ?? 0) === 0);
}
