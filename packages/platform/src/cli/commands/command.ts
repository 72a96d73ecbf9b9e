/** What the command files share: the interface they have, and the options that verbs have in common. */
import { viewTypes, type ViewType } from "@millrace/contract";
import { Command, InvalidArgumentError, Option } from "commander";
import type { NodeClient as Client } from "@millrace/client/node";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { toJson } from "../output/json.ts";

/** A file of this folder. `define` adds verbs and options to the command that bears its name. */
export interface CommandModule {
  readonly define: (command: Command, io: Io) => void;
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export interface ClientOptions extends CommonOptions {
  readonly trackingUri?: string;
}

/** Options of every verb. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option("--json", "print JSON for programs").helpGroup("Common options:"))
    .addOption(new Option("--verbose", "say more when something fails").helpGroup("Common options:"));
}

/** A verb that asks a server or a database through the client. */
export function clientVerb(parent: Command, usage: string, summary: string): Command {
  return withCommonOptions(
    parent
      .command(usage)
      .description(summary)
      .addOption(
        new Option(
          "--tracking-uri <uri>",
          "server or database (default: MLFLOW_TRACKING_URI, else ./millrace-data)",
        ).helpGroup("Common options:"),
      ),
  );
}

/** A group of verbs: without one it shows its help and fails. */
export function group(command: Command): void {
  command.usage("<verb> [options]");
  command.helpCommand(false);
}

/** Connects, works, and lets go in any case. */
export async function withClient<T>(
  io: Io,
  options: ClientOptions,
  work: (client: Client, where: string) => Promise<T>,
): Promise<T> {
  const { connect } = await import("../connect.ts");
  const session = await connect(options.trackingUri, io.env, options.verbose === true);
  try {
    return await work(session.client, session.where);
  } finally {
    await session.close();
  }
}

/** Prints a result as JSON or for people. */
export function show(io: Io, options: CommonOptions, value: unknown, forPeople: () => void): void {
  if (options.json === true) io.stdout.write(`${toJson(value)}\n`);
  else forPeople();
}

export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    "after",
    `\nExamples:\n${lines.map((line) => `  $ millrace ${line}`).join("\n")}`,
  );
}

/** Parses a whole number from `min` on. */
export function wholeNumber(min = 1): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min)) throw new InvalidArgumentError(`It must be a whole number from ${min} on.`);
    return value;
  };
}

const views: Readonly<Record<string, ViewType>> = {
  active_only: "ACTIVE_ONLY",
  deleted_only: "DELETED_ONLY",
  all: "ALL",
};

/** `--view` of MLflow. */
export function viewOption(): Option {
  return new Option("-v, --view <type>", "active_only, deleted_only or all")
    .default("active_only")
    .argParser((text) => {
      if (views[text.toLowerCase()] === undefined) {
        throw new InvalidArgumentError("It must be active_only, deleted_only or all.");
      }
      return text;
    });
}

export function viewOf(text: string): ViewType {
  const view = views[text.toLowerCase()];
  if (view === undefined || viewTypes[view] === undefined) throw new UsageError(`'${text}' is no view.`);
  return view;
}

/** Gathers a repeatable option. */
export function repeated(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** `key=value` pairs of a repeatable option. */
export function pairsOf(texts: readonly string[] = []): { key: string; value: string }[] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    if (at <= 0) throw new UsageError(`'${text}' is no tag: write key=value.`);
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
}
