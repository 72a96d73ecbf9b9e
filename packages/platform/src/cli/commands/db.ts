/** `millrace db`: the schema, and whether a database is sound. */
import type { Command } from "commander";
import {
  type CheckResult,
  checkDatabase,
  openDatabase,
  upgradeDatabase,
} from "../../usecases/operation/index.ts";
import { FoundProblems } from "../errors.ts";
import type { Io } from "../io.ts";
import { createProgress } from "../output/progress.ts";
import { colours } from "../output/style.ts";
import { visible } from "../output/text.ts";
import { storeOptions, type StoreOptions, withStoreOptions } from "../store-options.ts";
import { examples, group, show } from "./command.ts";

export function define(command: Command, io: Io): void {
  group(command);
  withStoreOptions(
    command
      .command("upgrade")
      .description("bring the schema up to date; a copy of the database is made before")
      .argument("[url]", "database, for instance sqlite:///file.db"),
    false,
  ).action(async (url: string | undefined, options: StoreOptions) => {
    const { backend } = storeOptions({ ...options, backendStoreUri: url ?? options.backendStoreUri }, io);
    const result = await upgradeDatabase(backend);
    show(io, options, result, () =>
      io.stdout.write(
        result.fromVersion === result.toVersion
          ? `${result.path} is up to date (schema version ${result.toVersion})\n`
          : `${result.path} went from schema version ${result.fromVersion} to ${result.toVersion}${
              result.backup === undefined ? "" : `; the copy made before is ${result.backup}`
            }\n`,
      ),
    );
  });
  withStoreOptions(
    command
      .command("check")
      .description("look through all of a database for damage; a server may run meanwhile")
      .argument("[url]", "database, for instance sqlite:///file.db"),
    false,
  )
    .addHelpText(
      "after",
      "\nChecked: the file (integrity_check), the schema's version, rows that name missing rows, that every chunk\nof metric points decodes to what is said of it, and that summaries agree with their points.\nExit code 1 when something is wrong.",
    )
    .action(async (url: string | undefined, options: StoreOptions) => {
      const { backend } = storeOptions({ ...options, backendStoreUri: url ?? options.backendStoreUri }, io);
      const db = await openDatabase(backend, { readOnly: true, anySchema: true });
      const progress = createProgress(io, "checking metrics");
      let result: CheckResult;
      try {
        result = await checkDatabase(db, (done, total) => progress.update(done, total));
      } finally {
        progress.end();
        db.close();
      }
      show(io, options, { ok: result.problems.length === 0, ...result }, () => writeResult(io, result));
      if (result.problems.length > 0) throw new FoundProblems();
    });
  examples(command, "db check", "db upgrade sqlite:////var/lib/millrace/millrace.db");
}

function writeResult(io: Io, { path, problems, counts, schemaVersion }: CheckResult): void {
  const { green, red } = colours(io.stdout, io.env);
  const rows = Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${name} ${number.toLocaleString("en-US")}`);
  io.stdout.write(`${path}, schema version ${schemaVersion}\n${rows.join(", ")}\n`);
  if (problems.length === 0) {
    io.stdout.write(`${green("ok")}: no damage found\n`);
    return;
  }
  for (const problem of problems) io.stdout.write(`${red("problem")}: ${visible(problem)}\n`);
  io.stdout.write("Keep a copy of the file, then restore a backup with `millrace restore`.\n");
}
