/** `millrace runs`: MLflow's verbs, filters and orders, and a comparison. */
import { userInfo } from "node:os";
import type { Run } from "@millrace/client/node";
import type { RunStatus } from "@millrace/contract";
import { type Command, Option } from "commander";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { count } from "../output/format.ts";
import {
  type ClientOptions,
  clientVerb,
  examples,
  group,
  pairsOf,
  repeated,
  show,
  viewOf,
  viewOption,
  wholeNumber,
  withClient,
} from "./command.ts";
import { writeComparison, writeRun, writeRuns } from "./runs-output.ts";

const RUNS_PER_PAGE = 1_000;
const idOption = "-r, --run-id <id>";

interface OneRun extends ClientOptions {
  readonly runId: string;
}

export function define(command: Command, io: Io): void {
  group(command);
  defineCreate(command, io);
  defineList(command, io);
  defineDescribe(command, io);
  defineCompare(command, io);
  defineStage(command, io, "delete", "mark runs as deleted", "deleted");
  defineStage(command, io, "restore", "revive deleted runs", "active");
  examples(
    command,
    `runs list --experiment-id 1 --filter "metrics.rmse < 0.7" --order-by "metrics.rmse ASC" --columns metrics.rmse,params.alpha`,
    "runs describe --run-id 7a0f… --json",
    "runs compare 7a0f… 91bc…",
  );
}

interface CreateOptions extends ClientOptions {
  readonly experimentId?: string;
  readonly experimentName?: string;
  readonly runName?: string;
  readonly description?: string;
  readonly tags?: string[];
  readonly status: string;
  readonly parentRunId?: string;
}

function defineCreate(parent: Command, io: Io): void {
  clientVerb(parent, "create", "make a run and end it at once")
    .option("--experiment-id <id>", "its experiment")
    .option("--experiment-name <name>", "the same by name; made if there is none")
    .option("--run-name <name>", "its name (default: the server makes one up)")
    .option("--description <text>", "what it is about")
    .option("-t, --tags <key=value>", "tag to set; may be repeated", repeated)
    .addOption(
      new Option("--status <status>", "how it ended")
        .choices(["finished", "failed", "killed"])
        .argParser((text) => text.toLowerCase())
        .default("finished"),
    )
    .option("--parent-run-id <id>", "run that it is nested in")
    .action(async (options: CreateOptions) => {
      const status = options.status.toUpperCase() as RunStatus;
      if (!["FINISHED", "FAILED", "KILLED"].includes(status)) {
        throw new UsageError("--status must be finished, failed or killed.");
      }
      if ((options.experimentId === undefined) === (options.experimentName === undefined)) {
        throw new UsageError("Give either --experiment-id or --experiment-name.");
      }
      const user = userName();
      const tags = [
        ...pairsOf(options.tags),
        { key: "mlflow.user", value: user },
        ...(options.description === undefined
          ? []
          : [{ key: "mlflow.note.content", value: options.description }]),
        ...(options.parentRunId === undefined
          ? []
          : [{ key: "mlflow.parentRunId", value: options.parentRunId }]),
      ];
      const run = await withClient(io, options, async ({ experiments, runs }) => {
        const experimentId =
          options.experimentId ??
          (await experiments.getOrCreate({ name: options.experimentName! })).experimentId;
        if (options.parentRunId !== undefined) await runs.get(options.parentRunId);
        const { info } = await runs.create({
          experimentId,
          runName: options.runName,
          userId: user,
          startTime: Date.now(),
          tags,
        });
        await runs.update({ runId: info.runId, status, endTime: Date.now() });
        return runs.get(info.runId);
      });
      show(io, options, run, () =>
        io.stdout.write(`Created run '${run.info.runName}' with id ${run.info.runId}, ${run.info.status}\n`),
      );
    });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have no name.
    return "unknown";
  }
}

interface ListOptions extends ClientOptions {
  readonly experimentId: string[];
  readonly view: string;
  readonly filter?: string;
  readonly orderBy?: string[];
  readonly maxResults?: number;
  readonly columns?: string;
}

function defineList(parent: Command, io: Io): void {
  clientVerb(parent, "list", "list runs of experiments, newest first")
    .alias("search")
    .requiredOption("-x, --experiment-id <id>", "experiment; may be repeated", repeated)
    .addOption(viewOption())
    .option(
      "-f, --filter <filter>",
      "condition, for instance 'metrics.rmse < 0.7 AND params.alpha = \"0.5\"'",
    )
    .option("--order-by <column>", "for instance 'metrics.rmse ASC'; may be repeated", repeated)
    .option("--max-results <n>", "at most so many (default: all)", wholeNumber())
    .option("--columns <keys>", "more columns, for instance metrics.rmse,params.alpha,tags.team")
    .action(async (options: ListOptions) => {
      const found = await withClient(io, options, async ({ experiments, runs }) => {
        // The protocol answers an unknown experiment with no runs; a person should read that it is not there.
        for (const experimentId of options.experimentId) await experiments.get(experimentId);
        return runs
          .search({
            experimentIds: options.experimentId,
            filter: options.filter,
            runViewType: viewOf(options.view),
            orderBy: options.orderBy,
            maxResults: Math.min(options.maxResults ?? RUNS_PER_PAGE, RUNS_PER_PAGE),
          })
          .toArray(options.maxResults);
      });
      const columns = options.columns?.split(",").map((name) => name.trim()) ?? [];
      show(io, options, found, () => writeRuns(io, found, columns));
    });
}

function defineDescribe(parent: Command, io: Io): void {
  clientVerb(parent, "describe", "show a run with its metrics, params and tags")
    .alias("get")
    .requiredOption(idOption, "its id")
    .action(async (options: OneRun) => {
      const run = await withClient(io, options, ({ runs }) => runs.get(options.runId));
      show(io, options, run, () => writeRun(io, run));
    });
}

function defineCompare(parent: Command, io: Io): void {
  clientVerb(parent, "compare", "show runs beside each other")
    .argument("<run-id...>", "two runs or more")
    .option("--all", "also what is the same in all runs")
    .action(async (ids: string[], options: ClientOptions & { all?: boolean }) => {
      if (ids.length < 2) throw new UsageError("Give the ids of two runs or more.");
      const found = await withClient(io, options, async ({ runs }) => {
        const all: Run[] = [];
        for (const id of ids) all.push(await runs.get(id));
        return all;
      });
      show(io, options, found, () => writeComparison(io, found, options.all === true));
    });
}

function defineStage(
  parent: Command,
  io: Io,
  verb: "delete" | "restore",
  summary: string,
  stage: "deleted" | "active",
): void {
  clientVerb(parent, verb, summary)
    .requiredOption("-r, --run-id <id>", "its id; may be repeated", repeated)
    .action(async (options: ClientOptions & { runId: string[] }) => {
      await withClient(io, options, async ({ runs }) => {
        for (const id of options.runId) await runs[verb](id);
      });
      const result = options.runId.map((runId) => ({ runId, lifecycleStage: stage }));
      show(io, options, result, () => {
        const what =
          options.runId.length === 1
            ? `Run ${options.runId[0]} is`
            : `${count(options.runId.length, "run")} are`;
        io.stdout.write(
          verb === "delete"
            ? `${what} deleted. \`millrace runs restore\` revives, \`millrace gc\` removes for good.\n`
            : `${what} active again.\n`,
        );
      });
    });
}
