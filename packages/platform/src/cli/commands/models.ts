/** `millrace models`: the registry. Verbs about versions are in models-versions.ts. */
import type { RegisteredModel } from "@millrace/client/node";
import type { Command } from "commander";
import type { Io } from "../io.ts";
import { formatTime } from "../output/format.ts";
import { writeFacts, writeTable } from "../output/table.ts";
import {
  type ClientOptions,
  clientVerb,
  examples,
  group,
  pairsOf,
  repeated,
  show,
  wholeNumber,
  withClient,
} from "./command.ts";
import { defineVersionVerbs } from "./models-versions.ts";

interface Named extends ClientOptions {
  readonly name: string;
}

export function define(command: Command, io: Io): void {
  group(command);
  defineSearch(command, io);
  defineGet(command, io);
  defineCreate(command, io);
  defineChange(command, io);
  defineVersionVerbs(command, io);
  examples(
    command,
    "models register -n wine --source runs:/7a0f…/model",
    "models set-alias -n wine -a champion -v 3",
    "models versions -n wine",
  );
}

/** A verb about one model. */
function modelVerb(parent: Command, usage: string, summary: string): Command {
  return clientVerb(parent, usage, summary).requiredOption("-n, --name <name>", "name of the model");
}

function defineSearch(parent: Command, io: Io): void {
  clientVerb(parent, "search", "list registered models")
    .alias("list")
    .option("-f, --filter <filter>", "condition, for instance \"name LIKE 'wine%'\"")
    .option("--order-by <column>", "for instance 'name DESC'; may be repeated", repeated)
    .option("--max-results <n>", "at most so many (default: all)", wholeNumber())
    .action(async (options: ClientOptions & { filter?: string; orderBy?: string[]; maxResults?: number }) => {
      const found = await withClient(io, options, ({ models }) =>
        models.search({ filter: options.filter, orderBy: options.orderBy }).toArray(options.maxResults),
      );
      show(io, options, found, () =>
        writeTable<RegisteredModel>(
          io.stdout,
          io.env,
          found,
          [
            { header: "NAME", value: ({ name }) => name },
            { header: "LATEST", value: (model) => newestOf(model), align: "right" },
            {
              header: "ALIASES",
              value: ({ aliases }) => aliases.map(({ alias, version }) => `${alias}=${version}`).join(", "),
            },
            { header: "UPDATED", value: (model) => formatTime(model.lastUpdatedTimestamp), widthMin: 19 },
            { header: "DESCRIPTION", value: ({ description }) => description },
          ],
          "No registered models.",
        ),
      );
    });
}

function newestOf({ latestVersions }: RegisteredModel): string {
  return latestVersions.map(({ version }) => version).sort((a, b) => Number(b) - Number(a))[0] ?? "";
}

export function writeModel(io: Io, model: RegisteredModel): void {
  writeFacts(io.stdout, io.env, [
    ["name", model.name],
    ["description", model.description],
    ["created", formatTime(model.creationTimestamp)],
    ["updated", formatTime(model.lastUpdatedTimestamp)],
    ...model.latestVersions.map(
      ({ version, currentStage }) => [`latest ${currentStage ?? "None"}`, version] as const,
    ),
    ...model.aliases.map(({ alias, version }) => [`alias ${alias}`, version] as const),
    ...model.tags.map(({ key, value }) => [`tag ${key}`, value] as const),
  ]);
}

function defineGet(parent: Command, io: Io): void {
  modelVerb(parent, "get", "show a model with its aliases and latest versions").action(
    async (options: Named) => {
      const model = await withClient(io, options, ({ models }) => models.get(options.name));
      show(io, options, model, () => writeModel(io, model));
    },
  );
}

function defineCreate(parent: Command, io: Io): void {
  modelVerb(parent, "create", "make a model without versions")
    .option("--description <text>", "what it is about")
    .option("-t, --tag <key=value>", "tag to set; may be repeated", repeated)
    .action(async (options: Named & { description?: string; tag?: string[] }) => {
      const { name, description } = options;
      const model = await withClient(io, options, ({ models }) =>
        models.create({ name, description, tags: pairsOf(options.tag) }),
      );
      show(io, options, model, () => io.stdout.write(`Created registered model '${model.name}'\n`));
    });
}

function defineChange(parent: Command, io: Io): void {
  modelVerb(parent, "update", "change the description of a model")
    .requiredOption("--description <text>", "what it is about")
    .action(async (options: Named & { description: string }) => {
      const { name, description } = options;
      const model = await withClient(io, options, ({ models }) => models.update({ name, description }));
      show(io, options, model, () => io.stdout.write(`Described '${model.name}'\n`));
    });
  modelVerb(parent, "rename", "give a model another name")
    .requiredOption("--new-name <name>", "its name from now on")
    .action(async (options: Named & { newName: string }) => {
      const model = await withClient(io, options, ({ models }) =>
        models.rename(options.name, options.newName),
      );
      show(io, options, model, () => io.stdout.write(`'${options.name}' is now named '${model.name}'\n`));
    });
  modelVerb(parent, "delete", "remove a model with versions, tags and aliases, for good").action(
    async (options: Named) => {
      await withClient(io, options, ({ models }) => models.delete(options.name));
      show(io, options, { name: options.name, deleted: true }, () =>
        io.stdout.write(`Deleted registered model '${options.name}'\n`),
      );
    },
  );
}
