/** Verbs of `millrace models` about versions, aliases, stages and tags. */
import { MillraceError, type ModelVersion, type NodeClient as Client } from "@millrace/client/node";
import { stages } from "@millrace/contract";
import { printValue } from "@millrace/contract/filter";
import { type Command, InvalidArgumentError } from "commander";
import type { Io } from "../io.ts";
import { formatTime } from "../output/format.ts";
import { writeFacts, writeTable } from "../output/table.ts";
import {
  type ClientOptions,
  clientVerb,
  pairsOf,
  repeated,
  show,
  wholeNumber,
  withClient,
} from "./command.ts";

interface Named extends ClientOptions {
  readonly name: string;
}
interface Versioned extends Named {
  readonly version: string;
}

export function defineVersionVerbs(parent: Command, io: Io): void {
  defineVersions(parent, io);
  defineRegister(parent, io);
  defineOneVersion(parent, io);
  defineAliases(parent, io);
  defineStage(parent, io);
  defineTags(parent, io);
}

function named(parent: Command, usage: string, summary: string): Command {
  return clientVerb(parent, usage, summary).requiredOption("-n, --name <name>", "name of the model");
}

function versioned(parent: Command, usage: string, summary: string): Command {
  return named(parent, usage, summary).requiredOption(
    "-v, --version <n>",
    "number of the version",
    versionNumber,
  );
}

function versionNumber(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a whole number.");
}

function writeVersion(io: Io, version: ModelVersion): void {
  writeFacts(io.stdout, io.env, [
    ["name", version.name],
    ["version", version.version],
    ["stage", version.currentStage],
    ["aliases", version.aliases.join(", ")],
    ["status", [version.status, version.statusMessage].filter(Boolean).join(": ")],
    ["description", version.description],
    ["source", version.source],
    ["run", version.runId],
    ["logged model", version.modelId],
    ["created", formatTime(version.creationTimestamp)],
    ["updated", formatTime(version.lastUpdatedTimestamp)],
    ...version.tags.map(({ key, value }) => [`tag ${key}`, value] as const),
  ]);
}

function defineVersions(parent: Command, io: Io): void {
  clientVerb(parent, "versions", "list versions, of one model or of all")
    .option("-n, --name <name>", "name of the model")
    .option("-f, --filter <filter>", "condition, for instance \"run_id = '7a0f…'\"")
    .option("--order-by <column>", "for instance 'version_number DESC'; may be repeated", repeated)
    .option("--max-results <n>", "at most so many (default: all)", wholeNumber())
    .action(
      async (
        options: ClientOptions & { name?: string; filter?: string; orderBy?: string[]; maxResults?: number },
      ) => {
        const { name, filter, orderBy } = options;
        const byName = name === undefined ? undefined : `name = ${printValue(name)}`;
        const found = await withClient(io, options, ({ models }) =>
          models.versions
            .search({ filter: [byName, filter].filter(Boolean).join(" AND ") || undefined, orderBy })
            .toArray(options.maxResults),
        );
        show(io, options, found, () =>
          writeTable<ModelVersion>(
            io.stdout,
            io.env,
            found,
            [
              { header: "NAME", value: (row) => row.name },
              { header: "VERSION", value: (row) => row.version, align: "right" },
              { header: "STAGE", value: (row) => row.currentStage },
              { header: "STATUS", value: (row) => row.status },
              { header: "CREATED", value: (row) => formatTime(row.creationTimestamp), widthMin: 19 },
              { header: "SOURCE", value: (row) => row.source },
            ],
            "No versions.",
          ),
        );
      },
    );
}

interface RegisterOptions extends Named {
  readonly source: string;
  readonly runId?: string;
  readonly description?: string;
  readonly tag?: string[];
}

function defineRegister(parent: Command, io: Io): void {
  named(parent, "create-version", "register a version; the model is made if there is none")
    .alias("register")
    .requiredOption("--source <uri>", "runs:/ID/path, models:/m-ID, or an artifact address")
    .option("-r, --run-id <id>", "run that made it (default: that of --source)")
    .option("--description <text>", "what it is about")
    .option("-t, --tag <key=value>", "tag to set; may be repeated", repeated)
    .action(async (options: RegisterOptions) => {
      const version = await withClient(io, options, (client) => register(client, options));
      show(io, options, version, () =>
        io.stdout.write(`Registered version ${version.version} of '${version.name}'\n`),
      );
    });
}

async function register(client: Client, options: RegisterOptions): Promise<ModelVersion> {
  const { name, description } = options;
  const origin = await originOf(client, options);
  try {
    await client.models.create({ name });
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== "RESOURCE_ALREADY_EXISTS") throw error;
  }
  return client.models.versions.create({ name, description, tags: pairsOf(options.tag), ...origin });
}

