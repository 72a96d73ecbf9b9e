/** `millrace restore`: a backup takes the place of a database; what was there is kept aside. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { copyArtifacts, restoreDatabase } from "../../usecases/operation/index.ts";
import type { Io } from "../io.ts";
import { count, formatBytes } from "../output/format.ts";
import { createProgress } from "../output/progress.ts";
import { storeOptions, type StoreOptions, withStoreOptions } from "../store-options.ts";
import { examples, show } from "./command.ts";

interface RestoreOptions extends StoreOptions {
  readonly artifacts: boolean;
}

export function define(command: Command, io: Io): void {
  withStoreOptions(
    command
      .argument("<file>", "a backup made by `millrace backup`")
      .option("--no-artifacts", "leave <file>.artifacts alone"),
    true,
  );
  command.addHelpText(
    "after",
    "\nThe backup is checked first (SHA-256 of its manifest, integrity_check, schema). Refused while a server has the\ndatabase open. The database that was there is kept as <database>.before-restore-<time>. Artifacts of the backup\nare copied over those that are there; none is removed.",
  );
  examples(command, "restore /backup/millrace-monday.db", "restore copy.db --data-dir /var/lib/millrace");
  command.action((file: string, options: RestoreOptions) => restore(file, options, io));
}

async function restore(file: string, given: RestoreOptions, io: Io): Promise<void> {
  const options = storeOptions(given, io);
  const restored = await restoreDatabase(options.backend, file, Date.now());
  let artifacts: { files: number; bytes: number } | undefined;
  if (given.artifacts && existsSync(`${file}.artifacts`)) {
    const { openArtifactStore } = await import("../../app.ts");
    const from = await openArtifactStore(`${file}.artifacts`);
    const to = await openArtifactStore(options.artifactsDestination);
    const progress = createProgress(io, "artifacts");
    const total = restored.manifest?.artifacts?.files;
    try {
      artifacts = await copyArtifacts(from, to, (files, bytes) =>
        progress.update(files, total, formatBytes(bytes)),
      );
    } finally {
      progress.end();
      await from.close();
      await to.close();
    }
  }
  const result = {
    path: restored.path,
    kept: restored.kept ?? null,
    createdAt: restored.manifest?.createdAt ?? null,
    artifacts: artifacts ?? null,
  };
  show(io, given, result, () => {
    const made = result.createdAt === null ? "" : `, made ${result.createdAt}`;
    io.stdout.write(`Restored ${result.path} from ${file}${made}\n`);
    if (artifacts !== undefined) {
      io.stdout.write(`with ${count(artifacts.files, "artifact")} (${formatBytes(artifacts.bytes)})\n`);
    }
    if (result.kept !== null) io.stdout.write(`What was there is kept as ${result.kept}\n`);
  });
}
