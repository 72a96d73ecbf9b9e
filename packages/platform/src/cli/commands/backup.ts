/** `millrace backup`: a copy of the database, and with `--artifacts` of the artifacts, while a server runs. */
import type { Command } from "commander";
import { backupDatabase, copyArtifacts, writeManifest } from "../../usecases/operation/index.ts";
import type { Io } from "../io.ts";
import { count, formatBytes } from "../output/format.ts";
import { createProgress } from "../output/progress.ts";
import { storeOptions, type StoreOptions, withStoreOptions } from "../store-options.ts";
import { examples, show } from "./command.ts";
import { versionText } from "./version.ts";

interface BackupOptions extends StoreOptions {
  readonly artifacts?: boolean;
}

export function define(command: Command, io: Io): void {
  withStoreOptions(
    command
      .argument("<file>", "where to write the copy; it must not exist yet")
      .option("--artifacts", "copy the artifacts too, into the folder <file>.artifacts"),
    true,
  );
  command.addHelpText(
    "after",
    "\nWritten: <file>, a complete SQLite database with everything that was committed when the copy began (runs,\nmetrics, registry, webhooks with their secrets), checked before it gets its name; <file>.manifest.json with\ntime, counts and SHA-256; with --artifacts also <file>.artifacts. A server may run and write meanwhile.",
  );
  examples(
    command,
    "backup /backup/millrace-monday.db --artifacts",
    "backup copy.db --data-dir /var/lib/millrace",
  );
  command.action((file: string, options: BackupOptions) => backup(file, options, io));
}

async function backup(file: string, given: BackupOptions, io: Io): Promise<void> {
  const options = storeOptions(given, io);
  const progress = createProgress(io, "database");
  let manifest;
  try {
    const facts = { millrace: versionText(), now: Date.now() };
    manifest = await backupDatabase(options.backend, file, facts, (done, total) =>
      progress.update(done, total),
    );
  } finally {
    progress.end();
  }
  if (given.artifacts === true) {
    const { openArtifactStore } = await import("../../app.ts");
    const from = await openArtifactStore(options.artifactsDestination);
    const to = await openArtifactStore(`${file}.artifacts`);
    const copying = createProgress(io, "artifacts");
    try {
      // After the database: whatever it names was there before, so it is in the copy.
      const artifacts = await copyArtifacts(from, to, (files, bytes) =>
        copying.update(files, undefined, `${count(files, "file")}, ${formatBytes(bytes)}`),
      );
      manifest = { ...manifest, artifacts };
      await writeManifest(file, manifest);
    } finally {
      copying.end();
      await from.close();
      await to.close();
    }
  }
  const result = { file, ...manifest };
  show(io, given, result, () => {
    io.stdout.write(
      `Backed up ${result.source} to ${file} (${formatBytes(result.databaseBytes)}, ${count(result.counts["runs"] ?? 0, "run")})\n`,
    );
    if (result.artifacts !== undefined) {
      const { files, bytes } = result.artifacts;
      io.stdout.write(`with ${count(files, "artifact")} (${formatBytes(bytes)}) in ${file}.artifacts\n`);
    }
  });
}
