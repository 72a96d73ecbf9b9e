/** Runs as people read them. */
import type { Run } from "@millrace/client/node";
import type { Io } from "../io.ts";
import { formatDuration, formatTime, formatValue } from "../output/format.ts";
import { colours } from "../output/style.ts";
import { type Column, writeFacts, writeTable } from "../output/table.ts";

const RUN_ID_LENGTH = 32;

function valueOf(run: Run, column: string): string | undefined {
  const at = column.indexOf(".");
  const key = column.slice(at + 1).replace(/^`(.*)`$/, "$1");
  const { metrics, params, tags } = run.data;
  switch (column.slice(0, at).toLowerCase()) {
    case "metrics":
    case "metric": {
      const metric = metrics.find((item) => item.key === key);
      return metric === undefined ? undefined : formatValue(metric.value);
    }
    case "params":
    case "param":
      return params.find((item) => item.key === key)?.value;
    default:
      return tags.find((item) => item.key === key)?.value;
  }
}

export function writeRuns(io: Io, runs: readonly Run[], more: readonly string[]): void {
  const columns: Column<Run>[] = [
    { header: "RUN ID", value: ({ info }) => info.runId, widthMin: RUN_ID_LENGTH },
    { header: "NAME", value: ({ info }) => info.runName },
    { header: "STATUS", value: ({ info }) => info.status, widthMin: 9 },
    { header: "STARTED", value: ({ info }) => formatTime(info.startTime) },
    { header: "TOOK", value: (run) => formatDuration(durationMs(run)), align: "right" },
    ...more.map((name): Column<Run> => ({
      header: name,
      value: (run) => valueOf(run, name),
      align: name.startsWith("metric") ? "right" : "left",
    })),
  ];
  writeTable(io.stdout, io.env, runs, columns, "No runs.");
}

function durationMs({ info }: Run): number | undefined {
  const { startTime, endTime } = info;
  return startTime && endTime ? endTime - startTime : undefined;
}

export function writeRun(io: Io, run: Run): void {
  const { info, data, inputs, outputs } = run;
  const { bold } = colours(io.stdout, io.env);
  writeFacts(io.stdout, io.env, [
    ["run", info.runId],
    ["name", info.runName],
    ["experiment", info.experimentId],
    ["status", info.status],
    ["stage", info.lifecycleStage],
    ["user", info.userId],
    ["started", formatTime(info.startTime)],
    ["ended", formatTime(info.endTime)],
    ["took", formatDuration(durationMs(run))],
    ["artifacts", info.artifactUri],
  ]);
  const section = (title: string, facts: readonly (readonly [string, string])[]): void => {
    if (facts.length === 0) return;
    io.stdout.write(`\n${bold(title)}\n`);
    writeFacts(io.stdout, io.env, facts);
  };
  section(
    "Metrics",
    data.metrics.map(({ key, value, step }) => [key, `${formatValue(value)}  (step ${step})`]),
  );
  section(
    "Params",
    data.params.map(({ key, value }) => [key, value]),
  );
  section(
    "Tags",
    data.tags.map(({ key, value }) => [key, value]),
  );
  section(
    "Data sets",
    inputs.datasetInputs.map(({ dataset }) => [dataset?.name ?? "", dataset?.digest ?? ""]),
  );
  section("Models", [
    ...inputs.modelInputs.map(({ modelId }) => ["used", modelId ?? ""] as const),
    ...outputs.modelOutputs.map(({ modelId }) => ["made", modelId ?? ""] as const),
  ]);
}

/** One line per metric and param, one column per run. */
export function writeComparison(io: Io, runs: readonly Run[], all: boolean): void {
  const names = new Set<string>();
  for (const { data } of runs) {
    for (const { key } of data.params) names.add(`params.${key}`);
    for (const { key } of data.metrics) names.add(`metrics.${key}`);
  }
  const lines = [...names]
    .sort((a, b) => (a[0] === b[0] ? (a < b ? -1 : 1) : a[0] === "p" ? -1 : 1))
    .map((name) => ({ name, values: runs.map((run) => valueOf(run, name)) }))
    .filter(({ values }) => all || new Set(values).size > 1);
  const facts = [
    { name: "name", values: runs.map(({ info }) => info.runName) },
    { name: "status", values: runs.map(({ info }) => info.status as string) },
    { name: "took", values: runs.map((run) => formatDuration(durationMs(run))) },
  ];
  writeTable(
    io.stdout,
    io.env,
    [...facts, ...lines],
    [
      { header: "", value: ({ name }) => name },
      ...runs.map(({ info }, at) => ({
        header: info.runId.slice(0, 8),
        value: ({ values }: { values: (string | undefined)[] }) => values[at],
        align: "right" as const,
      })),
    ],
    "",
  );
}
