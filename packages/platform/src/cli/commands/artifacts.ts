/** `millrace artifacts`: files up, down and listed, with MLflow's options. */
import { mkdtemp } from "node:fs/promises";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { ArtifactLocation, FileInfo, NodeClient as Client, Progress } from "@millrace/client/node";
import type { Command } from "commander";
import { type ArtifactAddress, resolveArtifactUri } from "../artifact-address.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { count, formatBytes } from "../output/format.ts";
import { createProgress } from "../output/progress.ts";
import { writeTable } from "../output/table.ts";
import { type ClientOptions, clientVerb, examples, group, show, withClient } from "./command.ts";

interface Target extends ClientOptions {
  readonly runId?: string;
  readonly modelId?: string;
  readonly artifactUri?: string;
  readonly artifactPath?: string;
}

export function define(command: Command, io: Io): void {
  group(command);
  defineLogArtifact(command, io);
  defineLogArtifacts(command, io);
  defineList(command, io);
  defineDownload(command, io);
  examples(
    command,
    "artifacts log-artifact -l plot.png -r 7a0f… -a plots",
    "artifacts list -r 7a0f… -a model",
    "artifacts download -u models:/wine@champion -d ./model",
  );
}

/** Where files go up to. */
function locationOf({
  runId,
  modelId,
}: Target): Exclude<ArtifactLocation, { uri: string } | { name: string }> {
  if ((runId === undefined) === (modelId === undefined)) {
    throw new UsageError("Give either --run-id or --model-id.");
  }
  return runId === undefined ? { modelId: modelId! } : { runId };
}

async function addressOf(client: Client, options: Target): Promise<ArtifactAddress> {
  if (options.artifactUri === undefined)
    return { location: locationOf(options), path: options.artifactPath ?? "" };
  if (options.runId !== undefined || options.modelId !== undefined || options.artifactPath !== undefined) {
    throw new UsageError("--artifact-uri says all: leave --run-id, --model-id and --artifact-path out.");
  }
  return resolveArtifactUri(client, options.artifactUri);
}

function uploadVerb(parent: Command, usage: string, summary: string): Command {
  return clientVerb(parent, usage, summary)
    .option("-r, --run-id <id>", "run that gets it")
    .option("--model-id <id>", "logged model that gets it")
    .option("-a, --artifact-path <path>", "folder among the artifacts (default: their root)");
}

function defineLogArtifact(parent: Command, io: Io): void {
  uploadVerb(parent, "log-artifact", "upload a file")
    .requiredOption("-l, --local-file <file>", "what to upload")
    .action(async (options: Target & { localFile: string }) => {
      const location = locationOf(options);
      const { size } = await stat(options.localFile);
      const path = [options.artifactPath, basename(options.localFile)].filter(Boolean).join("/");
      await withProgress(io, "uploading", (onProgress) =>
        withClient(io, options, ({ artifacts }) =>
          artifacts.uploadFile(location, options.localFile, path, { onProgress }),
        ),
      );
      show(io, options, { ...location, path, files: 1, bytes: size }, () =>
        io.stdout.write(`Logged ${options.localFile} as ${path} (${formatBytes(size)})\n`),
      );
    });
}

function defineLogArtifacts(parent: Command, io: Io): void {
  uploadVerb(parent, "log-artifacts", "upload what a folder holds")
    .requiredOption("-l, --local-dir <folder>", "what to upload")
    .action(async (options: Target & { localDir: string }) => {
      const location = locationOf(options);
      if (!(await stat(options.localDir)).isDirectory()) {
        throw new UsageError(`'${options.localDir}' is no folder: use log-artifact for a file.`);
      }
      const path = options.artifactPath ?? "";
      const files = await withProgress(io, "uploading", (onProgress) =>
        withClient(io, options, ({ artifacts }) =>
          artifacts.uploadFolder(location, options.localDir, path, { onProgress }),
        ),
      );
      show(io, options, { ...location, path, files }, () =>
        io.stdout.write(
          `Logged ${count(files, "file")} of ${options.localDir}${path === "" ? "" : ` to ${path}`}\n`,
        ),
      );
    });
}

function defineList(parent: Command, io: Io): void {
  clientVerb(parent, "list", "list the direct children of a folder")
    .option("-r, --run-id <id>", "run that has it")
    .option("--model-id <id>", "logged model that has it")
    .option("-a, --artifact-path <path>", "folder (default: the root)")
    .option("-u, --artifact-uri <uri>", "instead: runs:/…, models:/… or mlflow-artifacts:/…")
    .action(async (options: Target) => {
      const files = await withClient(io, options, async (client) => {
        const { location, path } = await addressOf(client, options);
        return client.artifacts.list(location, path).toArray();
      });
      show(io, options, files, () =>
        writeTable<FileInfo>(
          io.stdout,
          io.env,
          files,
          [
            { header: "PATH", value: ({ path, isDir }) => (isDir ? `${path}/` : path) },
            {
              header: "SIZE",
              value: ({ isDir, fileSize }) => (isDir ? "" : formatBytes(fileSize ?? 0)),
              align: "right",
            },
          ],
          "No artifacts.",
        ),
      );
    });
}

function defineDownload(parent: Command, io: Io): void {
  clientVerb(parent, "download", "download a file or a folder")
    .option("-r, --run-id <id>", "run that has it")
    .option("--model-id <id>", "logged model that has it")
    .option("-a, --artifact-path <path>", "file or folder (default: everything)")
    .option("-u, --artifact-uri <uri>", "instead: runs:/…, models:/… or mlflow-artifacts:/…")
    .option("-d, --dst-path <folder>", "where to (default: a new temporary folder)")
    .action(async (options: Target & { dstPath?: string }) => {
      const folder = resolve(options.dstPath ?? (await mkdtemp(join(tmpdir(), "millrace-artifacts-"))));
      const { path, files } = await withProgress(io, "downloading", (onProgress) =>
        withClient(io, options, async (client) => {
          const address = await addressOf(client, options);
          const number = await client.artifacts.downloadTo(address.location, address.path, folder, {
            onProgress,
          });
          return { path: join(folder, address.path), files: number };
        }),
      );
      show(io, options, { path, files }, () => io.stdout.write(`${path}\n`));
    });
}

/** Shows how far a transfer has come. */
async function withProgress<T>(
  io: Io,
  label: string,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const bar = createProgress(io, label);
  try {
    return await work(({ doneBytes, totalBytes, filesDone, filesTotal, path }) => {
      const files = filesTotal > 1 ? `${filesDone}/${filesTotal} ` : "";
      bar.update(doneBytes, totalBytes, `${files}${formatBytes(doneBytes)} ${path}`);
    });
  } finally {
    bar.end();
  }
}
