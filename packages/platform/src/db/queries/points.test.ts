import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NewPoint } from "../../domain/batch.ts";
import { comparePoints, type Point } from "../../domain/series.ts";
import { openSqlite, type SqliteDatabase } from "../dialects/sqlite/index.ts";
import { createSealer } from "../sealing.ts";
import { readPoints } from "./history.ts";
import { findKey, keyCache } from "./keys.ts";
import { addPoints } from "./points.ts";

let directory: string;
let db: SqliteDatabase;
let runs = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "millrace-points-"));
  db = await openSqlite({ path: join(directory, "m.db") });
});
afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

async function newRun(): Promise<{
  id: number;
  run_id: string;
  experiment: number;
  deleted: number;
  last_activity_time: number;
}> {
  const run_id = `r${++runs}`;
  const row = await db.write((tx) =>
    tx.get<{ id: number }>(
      "INSERT INTO runs (run_id, experiment, name, user_id, status, start_time, deleted, artifact_uri, last_activity_time) VALUES (?, 0, 'n', '', 3, 0, 0, '', 0) RETURNING id",
      [run_id],
    ),
  );
  return { id: row!.id, run_id, experiment: 0, deleted: 0, last_activity_time: 0 };
}

const point = fc.record({
  step: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(9223372036854775807n, -(2n ** 60n))),
  timestamp: fc.integer({ min: 0, max: 4 }),
  value: fc.oneof(
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom(Number.NaN, 0.1, Number.POSITIVE_INFINITY),
  ),
});
type Action = {
  readonly seal: boolean;
  readonly points: readonly { step: number | bigint; timestamp: number; value: number }[];
};
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.record({ seal: fc.boolean(), points: fc.array(point, { minLength: 1, maxLength: 80 }) }),
  { minLength: 1, maxLength: 6 },
);

const stored = (value: number): number => (value === Number.POSITIVE_INFINITY ? Number.MAX_VALUE : value);
const name = ({ step, time, value }: Point): string => `${step}/${time}/${value}`;

test("whatever is logged, sealed or not, twice or not, is there once and in order, and summaries agree", async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (batches) => {
      const run = await newRun();
      const cache = keyCache(db);
      const sealer = createSealer(db, (error) => {
        throw error;
      });
      const expected = new Map<string, Point>();
      for (const { seal, points } of batches) {
        const metrics: NewPoint[] = points.map((p) => ({ key: "m", ...p }));
        await db.write((tx) => addPoints(tx, cache, run, metrics));
        for (const { step, timestamp, value } of points) {
          const p = { step, time: timestamp, value: stored(value) };
          expected.set(name(p), p);
        }
        if (seal) {
          sealer.ended(run.id);
          await new Promise((resolve) => setTimeout(resolve, 2));
          await sealer.settled();
        }
      }
      const key = (await db.read((reader) => findKey(reader, cache, "m")))!;
      const read = await db.read((reader) => readPoints(reader, run.id, key, "step"));
      const names: string[] = [];
      for (let i = 0; i < read.count; i++) {
        names.push(name({ step: read.steps[i]!, time: read.timestampsMs[i]!, value: read.values[i]! }));
      }
      expect(names.toSorted()).toEqual([...expected.keys()].toSorted());

      const row = await db.read((reader) =>
        reader.get<Record<string, number | bigint | null>>("SELECT * FROM series WHERE run = ? AND key = ?", [
          run.id,
          key,
        ]),
      );
      const all = [...expected.values()];
      const finite = all.map(({ value }) => value).filter((value) => !Number.isNaN(value));
      const latest = all.reduce((a, b) => (comparePoints(b, a) > 0 ? b : a));
      expect(Number(row!["hot"]) + Number(row!["sealed"])).toBe(expected.size);
      expect(
        comparePoints(
          {
            step: row!["latest_step"]!,
            time: Number(row!["latest_time"]),
            value: Number(row!["latest_value"]),
          },
          latest,
        ),
      ).toBe(0);
      expect(row!["min_value"]).toBe(finite.length === 0 ? null : Math.min(...finite));
      expect(row!["max_value"]).toBe(finite.length === 0 ? null : Math.max(...finite));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("a long series is sealed into chunks and reads back the same", async () => {
  const run = await newRun();
  const cache = keyCache(db);
  const sealer = createSealer(db, (error) => {
    throw error;
  });
  for (let start = 0; start < 9_500; start += 500) {
    const metrics = Array.from({ length: 500 }, (_, i) => ({
      key: "loss",
      step: start + i,
      timestamp: 1000 + start + i,
      value: 1 / (start + i + 1),
    }));
    sealer.grown(await db.write((tx) => addPoints(tx, cache, run, metrics)));
  }
  await sealer.settled();
  const key = (await db.read((reader) => findKey(reader, cache, "loss")))!;
  const { hot, sealed } = (await db.read((reader) =>
    reader.get<{ hot: number; sealed: number }>("SELECT hot, sealed FROM series WHERE run = ? AND key = ?", [
      run.id,
      key,
    ]),
  ))!;
  expect({ hot, sealed }).toEqual({ hot: 500, sealed: 9_000 });
  const read = await db.read((reader) => readPoints(reader, run.id, key, "timestamp"));
  expect(read.count).toBe(9_500);
  expect(read.values[7777]).toBe(1 / 7778);
  // Logged once more: sealed points are recognised, nothing is added.
  await db.write((tx) =>
    addPoints(
      tx,
      cache,
      run,
      Array.from({ length: 500 }, (_, i) => ({
        key: "loss",
        step: 2000 + i,
        timestamp: 3000 + i,
        value: 1 / (2001 + i),
      })),
    ),
  );
  const again = await db.read((reader) =>
    readPoints(reader, run.id, key, "step", { start: 1990, end: 2600 }),
  );
  expect(again.count).toBe(611);
});

test("a run that falls silent is sealed although it has not ended", async () => {
  const run = await newRun();
  const cache = keyCache(db);
  let now = 0;
  const sealer = createSealer(
    db,
    (error) => {
      throw error;
    },
    () => now,
  );
  const metrics = Array.from({ length: 900 }, (_, step) => ({
    key: "loss",
    step,
    timestamp: step,
    value: step / 7,
  }));
  sealer.grown(await db.write((tx) => addPoints(tx, cache, run, metrics)));
  const hot = async (): Promise<number> =>
    (await db.read((reader) =>
      reader.get<{ hot: number }>("SELECT hot FROM series WHERE run = ?", [run.id]),
    ))!.hot;
  now = 5_000;
  sealer.sweep();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await sealer.settled();
  expect(await hot()).toBe(900);
  now = 20_000;
  sealer.sweep();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await sealer.settled();
  expect(await hot()).toBe(0);
});
