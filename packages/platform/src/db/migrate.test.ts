import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "./dialects/sqlite/index.ts";
import { latestVersion } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

/** One text dump of every released schema, with a few rows of each table; written by `fixtures/schema/make.ts`. */
const dumps = join(import.meta.dirname, "../../../../fixtures/schema");

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-migrate-"));
  path = join(directory, "m.db");
});
afterEach(() => rmSync(directory, { recursive: true }));

function schemaOf(file: string): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db
    .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .all();
  db.close();
  return rows.map(({ sql }) => String(sql).replace(/\s+/g, " "));
}

function restore(dump: string): void {
  const db = new DatabaseSync(path);
  db.exec(readFileSync(join(dumps, dump), "utf8"));
  db.close();
}

function countRows(file: string): Record<string, number> {
  const db = new DatabaseSync(file, { readOnly: true });
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'millrace_meta'",
    )
    .all();
  const counts = Object.fromEntries(
    tables.map(({ name }) => [
      name,
      Number(db.prepare(`SELECT count(*) AS n FROM "${String(name)}"`).get()!["n"]),
    ]),
  ) as Record<string, number>;
  db.close();
  return counts;
}

test("versions are numbered from 1 without a gap", () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
});

test.each(readdirSync(dumps).filter((file) => file.endsWith(".sql")))(
  "%s upgrades and loses no row",
  async (dump) => {
    restore(dump);
    const before = countRows(path);
    const db = await openSqlite({ path });
    await db.close();
    expect(countRows(path)).toMatchObject(before);
  },
);

test("the newest dump has the schema that the migrations make: a released one was not edited", async () => {
  await (await openSqlite({ path: join(directory, "fresh.db") })).close();
  restore(`${String(latestVersion).padStart(3, "0")}.sql`);
  expect(schemaOf(join(directory, "fresh.db"))).toEqual(schemaOf(path));
});

test("a schema of a newer release is refused, with what to do", async () => {
  await (await openSqlite({ path })).close();
  const db = new DatabaseSync(path);
  db.exec("UPDATE millrace_meta SET value = '999' WHERE key = 'schema_version'");
  db.close();
  await expect(openSqlite({ path })).rejects.toThrow(/999.*newer release/s);
});
