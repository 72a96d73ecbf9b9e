/** `millrace server`: its options are the table of settings. */
import { resolve } from "node:path";
import module from "node:module";
import { PlatformError } from "@millrace/contract";
import { type Command, Option } from "commander";
import { type Flags, parseOptions, type Setting, type SettingName, settings } from "../../options.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { toJson } from "../output/json.ts";
import { colours } from "../output/style.ts";
import { examples } from "./command.ts";

/** Writing the compile cache waits until the first requests are answered. */
const FLUSH_COMPILE_CACHE_MS = 1_500;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

export function define(command: Command, io: Io): void {
  command.helpOption("--help", "how to use this");
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    for (const option of optionsOf(name, setting)) command.addOption(option);
  }
  command.addOption(new Option("--json", "print the address as JSON").helpGroup("Output:"));
  command.addOption(new Option("--verbose", "say more when something fails").helpGroup("Output:"));
  command.addHelpText("after", () => environmentHelp());
  examples(
    command,
    "server",
    "server --port 8080 --backend-store-uri sqlite:////var/lib/millrace/millrace.db --artifacts-destination /var/lib/millrace/artifacts",
    "server --host 0.0.0.0        # needs MILLRACE_TOKEN in the environment",
  );
  command.action((flags: Flags) => serveUntilStopped(flags, io));
}

function optionsOf(name: SettingName, setting: Setting): Option[] {
  const { flag, short } = setting;
  if (flag === undefined) return [];
  const value = setting.kind === "flag" ? "" : ` <${valueName(setting)}>`;
  const notes = [
    setting.kind !== "flag" &&
    setting.default !== undefined &&
    String(setting.default) !== "" &&
    !setting.ignored
      ? `default: ${String(setting.default)}`
      : "",
    setting.env.length > 0 ? `env: ${setting.env[0]}` : "",
  ].filter((note) => note !== "");
  const description = `${setting.description}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`;
  const helpGroup =
    setting.ignored === undefined ? "Options:" : "Accepted for compatibility, without effect:";
  const main = new Option(
    `${short === undefined ? "" : `-${short}, `}--${flag}${value}`,
    setting.ignored === undefined ? description : setting.ignored,
  ).helpGroup(helpGroup);
  if (setting.kind !== "flag" || setting.negative === undefined) return [main];
  const negative = new Option(`--${setting.negative}`, `the opposite of --${flag}`).helpGroup(helpGroup);
  return [main, setting.negative === `no-${flag}` ? negative : negative.implies({ [name]: false })];
}

function valueName(setting: Setting): string {
  if (setting.kind === "integer") return "n";
  if (setting.kind === "list") return "a,b";
  return setting.kind === "text" && setting.choices !== undefined ? setting.choices.join("|") : "text";
}

/** Settings that only the environment knows. */
function environmentHelp(): string {
  const rows = (Object.values(settings) as Setting[])
    .filter(({ flag, ignored }) => flag === undefined && ignored === undefined)
    .map(({ env, description, unit, default: preset, ...setting }) => {
      const shown = setting.kind === "integer" && setting.scale ? Number(preset) / setting.scale : preset;
      const known =
        preset === undefined || String(preset) === ""
          ? ""
          : ` (default: ${String(shown)}${unit ? ` ${unit}` : ""})`;
      return [env[0]!, `${description}${known}`] as const;
    });
  const width = Math.max(...rows.map(([name]) => name.length));
  return `\nSet in the environment only:\n${rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n")}`;
}

async function serveUntilStopped(flags: Flags, io: Io): Promise<void> {
  const { json: asJson, verbose: _, ...rest } = flags;
  let options;
  try {
    options = parseOptions(rest, io.env);
  } catch (error) {
    throw error instanceof PlatformError ? new UsageError(error.message) : error;
  }
  const { serve } = await import("../../serve.ts");
  const server = await serve(options);
  const database = resolve(options.backend.path);
  const artifacts = /^[a-z][a-z0-9+.-]+:/i.test(options.artifactsDestination)
    ? options.artifactsDestination
    : resolve(options.artifactsDestination);
  if (asJson === true)
    io.stdout.write(`${toJson({ url: server.url, database, artifacts }, 0).replaceAll("\n", "")}\n`);
  else io.stdout.write(announcement(server.url, database, artifacts, io));
  setTimeout(() => module.flushCompileCache?.(), FLUSH_COMPILE_CACHE_MS).unref();

  await new Promise<void>((ended, failed) => {
    const stopListening = io.onInterrupt((signal, count) => {
      if (count > 1) {
        io.exit(128 + signalNumbers[signal]);
        return;
      }
      if (io.stderr.isTerminal) {
        io.stderr.write("\nFinishing what runs; press Ctrl-C again to stop at once.\n");
      }
      server.stop().finally(stopListening).then(ended, failed);
    });
  });
}

function announcement(url: string, database: string, artifacts: string, io: Io): string {
  const { bold, dim } = colours(io.stdout, io.env);
  // A wildcard address is none to connect to.
  const reachable = url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=[:/])/, "//127.0.0.1");
  return [
    `${bold("Millrace")} listens at ${bold(url)}`,
    `${dim("  database   ")}${database}`,
    `${dim("  artifacts  ")}${artifacts}`,
    "",
    `${dim("Python, Java, R:  ")}export MLFLOW_TRACKING_URI=${reachable}`,
    `${dim("TypeScript:       ")}createClient({ baseUrl: "${reachable}" })  ${dim('// from "@millrace/client"')}`,
    "",
    "",
  ].join("\n");
}