/** The registry keeps where files are, not how they were called: `runs:/` is resolved as MLflow's clients do. */
async function originOf(
  client: Client,
  { source, runId }: RegisterOptions,
): Promise<{ source: string; runId?: string; modelId?: string }> {
  const run = /^runs:\/*([^/]+)\/(.+)$/.exec(source);
  if (run !== null) {
    const { info } = await client.runs.get(run[1]!);
    return { source: `${info.artifactUri}/${run[2]}`, runId: runId ?? info.runId };
  }
  const logged = /^models:\/*(m-[0-9a-f]{32})$/.exec(source);
  if (logged === null) return { source, runId };
  const { info } = await client.loggedModels.get(logged[1]!);
  return { source, modelId: info.modelId, runId: runId ?? info.sourceRunId };
}

function defineOneVersion(parent: Command, io: Io): void {
  clientVerb(parent, "describe", "show a version, by number or alias")
    .alias("get-version")
    .requiredOption("-n, --name <name>", "name of the model")
    .option("-v, --version <n>", "number of the version", versionNumber)
    .option("-a, --alias <alias>", "instead: an alias")
    .action(async (options: Named & { version?: string; alias?: string }, command: Command) => {
      const { name, version, alias } = options;
      if ((version === undefined) === (alias === undefined))
        command.error("error: give either --version or --alias");
      const found = await withClient(io, options, ({ models }) =>
        alias === undefined ? models.versions.get(name, version!) : models.aliases.get(name, alias),
      );
      show(io, options, found, () => writeVersion(io, found));
    });
  versioned(parent, "update-version", "change the description of a version")
    .requiredOption("--description <text>", "what it is about")
    .action(async (options: Versioned & { description: string }) => {
      const { name, version, description } = options;
      const changed = await withClient(io, options, ({ models }) =>
        models.versions.update({ name, version, description }),
      );
      show(io, options, changed, () => io.stdout.write(`Described version ${version} of '${name}'\n`));
    });
  versioned(parent, "delete-version", "remove a version for good; its artifacts stay").action(
    async (options: Versioned) => {
      const { name, version } = options;
      await withClient(io, options, ({ models }) => models.versions.delete(name, version));
      show(io, options, { name, version, deleted: true }, () =>
        io.stdout.write(`Deleted version ${version} of '${name}'\n`),
      );
    },
  );
}

function defineAliases(parent: Command, io: Io): void {
  versioned(parent, "set-alias", "point an alias to a version")
    .requiredOption("-a, --alias <alias>", "for instance champion")
    .action(async (options: Versioned & { alias: string }) => {
      const { name, version, alias } = options;
      await withClient(io, options, ({ models }) => models.aliases.set({ name, version, alias }));
      show(io, options, { name, version, alias }, () =>
        io.stdout.write(`${name}@${alias} is version ${version}\n`),
      );
    });
  named(parent, "delete-alias", "remove an alias")
    .requiredOption("-a, --alias <alias>", "for instance champion")
    .action(async (options: Named & { alias: string }) => {
      const { name, alias } = options;
      await withClient(io, options, ({ models }) => models.aliases.delete(name, alias));
      show(io, options, { name, alias, deleted: true }, () => io.stdout.write(`Deleted ${name}@${alias}\n`));
    });
}

function defineStage(parent: Command, io: Io): void {
  versioned(parent, "set-stage", "move a version to a stage (aliases are the newer way)")
    .alias("transition")
    .requiredOption("--stage <stage>", stages.join(", "))
    .option("--archive-existing-versions", "archive the versions that are in the stage now")
    .action(async (options: Versioned & { stage: string; archiveExistingVersions?: boolean }) => {
      const { name, version, stage } = options;
      const archiveExistingVersions = options.archiveExistingVersions === true;
      const moved = await withClient(io, options, ({ models }) =>
        models.versions.transitionStage({ name, version, stage, archiveExistingVersions }),
      );
      show(io, options, moved, () =>
        io.stdout.write(`Version ${version} of '${name}' is in stage ${moved.currentStage}\n`),
      );
    });
}

interface TagOptions extends Named {
  readonly version?: string;
  readonly key: string;
  readonly value?: string;
}

function defineTags(parent: Command, io: Io): void {
  const tagVerb = (usage: string, summary: string): Command =>
    named(parent, usage, summary)
      .option("-v, --version <n>", "number of a version (default: the model itself)", versionNumber)
      .requiredOption("-k, --key <key>", "key of the tag");
  const subject = ({ name, version }: TagOptions): string =>
    version === undefined ? `'${name}'` : `version ${version} of '${name}'`;
  tagVerb("set-tag", "set a tag of a model or of a version")
    .requiredOption("--value <text>", "its value")
    .action(async (options: TagOptions) => {
      const { name, version, key, value } = options;
      await withClient(io, options, ({ models }) =>
        version === undefined
          ? models.setTag({ name, key, value })
          : models.versions.setTag({ name, version, key, value }),
      );
      show(io, options, { name, version, key, value }, () =>
        io.stdout.write(`Set tag ${key} of ${subject(options)}\n`),
      );
    });
  tagVerb("delete-tag", "remove a tag of a model or of a version").action(async (options: TagOptions) => {
    const { name, version, key } = options;
    await withClient(io, options, ({ models }) =>
      version === undefined
        ? models.deleteTag({ name, key })
        : models.versions.deleteTag({ name, version, key }),
    );
    show(io, options, { name, version, key, deleted: true }, () =>
      io.stdout.write(`Deleted tag ${key} of ${subject(options)}\n`),
    );
  });
}
