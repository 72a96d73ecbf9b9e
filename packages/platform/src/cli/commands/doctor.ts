/** `millrace doctor`: what is installed, configured and reachable, to be pasted into a report. Secrets are masked. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { availableParallelism, totalmem } from "node:os";
import { createClient } from "@millrace/client/node";
import type { Command } from "commander";
import { type Options, type Setting, settings } from "../../options.ts";
import { databaseFacts, type DatabaseFacts } from "../../usecases/operation/index.ts";
import { isHttp, trackingAddress } from "../connect.ts";
import { explain, FoundProblems, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { formatBytes } from "../output/format.ts";
import { colours } from "../output/style.ts";
import { writeFacts } from "../output/table.ts";
import { visible } from "../output/text.ts";
import { type DiskFacts, probeDisk } from "../probe.ts";
import { storeOptions, type StoreOptions, withStoreOptions } from "../store-options.ts";
import { examples, show } from "./command.ts";
import { versionText } from "./version.ts";

interface DoctorOptions extends StoreOptions {
  readonly maskEnvs?: boolean;
  readonly trackingUri?: string;
}

interface ServerFacts {
  readonly address: string;
  readonly reachable: boolean;
  readonly version?: string;
  readonly problem?: string;
}

const SLOW_SYNC_MS = 5;
const LOW_DISK_BYTES = 1024 ** 3;
const LARGE_LOG_BYTES = 256 * 1024 ** 2;
const MASK = "***";

export function define(command: Command, io: Io): void {
  command.option("--mask-envs", "mask the values of all variables, not only of secrets");
  withStoreOptions(command, true);
  command.option("--tracking-uri <uri>", "server to ask (default: MLFLOW_TRACKING_URI)");
  command.addHelpText("after", "\nExit code 1 when something is wrong that keeps Millrace from working.");
  examples(command, "doctor", "doctor --json --mask-envs");
  command.action((options: DoctorOptions) => doctor(options, io));
}

async function doctor(given: DoctorOptions, io: Io): Promise<void> {
  const problems: string[] = [];
  const hints: string[] = [];
  let options: Options | undefined;
  try {
    options = storeOptions(given, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    problems.push(error.message);
  }
  const database = options === undefined ? undefined : await databaseFacts(options.backend);
  const folder = options === undefined ? undefined : existingFolder(dirname(options.backend.path));
  const disk = folder === undefined ? undefined : await probeDisk(folder);
  const address = trackingAddress(given.trackingUri, io.env);
  const asked = address !== undefined && isHttp(address) ? address : database?.servedAt;
  const server = asked === undefined ? undefined : await askServer(asked, io);
  judge({ database, disk, server }, options, problems, hints);

  const report = {
    ok: problems.length === 0,
    millrace: versionText(),
    node: process.versions.node,
    sqlite: process.versions["sqlite"],
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    database,
    artifacts: options?.artifactsDestination,
    disk,
    server,
    environment: environmentOf(io.env, given.maskEnvs === true),
    problems,
    hints,
  };
  show(io, given, report, () => writeReport(io, report));
  if (problems.length > 0) throw new FoundProblems();
}

/** The folder, or the nearest one above that exists: nothing is made for a look. */
function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}

async function askServer(address: string, io: Io): Promise<ServerFacts> {
  const shown = maskedUri(address);
  try {
    const client = createClient({
      baseUrl: address,
      token: io.env["MLFLOW_TRACKING_TOKEN"],
      username: io.env["MLFLOW_TRACKING_USERNAME"],
      password: io.env["MLFLOW_TRACKING_PASSWORD"],
      retries: 0,
      timeoutMs: 5_000,
    });
    await client.server.health();
    return { address: shown, reachable: true, version: await client.server.version() };
  } catch (error) {
    return { address: shown, reachable: false, problem: explain(error).message };
  }
}

function judge(
  facts: { database?: DatabaseFacts; disk?: DiskFacts; server?: ServerFacts },
  options: Options | undefined,
  problems: string[],
  hints: string[],
): void {
  const { database, disk, server } = facts;
  if (database?.problem !== undefined) problems.push(database.problem);
  if (server?.reachable === false)
    problems.push(`The server at ${server.address} cannot be used: ${server.problem}`);
  if (database?.exists === false) {
    hints.push("There is no database yet; `millrace server` makes one.");
  }
  if (database?.schemaVersion !== undefined && database.schemaVersion < database.latestSchemaVersion) {
    hints.push(
      "The schema is older than this release: the next start upgrades it, or `millrace db upgrade`.",
    );
  }
  if ((database?.logBytes ?? 0) > LARGE_LOG_BYTES) {
    hints.push(
      "The write-ahead log is large: something keeps a read open for long, such as a backup or another program.",
    );
  }
  if (disk !== undefined && disk.syncMs === undefined) {
    problems.push(`The folder ${disk.folder} cannot be written.`);
  }
  if ((disk?.syncMs?.median ?? 0) > SLOW_SYNC_MS) {
    hints.push(
      "A synced write takes long on this disk; each small write waits for one. Put the data folder on a local SSD, and log in batches.",
    );
  }
  if (disk !== undefined && disk.freeBytes < LOW_DISK_BYTES) {
    hints.push("Less than 1 GiB is free on the disk of the database.");
  }
  for (const note of options?.notes ?? []) hints.push(note);
}

