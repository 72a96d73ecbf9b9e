/** `millrace metrics`: histories for people, spreadsheets and programs, and following a run that trains. */
import { setTimeout as pause } from "node:timers/promises";
import type { Metric, NodeClient as Client } from "@millrace/client/node";
import { type Command, Option } from "commander";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { csvLine } from "../output/csv.ts";
import { count, formatTime, formatValue } from "../output/format.ts";
import { toJson } from "../output/json.ts";
import { sparkline } from "../output/sparkline.ts";
import { writeTable } from "../output/table.ts";
import {
  type ClientOptions,
  clientVerb,
  examples,
  group,
  repeated,
  show,
  wholeNumber,
  withClient,
} from "./command.ts";

/** A table of more lines helps nobody; CSV and JSON are whole. */
const ROWS_SHOWN = 20;
const SPARKLINE_COLUMNS = 60;
const POLL_MS = 1_000;

export function define(command: Command, io: Io): void {
  group(command);
  defineHistory(command, io);
  defineTail(command, io);
  examples(
    command,
    "metrics get-history -r 7a0f… -k loss",
    "metrics get-history -r 7a0f… -k loss --csv > loss.csv",
    "metrics tail -r 7a0f… --follow",
  );
}

interface HistoryOptions extends ClientOptions {
  readonly runId: string;
  readonly key: string;
  readonly csv?: boolean;
  readonly maxResults?: number;
}

function defineHistory(parent: Command, io: Io): void {
  clientVerb(parent, "get-history", "all points of one metric of a run")
    .requiredOption("-r, --run-id <id>", "the run")
    .requiredOption("-k, --key <metric>", "the metric")
    .addOption(new Option("--csv", "print CSV: step, timestamp (ms), value").conflicts("json"))
    .option("--max-results <n>", "at most so many, the oldest (default: all)", wholeNumber())
    .action(async (options: HistoryOptions) => {
      const points = await withClient(io, options, async (client) => {
        await client.runs.get(options.runId);
        return client.metrics
          .history({ runId: options.runId, metricKey: options.key })
          .toArray(options.maxResults);
      });
      if (options.csv === true) {
        io.stdout.write(csvLine(["step", "timestamp", "value"]));
        for (const { step, timestamp, value } of points) io.stdout.write(csvLine([step, timestamp, value]));
        return;
      }
      show(io, options, points, () => writeHistory(io, options.key, points));
    });
}

function writeHistory(io: Io, key: string, points: readonly Metric[]): void {
  const values = points.map(({ value }) => value);
  const finite = values.filter((value) => Number.isFinite(value));
  if (points.length > 1) {
    const least = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const most = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const width = Math.min(SPARKLINE_COLUMNS, io.stdout.columns ?? SPARKLINE_COLUMNS);
    io.stdout.write(
      `${key}  ${count(points.length, "point")}, ${formatValue(least)} to ${formatValue(most)}\n`,
    );
    io.stdout.write(`${sparkline(values, width)}\n\n`);
  }
  const shown = points.slice(-ROWS_SHOWN);
  writeTable<Metric>(
    io.stdout,
    io.env,
    shown,
    [
      { header: "STEP", value: ({ step }) => step, align: "right" },
      { header: "TIME", value: ({ timestamp }) => formatTime(timestamp), widthMin: 19 },
      { header: "VALUE", value: ({ value }) => value, align: "right" },
    ],
    `The run has no metric '${key}'.`,
  );
  if (shown.length < points.length) {
    io.stderr.write(`The last ${shown.length} of ${points.length}; --csv and --json print all.\n`);
  }
}

interface TailOptions extends ClientOptions {
  readonly runId: string;
  readonly key?: string[];
  readonly follow?: boolean;
}

function defineTail(parent: Command, io: Io): void {
  clientVerb(parent, "tail", "the latest value of each metric of a run")
    .requiredOption("-r, --run-id <id>", "the run")
    .option("-k, --key <metric>", "only this one; may be repeated", repeated)
    .option("-f, --follow", "go on until the run ends; asked once a second, so fast points are skipped")
    .action((options: TailOptions) => withClient(io, options, (client) => tail(client, options, io)));
}

async function tail(client: Client, options: TailOptions, io: Io): Promise<void> {
  const seen = new Map<string, string>();
  let stopped = false;
  const stopListening = io.onInterrupt(() => {
    stopped = true;
  });
  try {
    for (let first = true; !stopped; first = false) {
      const { info, data } = await client.runs.get(options.runId);
      const missing = options.key?.find((key) => !data.metrics.some((metric) => metric.key === key));
      if (first && missing !== undefined && options.follow !== true) {
        throw new UsageError(`The run has no metric '${missing}'.`);
      }
      for (const metric of data.metrics) {
        if (options.key !== undefined && !options.key.includes(metric.key)) continue;
        const mark = `${metric.step}/${metric.timestamp}/${metric.value}`;
        if (seen.get(metric.key) === mark) continue;
        seen.set(metric.key, mark);
        if (options.json === true) io.stdout.write(`${toJson(metric, 0).replaceAll("\n", "")}\n`);
        else {
          io.stdout.write(
            `${formatTime(metric.timestamp)}  step ${String(metric.step).padStart(6)}  ${metric.key}  ${metric.value}\n`,
          );
        }
      }
      if (options.follow !== true) return;
      if (info.status !== "RUNNING" && info.status !== "SCHEDULED") {
        if (options.json !== true) io.stderr.write(`The run is ${info.status}.\n`);
        return;
      }
      await pause(POLL_MS);
    }
  } finally {
    stopListening();
  }
}
