/** One call of the command line: words in, exit code out. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { Command, CommanderError, Option } from "commander";
import { type CommandEntry, commands } from "./commands/index.ts";
import { exitCodes, report, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";

const example = `
Examples:
  $ millrace server                                     serve on http://127.0.0.1:5000
  $ millrace runs list --experiment-id 0                newest runs of an experiment
  $ millrace experiments search --json | jq '.[].name'  the same for programs

Commands talk to the server that --tracking-uri or MLFLOW_TRACKING_URI names, or to the
database there (sqlite:///file.db, or a folder); by default to ./millrace-data.
Exit codes: 0 done, 1 failed, 2 called wrongly.`;

/** Runs a command. Never throws: errors are reported to `io` and become the exit code. */
export async function run(words: readonly string[], io: Io): Promise<number> {
  const how = { json: words.includes("--json"), verbose: words.includes("--verbose") };
  try {
    const { envFile, rest } = takeEnvFile(words);
    const surroundings = envFile === undefined ? io : { ...io, env: { ...envOf(envFile), ...io.env } };
    const program = await createProgram(rest, surroundings);
    await program.parseAsync(rest, { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    }
    return report(error, io, how);
  }
}

/** The program, with the options and verbs of the one command that is called; the others are names. */
export async function createProgram(words: readonly string[], io: Io): Promise<Command> {
  const program = new Command("millrace")
    .description("Machine-learning lifecycle server that speaks the MLflow protocol, and its command line.")
    .usage("[options] <command>")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => io.stdout.isTerminal,
      getErrHasColors: () => io.stderr.isTerminal,
    })
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for what there is)")
    .addOption(
      new Option("--env-file <path>", "file of NAME=value lines; variables that are set already win"),
    )
    .helpOption("-h, --help", "how to use this")
    .addHelpText("after", example);
  program.helpCommand("help [command]", "how to use a command");
  const wanted = words.filter((word) => !word.startsWith("-"))[words[0] === "help" ? 1 : 0];
  for (const [name, entry] of Object.entries(commands) as [string, CommandEntry][]) {
    const command = program.command(name).description(entry.summary).helpGroup(`${entry.group}:`);
    for (const alias of entry.aliases ?? []) command.alias(alias);
    if (wanted === name || entry.aliases?.includes(wanted ?? "") === true) {
      const { define } = await entry.load();
      define(command, io);
    }
  }
  if (words[0] === "--version" || words[0] === "-V") {
    const { versionText } = await import("./commands/version.ts");
    program.version(versionText(), "-V, --version");
  }
  return program;
}

function takeEnvFile(words: readonly string[]): { envFile: string | undefined; rest: readonly string[] } {
  if (words[0] === "--env-file") return { envFile: words[1] ?? "", rest: words.slice(2) };
  if (words[0]?.startsWith("--env-file=")) {
    return { envFile: words[0].slice("--env-file=".length), rest: words.slice(1) };
  }
  return { envFile: undefined, rest: words };
}

function envOf(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch {
    throw new UsageError(`--env-file: '${path}' cannot be read.`);
  }
}