const secretVariables = new Set(
  (Object.values(settings) as Setting[]).filter(({ secret }) => secret === true).flatMap(({ env }) => env),
);
const SECRET_NAME = /TOKEN|PASSWORD|PASSWD|SECRET|PRIVATE|CREDENTIAL|API_?KEY|ENCRYPTION_KEY|ACCESS_KEY/i;

/** Variables that Millrace and MLflow read; values that are or may hold secrets are masked. */
export function environmentOf(
  env: Readonly<Record<string, string | undefined>>,
  maskAll: boolean,
): Readonly<Record<string, string>> {
  const shown: [string, string][] = [];
  for (const name of Object.keys(env).sort()) {
    if (!/^(_?MLFLOW_|MILLRACE_|NODE_OPTIONS$)/.test(name)) continue;
    const value = env[name] ?? "";
    const isSecret = secretVariables.has(name) || SECRET_NAME.test(name);
    shown.push([name, value !== "" && (maskAll || isSecret) ? MASK : maskedUri(value)]);
  }
  return Object.fromEntries(shown);
}

/** Addresses keep their host, but neither user and password nor values of a query. */
function maskedUri(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, `//${MASK}@`).replace(/([?&][^=&\s]+)=[^&\s]*/g, `$1=${MASK}`);
}

interface Report {
  readonly ok: boolean;
  readonly millrace: string;
  readonly node: string;
  readonly sqlite: string | undefined;
  readonly platform: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly database: DatabaseFacts | undefined;
  readonly artifacts: string | undefined;
  readonly disk: DiskFacts | undefined;
  readonly server: ServerFacts | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly hints: readonly string[];
}

function writeReport(io: Io, report: Report): void {
  const { stdout, env } = io;
  const { bold, green, red, yellow } = colours(stdout, env);
  const { database, disk, server } = report;
  const section = (title: string, facts: Parameters<typeof writeFacts>[2]): void => {
    if (facts.every(([, value]) => value === undefined || value === "")) return;
    stdout.write(`${bold(title)}\n`);
    writeFacts(stdout, env, facts);
    stdout.write("\n");
  };
  section("Versions", [
    ["millrace", report.millrace],
    ["Node", report.node],
    ["SQLite", report.sqlite],
    ["system", `${report.platform}, ${report.cores} cores, ${formatBytes(report.memoryBytes)}`],
  ]);
  section("Database", [
    ["file", database?.exists === false ? `${database.path} (not there yet)` : database?.path],
    [
      "size",
      database?.fileBytes === undefined
        ? undefined
        : `${formatBytes(database.fileBytes)}, log ${formatBytes(database.logBytes ?? 0)}`,
    ],
    [
      "schema",
      database?.schemaVersion === undefined
        ? undefined
        : `${database.schemaVersion} (this release: ${database.latestSchemaVersion})`,
    ],
    ...Object.entries(database?.pragmas ?? {}),
    ["open in", database?.servedAt ?? (database?.exists === true ? "no server" : undefined)],
    ["artifacts", report.artifacts],
  ]);
  section("Disk", [
    ["folder", disk?.folder],
    [
      "free",
      disk === undefined ? undefined : `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)}`,
    ],
    [
      "synced write",
      disk?.syncMs === undefined
        ? undefined
        : `${disk.syncMs.median.toFixed(2)} ms (95 % below ${disk.syncMs.p95.toFixed(2)} ms)`,
    ],
  ]);
  section("Server", [
    ["address", server?.address],
    ["reachable", server === undefined ? undefined : server.reachable ? "yes" : "no"],
    ["protocol", server?.version === undefined ? undefined : `MLflow ${server.version}`],
  ]);
  section("Environment", Object.entries(report.environment));
  for (const problem of report.problems) stdout.write(`${red("problem")}: ${visible(problem)}\n`);
  for (const hint of report.hints) stdout.write(`${yellow("hint")}: ${visible(hint)}\n`);
  if (report.ok) stdout.write(`${green("ok")}: nothing keeps Millrace from working\n`);
}
