/**
 * The figures behind the storage layout (docs/decisions/002): rows per second and bytes per million points of the
 * candidate tables, on this machine. One writer, WAL, synchronous=FULL, one transaction per 1,000 points, 10 keys ×
 * 100 runs, full mantissas, jittered times. Usage: node --conditions=millrace-source bench/storage-layout.ts [millions]
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encodeChunk } from "../packages/platform/src/db/chunks/codec.ts";

const total = Math.round(Number(process.argv[2] ?? 1) * 1_000_000);
const RUNS = 100;
const KEYS = 10;
const TRANSACTION_POINTS = 1_000;
const steps = Math.floor(total / (RUNS * KEYS));

interface Point {
  readonly run: number;
  readonly key: number;
  readonly step: number;
  readonly time: number;
  readonly value: number;
}

/** Points in the order in which runs log them: all keys of a step together. */
function* points(): Generator<Point> {
  for (let run = 0; run < RUNS; run++) {
    let time = 1_700_000_000_000;
    for (let step = 0; step < steps; step++) {
      time += 950 + Math.floor(Math.random() * 100);
      for (let key = 0; key < KEYS; key++) yield { run, key, step, time, value: Math.random() };
    }
  }
}

type Bind = (point: Point) => (string | number)[];

interface Layout {
  readonly name: string;
  readonly schema: string;
  readonly insert: string;
  readonly bind: Bind;
  readonly rowsPerStatement: number;
}

const hex = Array.from({ length: RUNS }, (_, run) => run.toString(16).padStart(32, "7"));
const numbers: Bind = ({ run, key, step, time, value }) => [run, key, step, time, 0, value];
const layouts: readonly Layout[] = [
  {
    name: "text keys, hex run ids, six-column primary key",
    schema:
      "CREATE TABLE p (key TEXT, value REAL, time INTEGER, run TEXT, step INTEGER, nan INTEGER, PRIMARY KEY (key, time, step, run, value, nan))",
    insert: "INSERT INTO p (run, key, step, time, nan, value) VALUES ",
    bind: ({ run, key, step, time, value }) => [hex[run]!, `train/metric_${key}`, step, time, 0, value],
    rowsPerStatement: 1,
  },
  {
    name: "integer ids, rowid table with unique index",
    schema:
      "CREATE TABLE p (run INTEGER, key INTEGER, step INTEGER, time INTEGER, nan INTEGER, value REAL, UNIQUE (run, key, step, time, nan, value))",
    insert: "INSERT INTO p VALUES ",
    bind: numbers,
    rowsPerStatement: 1,
  },
  ...[1, 50].map((rowsPerStatement) => ({
    name: `integer ids, clustered by (run, key, step, time), ${rowsPerStatement} rows a statement`,
    schema:
      "CREATE TABLE p (run INTEGER, key INTEGER, step INTEGER, time INTEGER, nan INTEGER, value REAL, PRIMARY KEY (run, key, step, time, nan, value)) WITHOUT ROWID",
    insert: "INSERT INTO p VALUES ",
    bind: numbers,
    rowsPerStatement,
  })),
];

const directory = mkdtempSync(join(tmpdir(), "millrace-layout-"));

function open(name: string): { db: DatabaseSync; file: string } {
  const file = join(directory, `${name.replace(/\W+/g, "-")}.db`);
  const db = new DatabaseSync(file);
  db.exec(
    "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384",
  );
  return { db, file };
}

function finish(name: string, db: DatabaseSync, file: string, count: number, milliseconds: number): void {
  db.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const megabytes = statSync(file).size / 1e6 / (count / 1e6);
  console.log(
    `${name.padEnd(70)} ${(count / milliseconds).toFixed(0).padStart(7)} k points/s ${megabytes.toFixed(1).padStart(7)} MB per million`,
  );
}

function measureRows(layout: Layout): void {
  const { db, file } = open(layout.name);
  db.exec(layout.schema);
  const row = "(?, ?, ?, ?, ?, ?)";
  const statement = db.prepare(
    layout.insert + Array.from({ length: layout.rowsPerStatement }, () => row).join(", "),
  );
  const started = performance.now();
  let pending: (string | number)[] = [];
  let inTransaction = 0;
  let count = 0;
  db.exec("BEGIN");
  for (const point of points()) {
    pending.push(...layout.bind(point));
    count++;
    if (pending.length === layout.rowsPerStatement * 6) {
      statement.run(...pending);
      pending = [];
    }
    if (++inTransaction === TRANSACTION_POINTS) {
      db.exec("COMMIT; BEGIN");
      inTransaction = 0;
    }
  }
  db.exec("COMMIT");
  finish(layout.name, db, file, count, performance.now() - started);
}

function measureChunks(chunkPoints: number): void {
  const name = `column chunks of ${chunkPoints} points as blobs`;
  const { db, file } = open(name);
  db.exec("CREATE TABLE c (id INTEGER PRIMARY KEY, run INTEGER, key INTEGER, first INTEGER, data BLOB)");
  const statement = db.prepare("INSERT INTO c (run, key, first, data) VALUES (?, ?, ?, ?)");
  const series = new Map<number, Point[]>();
  for (const point of points()) {
    const id = point.run * KEYS + point.key;
    const list = series.get(id);
    if (list === undefined) series.set(id, [point]);
    else list.push(point);
  }
  const started = performance.now();
  let count = 0;
  for (const list of series.values()) {
    db.exec("BEGIN");
    for (let start = 0; start < list.length; start += chunkPoints) {
      const part = list.slice(start, start + chunkPoints);
      const { data } = encodeChunk({
        count: part.length,
        steps: Float64Array.from(part, ({ step }) => step),
        timestampsMs: Float64Array.from(part, ({ time }) => time),
        values: Float64Array.from(part, ({ value }) => value),
      });
      statement.run(part[0]!.run, part[0]!.key, part[0]!.step, data);
      count += part.length;
    }
    db.exec("COMMIT");
  }
  finish(name, db, file, count, performance.now() - started);
}

try {
  for (const layout of layouts) measureRows(layout);
  measureChunks(1_024);
} finally {
  rmSync(directory, { recursive: true });
}
