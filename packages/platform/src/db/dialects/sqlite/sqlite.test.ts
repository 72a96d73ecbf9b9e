import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PlatformError } from "@millrace/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { globFromLike, openSqlite, type SqliteDatabase } from "./index.ts";

let directory: string;
let db: SqliteDatabase;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "millrace-sqlite-"));
  db = await openSqlite({ path: join(directory, "m.db") });
  await db.write((tx) => void tx.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"));
});

afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const countOnDisk = (): number => {
  const other = new DatabaseSync(db.path, { readOnly: true });
  try {
    return Number(other.prepare("SELECT count(*) AS n FROM t").get()!["n"]);
  } finally {
    other.close();
  }
};

test("the live connection syncs every commit", () => {
  expect(db.pragma("synchronous")).toBe(2);
  expect(db.pragma("journal_mode")).toBe("wal");
});

test("a write resolves only after another connection can read it", async () => {
  const seen = await Promise.all(
    Array.from({ length: 50 }, (_, id) =>
      db.write((tx) => tx.run("INSERT INTO t VALUES (?, 'x')", [id])).then(() => countOnDisk()),
    ),
  );
  // All fifty shared one commit: whoever is answered first finds all of them on disk.
  expect(seen).toEqual(Array.from({ length: 50 }, () => 50));
});

test("one failure fails one caller of a group", async () => {
  const results = await Promise.allSettled([
    db.write((tx) => tx.run("INSERT INTO t VALUES (1, 'a')")),
    db.write(async (tx) => {
      await tx.run("INSERT INTO t VALUES (2, 'half')");
      await tx.run("INSERT INTO t VALUES (1, 'twice')");
    }),
    db.write((tx) => tx.run("INSERT INTO t VALUES (3, 'c')")),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: "RESOURCE_ALREADY_EXISTS" });
  expect(await db.read((reader) => reader.all("SELECT id FROM t ORDER BY id"))).toEqual([
    { id: 1 },
    { id: 3 },
  ]);
});

test("a failure alone leaves nothing", async () => {
  await expect(
    db.write(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1, 'half')");
      throw new PlatformError("INVALID_PARAMETER_VALUE", "no");
    }),
  ).rejects.toThrow("no");
  expect(countOnDisk()).toBe(0);
});

test("a statement after the end of its transaction is refused", async () => {
  let leaked: { run(sql: string): unknown } | undefined;
  await db.write((tx) => {
    leaked = tx;
  });
  expect(() => leaked!.run("INSERT INTO t VALUES (9, 'late')")).toThrow("after its transaction");
});

test("commit actions run after success only", async () => {
  const done: string[] = [];
  await Promise.allSettled([
    db.write((tx) => tx.onCommit(() => done.push("a"))),
    db.write((tx) => {
      tx.onCommit(() => done.push("b"));
      throw new Error("no");
    }),
  ]);
  expect(done).toEqual(["a"]);
});

test("too much in the queue is refused with a code that clients retry", async () => {
  await db.close();
  db = await openSqlite({ path: join(directory, "m.db"), queuedRowsMax: 10 });
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, () => db.write((tx) => void tx.get("SELECT 1"), 4)),
  );
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  expect((results[2] as PromiseRejectedResult).reason).toMatchObject({
    code: "RESOURCE_EXHAUSTED",
    status: 429,
  });
});

test("integers beyond 2^53 come back exactly, small ones beside them as numbers", async () => {
  const rows = await db.read((reader) => reader.all("SELECT 9223372036854775807 AS big, 5 AS small"));
  expect(rows).toEqual([{ big: 9223372036854775807n, small: 5 }]);
});

test("one server per file", async () => {
  await expect(openSqlite({ path: db.path })).rejects.toMatchObject({ code: "RESOURCE_CONFLICT" });
});

test("a database of MLflow is refused and stays as it is", async () => {
  const path = join(directory, "theirs.db");
  const theirs = new DatabaseSync(path);
  theirs.exec(
    "CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE experiments (experiment_id INTEGER)",
  );
  theirs.close();
  await expect(openSqlite({ path })).rejects.toThrow("MLflow");
});

test("a file that is no database is refused", async () => {
  const path = join(directory, "text.db");
  writeFileSync(
    path,
    "this is no database, but long enough to look like one to a careless reader".repeat(20),
  );
  await expect(openSqlite({ path })).rejects.toThrow();
});

test.each([
  ["%ab%", "xaby", true],
  ["a_c", "abc", true],
  ["a_c", "ac", false],
  ["A%", "abc", false],
  ["a*b", "a*b", true],
  ["a*b", "axb", false],
  ["a[b", "a[b", true],
  ["a?c", "abc", false],
])("LIKE '%s' on '%s' is case-sensitive and knows only %% and _", async (pattern, text, expected) => {
  const row = await db.read((reader) =>
    reader.get<{ hit: number }>("SELECT ? GLOB ? AS hit", [text, globFromLike(pattern)]),
  );
  expect(row!.hit === 1).toBe(expected);
});

test("the log is copied back while writes go on", async () => {
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        db.write((tx) => tx.run("INSERT INTO t VALUES (?, ?)", [round * 1000 + i, "x".repeat(4000)])),
      ),
    );
  }
  expect(await db.checkpoint()).toBe(true);
  expect(countOnDisk()).toBe(4000);
});
