/** `millrace gc`: removes for good what is deleted. MLflow's options, and a dry run. */
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import {
  collectGarbage,
  type GcPlan,
  type GcResult,
  openDatabase,
  planGc,
  removeArtifactFolder,
} from "../../usecases/operation/index.ts";
import { connect, isHttp, trackingAddress } from "../connect.ts";
import { FoundProblems, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { count, formatTime } from "../output/format.ts";
import { createProgress } from "../output/progress.ts";
import { colours } from "../output/style.ts";
import { writeTable } from "../output/table.ts";
import { visible } from "../output/text.ts";
import { storeOptions, type StoreOptions, withStoreOptions } from "../store-options.ts";
import type { Options } from "../../options.ts";
import { examples, show } from "./command.ts";

interface GcOptions extends StoreOptions {
  readonly olderThan?: string;
  readonly runIds?: string;
  readonly experimentIds?: string;
  readonly loggedModelIds?: string;
  readonly trackingUri?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .option("--older-than <time>", "only what was deleted so long ago, for instance 30d or 10d2h5m20s")
    .option("--run-ids <ids>", "deleted runs to remove, separated by commas")
    .option("--experiment-ids <ids>", "deleted experiments to remove, with their runs and logged models")
    .option("--logged-model-ids <ids>", "deleted logged models to remove")
    .option("--dry-run", "show what would be removed")
    .option("-y, --yes", "do not ask");
  withStoreOptions(command, true);
  command.option(
    "--tracking-uri <uri>",
    "server through which proxied artifacts are removed (default: MLFLOW_TRACKING_URI)",
  );
  command.addHelpText(
    "after",
    "\nWithout ids, everything that is deleted goes; with ids, only what is named. Rows go first, then artifacts; what\ncannot be removed stays in a queue for the next call. Versions in the registry stay, even when they came from\na run that goes. A server may run meanwhile.",
  );
  examples(
    command,
    "gc --older-than 30d --dry-run",
    "gc --run-ids 7a0f…,91bc…",
    "gc --experiment-ids 4 --yes",
  );
  command.action((options: GcOptions) => gc(options, io));
}

async function gc(given: GcOptions, io: Io): Promise<void> {
  const request = {
    runIds: idsOf(given.runIds),
    experimentIds: idsOf(given.experimentIds),
    loggedModelIds: idsOf(given.loggedModelIds),
    olderThanMs: given.olderThan === undefined ? 0 : parseAge(given.olderThan),
  };
  const options = storeOptions(given, io);
  const db = await openDatabase(options.backend, { readOnly: given.dryRun === true });
  try {
    const plan = await planGc(db, request, Date.now());
    const shown = {
      runs: plan.runs.map(({ run_id }) => run_id),
      experiments: plan.experiments.map(({ id }) => String(id)),
      loggedModels: plan.loggedModels.map(({ model_id }) => model_id),
      registeredVersions: plan.registeredVersions,
    };
    if (given.dryRun === true) {
      show(io, given, { dryRun: true, ...shown }, () => writePlan(io, plan));
      return;
    }
    const size = plan.runs.length + plan.experiments.length + plan.loggedModels.length;
    if (io.isInteractive && given.yes !== true && size > 0) {
      writePlan({ ...io, stdout: io.stderr }, plan);
      if (!(await io.confirm("Remove all of this for good?"))) {
        io.stderr.write("Nothing was removed.\n");
        throw new FoundProblems();
      }
    }
    const progress = createProgress(io, "removing");
    const remover = await createRemover(given.trackingUri, options, io);
    let result: GcResult;
    try {
      result = await collectGarbage(db, plan, {
        clock: Date.now,
        pause: (delayMs) => pause(delayMs),
        removeArtifacts: remover.remove,
        onProgress: (done, total) => progress.update(done, total),
      });
    } finally {
      progress.end();
      await remover.close();
    }
    show(io, given, { dryRun: false, ...shown, artifacts: result.artifacts }, () => writeResult(io, result));
    if (result.artifacts.failed.length > 0) throw new FoundProblems();
  } finally {
    db.close();
  }
}

function idsOf(text: string | undefined): string[] | undefined {
  const ids = text
    ?.split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  if (ids?.length === 0) throw new UsageError("A list of ids is empty. Without ids, leave the option out.");
  return ids;
}

const AGE = /^(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s)?$/;
const secondsPerUnit = [86_400, 3_600, 60, 1] as const;

/** `10d2h5m20s`, with fractions: milliseconds. @throws UsageError */
export function parseAge(text: string): number {
  const parts = AGE.exec(text)?.slice(1);
  const seconds = parts?.reduce((sum, part, at) => sum + Number(part ?? 0) * secondsPerUnit[at]!, 0);
  if (text === "" || seconds === undefined || Number.isNaN(seconds)) {
    throw new UsageError(`--older-than: '${text}' is no time. Write for instance 30d, 8h or 2d8h5m20s.`);
  }
  return Math.trunc(seconds * 1_000);
}

/** How artifacts are removed: through a tracking server, or from the stores themselves. */
async function createRemover(
  trackingUri: string | undefined,
  options: Options,
  io: Io,
): Promise<{ remove(uri: string): Promise<void>; close(): Promise<void> }> {
  const address = trackingAddress(trackingUri, io.env);
  const { openArtifactStore } = await import("../../app.ts");
  const places = {
    store: await openArtifactStore(options.artifactsDestination),
    open: openArtifactStore,
    roots: [options.artifactsDestination, options.defaultArtifactRoot],
  };
  if (address === undefined || !isHttp(address)) {
    return { remove: (uri) => removeArtifactFolder(places, uri), close: () => places.store.close() };
  }
  const { client, close } = await connect(address, io.env, false);
  return {
    remove: (uri) =>
      uri.startsWith("mlflow-artifacts:")
        ? client.artifacts.delete({ uri }, "")
        : removeArtifactFolder(places, uri),
    close: async () => {
      await close();
      await places.store.close();
    },
  };
}

function writePlan(io: Io, plan: GcPlan): void {
  writeTable(
    io.stdout,
    io.env,
    [
      ...plan.experiments.map((row) => ({
        kind: "experiment",
        ...row,
        id: String(row.id),
        time: row.last_update_time,
      })),
      ...plan.runs.map((row) => ({
        kind: "run",
        ...row,
        id: row.run_id,
        time: row.deleted_time ?? undefined,
      })),
      ...plan.loggedModels.map((row) => ({
        kind: "logged model",
        ...row,
        id: row.model_id,
        time: row.last_updated_time,
      })),
    ],
    [
      { header: "KIND", value: ({ kind }) => kind, widthMin: 12 },
      { header: "ID", value: ({ id }) => id, widthMin: 34 },
      { header: "NAME", value: ({ name }) => name },
      { header: "DELETED", value: ({ time }) => formatTime(time), widthMin: 19 },
    ],
    "Nothing is deleted that could be removed.",
  );
  if (plan.registeredVersions.length > 0) {
    const { yellow } = colours(io.stdout, io.env);
    io.stdout.write(
      `${yellow("note")}: these registered versions came from runs in the list and lose their files: ${visible(plan.registeredVersions.join(", "))}\n`,
    );
  }
}

function writeResult(io: Io, { runs, experiments, loggedModels, finished, artifacts }: GcResult): void {
  io.stdout.write(
    `Removed ${count(runs, "run")}, ${count(experiments, "experiment")} and ${count(loggedModels, "logged model")}; artifacts of ${artifacts.removed}\n`,
  );
  if (finished > 0) io.stdout.write(`Finished ${count(finished, "removal")} that had been interrupted\n`);
  for (const { uri, reason } of artifacts.failed) {
    io.stderr.write(
      `${colours(io.stderr, io.env).yellow("not removed")}: ${visible(uri)}: ${visible(reason)}\n`,
    );
  }
  if (artifacts.waiting > 0) {
    io.stdout.write(`${count(artifacts.waiting, "artifact folder")} wait for the next \`millrace gc\`\n`);
  }
}
