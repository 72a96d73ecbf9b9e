/** `millrace experiments`: MLflow's verbs, and a filter. */
import { writeFile } from "node:fs/promises";
import type { Experiment, NodeClient as Client } from "@millrace/client/node";
import { type Command, Option } from "commander";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { count, formatTime } from "../output/format.ts";
import { runsCsv } from "../output/runs-csv.ts";
import { writeFacts, writeTable } from "../output/table.ts";
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

const idOption = "-x, --experiment-id <id>";
const nameOption = "-n, --experiment-name <name>";

interface Chosen extends ClientOptions {
  readonly experimentId?: string;
  readonly experimentName?: string;
}

export function define(command: Command, io: Io): void {
  group(command);
  defineCreate(command, io);
  defineSearch(command, io);
  defineGet(command, io);
  defineRename(command, io);
  defineStage(command, io, "delete", "mark an experiment and its runs as deleted", "deleted");
  defineStage(command, io, "restore", "revive a deleted experiment and all its runs", "active");
  defineCsv(command, io);
  examples(
    command,
    "experiments create -n wine",
    `experiments search --filter "name LIKE 'wine%'"`,
    "experiments csv -x 1 -o wine.csv",
  );
}

function defineCreate(parent: Command, io: Io): void {
  clientVerb(parent, "create", "make an experiment")
    .requiredOption(nameOption, "its name")
    .option("-l, --artifact-location <uri>", "where its runs keep artifacts (default: the server decides)")
    .option("-t, --tag <key=value>", "tag to set; may be repeated", repeated)
    .action(async (options: Chosen & { artifactLocation?: string; tag?: string[] }) => {
      const experiment = await withClient(io, options, async ({ experiments }) => {
        const id = await experiments.create({
          name: options.experimentName!,
          artifactLocation: options.artifactLocation,
          tags: pairsOf(options.tag),
        });
        return experiments.get(id);
      });
      show(io, options, experiment, () =>
        io.stdout.write(`Created experiment '${experiment.name}' with id ${experiment.experimentId}\n`),
      );
    });
}

interface SearchOptions extends ClientOptions {
  readonly view: string;
  readonly filter?: string;
  readonly orderBy?: string[];
  readonly maxResults?: number;
}

function defineSearch(parent: Command, io: Io): void {
  clientVerb(parent, "search", "list experiments, newest first")
    .alias("list")
    .addOption(viewOption())
    .option("-f, --filter <filter>", "condition, for instance \"name LIKE 'wine%'\"")
    .option("--order-by <column>", "for instance 'name ASC'; may be repeated", repeated)
    .option("--max-results <n>", "at most so many (default: all)", wholeNumber())
    .action(async (options: SearchOptions) => {
      const found = await withClient(io, options, ({ experiments }) =>
        experiments
          .search({ filter: options.filter, viewType: viewOf(options.view), orderBy: options.orderBy })
          .toArray(options.maxResults),
      );
      show(io, options, found, () =>
        writeTable<Experiment>(
          io.stdout,
          io.env,
          found,
          [
            { header: "ID", value: (row) => row.experimentId, align: "right", widthMin: 19 },
            { header: "NAME", value: (row) => row.name },
            { header: "CREATED", value: (row) => formatTime(row.creationTime), widthMin: 19 },
            { header: "STAGE", value: (row) => row.lifecycleStage },
            { header: "ARTIFACTS", value: (row) => row.artifactLocation },
          ],
          "No experiments.",
        ),
      );
    });
}

function defineGet(parent: Command, io: Io): void {
  clientVerb(parent, "get", "show an experiment, by id or name")
    .option(idOption, "its id")
    .option(nameOption, "its name")
    .addOption(new Option("--output <form>", "json is --json").choices(["table", "json"]).hideHelp())
    .action(async (given: Chosen & { output?: string }) => {
      const options = { ...given, json: given.json === true || given.output === "json" };
      const experiment = await withClient(io, options, (client) => chosenExperiment(client, options));
      show(io, options, experiment, () => {
        writeFacts(io.stdout, io.env, [
          ["id", experiment.experimentId],
          ["name", experiment.name],
          ["stage", experiment.lifecycleStage],
          ["artifacts", experiment.artifactLocation],
          ["created", formatTime(experiment.creationTime)],
          ["updated", formatTime(experiment.lastUpdateTime)],
          ...experiment.tags.map(({ key, value }) => [`tag ${key}`, value] as const),
        ]);
      });
    });
}

/** The experiment that `-x` or `-n` names. */
async function chosenExperiment({ experiments }: Client, options: Chosen): Promise<Experiment> {
  const { experimentId, experimentName } = options;
  if ((experimentId === undefined) === (experimentName === undefined)) {
    throw new UsageError("Give either --experiment-id or --experiment-name.");
  }
  return experimentId === undefined ? experiments.getByName(experimentName!) : experiments.get(experimentId);
}

function defineRename(parent: Command, io: Io): void {
  clientVerb(parent, "rename", "give an active experiment another name")
    .alias("update")
    .requiredOption(idOption, "its id")
    .requiredOption("--new-name <name>", "its name from now on")
    .action(async (options: Chosen & { newName: string }) => {
      const experiment = await withClient(io, options, async ({ experiments }) => {
        await experiments.rename(options.experimentId!, options.newName);
        return experiments.get(options.experimentId!);
      });
      show(io, options, experiment, () =>
        io.stdout.write(`Experiment ${experiment.experimentId} is now named '${experiment.name}'\n`),
      );
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
    .requiredOption(idOption, "its id")
    .action(async (options: Chosen) => {
      const experimentId = options.experimentId!;
      await withClient(io, options, ({ experiments }) => experiments[verb](experimentId));
      show(io, options, { experimentId, lifecycleStage: stage }, () =>
        io.stdout.write(
          verb === "delete"
            ? `Experiment ${experimentId} is deleted. \`millrace experiments restore -x ${experimentId}\` revives it; \`millrace gc\` removes it for good.\n`
            : `Experiment ${experimentId} is active again.\n`,
        ),
      );
    });
}

function defineCsv(parent: Command, io: Io): void {
  clientVerb(parent, "csv", "write all runs of an experiment as CSV")
    .requiredOption(idOption, "its id")
    .option("-o, --filename <file>", "where to write (default: standard output)")
    .action(async (options: Chosen & { filename?: string }) => {
      const { filename } = options;
      const runs = await withClient(io, options, async (client) => {
        await client.experiments.get(options.experimentId!);
        return client.runs.search({ experimentIds: [options.experimentId!], maxResults: 1_000 }).toArray();
      });
      if (filename === undefined) {
        if (options.json === true)
          throw new UsageError("--json needs --filename: standard output is the CSV.");
        for (const line of runsCsv(runs)) io.stdout.write(line);
        return;
      }
      await writeFile(filename, runsCsv(runs));
      const result = { experimentId: options.experimentId!, filename, runs: runs.length };
      show(io, options, result, () => io.stdout.write(`Wrote ${count(runs.length, "run")} to ${filename}\n`));
    });
}
