/**
 * Sealing: moving recent points from rows into compressed chunks, in the background. A row costs 30 bytes, a point in
 * a chunk about 8. One step seals a few thousand points in one transaction and holds the writer for a few milliseconds.
 */
import { encodeChunk } from "./chunks/codec.ts";
import { slicePoints, sortPoints } from "./chunks/points.ts";
import type { Database, Transaction } from "./database.ts";
import { pointsOf } from "./queries/history.ts";
import type { GrownSeries } from "./queries/points.ts";

/** Points per chunk; a series is sealed when it has so many unsealed ones. */
export const CHUNK_POINTS = 1_000;
/** A run that ended is sealed down to this many points per series: smaller ones cost more as a chunk. */
export const SMALL_SERIES_POINTS = 48;
/** A run that is silent for so long is sealed down to series of some size, whether it has ended or not. */
const IDLE_MS = 10_000;
const IDLE_SERIES_POINTS = 256;
/** Rows handled in one transaction, so that writers wait for a few milliseconds only. */
const POINTS_PER_STEP = 4 * CHUNK_POINTS;
const SCAN_PAGE = 2_000;

export interface Sealer {
  /** Tells of series that grew; those that are large enough will be sealed. */
  grown(series: readonly GrownSeries[]): void;
  /** A run ended: seal what is left of its series. */
  ended(run: number): void;
  /** Seals what runs left that have been silent for a while; called from time to time. */
  sweep(): void;
  /** Looks through the whole database once, for what an earlier process left. */
  scan(): Promise<void>;
  /** Resolves when nothing is left to seal. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export function createSealer(
  db: Database,
  onError: (error: unknown) => void,
  clock: () => number = Date.now,
): Sealer {
  const waiting = new Map<string, { run: number; key: number; rest: boolean }>();
  /** When runs with unsealed points of some number were last heard. */
  const heard = new Map<number, number>();
  let working: Promise<void> | undefined;
  let stopped = false;

  /** One transaction: as many series as make up a step. */
  const step = (): Promise<void> =>
    db.background(async (tx) => {
      const again: [string, { run: number; key: number; rest: boolean }][] = [];
      let points = 0;
      for (const [name, series] of waiting) {
        if (points >= POINTS_PER_STEP) break;
        waiting.delete(name);
        const { sealed, more } = await sealStep(tx, series.run, series.key, series.rest);
        points += sealed;
        if (more) again.push([name, series]);
      }
      for (const [name, series] of again) if (!waiting.has(name)) waiting.set(name, series);
    });
  const work = async (): Promise<void> => {
    try {
      while (waiting.size > 0 && !stopped) await step();
    } catch (error) {
      onError(error);
    }
  };
  const wake = (): void => {
    if (stopped || waiting.size === 0) return;
    working ??= work().finally(() => {
      working = undefined;
    });
  };
  const add = (run: number, key: number, rest: boolean): void => {
    const name = `${run}/${key}`;
    const known = waiting.get(name);
    if (known === undefined || (rest && !known.rest)) waiting.set(name, { run, key, rest });
  };

  const sealRest = (run: number, pointsMin: number): void =>
    void db
      .read((reader) =>
        reader.all<{ key: number }>("SELECT key FROM series WHERE run = ? AND hot >= ?", [run, pointsMin]),
      )
      .then((rows) => {
        for (const { key } of rows) add(run, key, true);
        wake();
      }, onError);

  const sealer: Sealer = {
    grown(series) {
      for (const { run, key, hot } of series) {
        if (hot >= IDLE_SERIES_POINTS) heard.set(run, clock());
        if (hot >= CHUNK_POINTS) add(run, key, false);
      }
      wake();
    },
    ended(run) {
      heard.delete(run);
      sealRest(run, SMALL_SERIES_POINTS);
    },
    sweep() {
      const silentSince = clock() - IDLE_MS;
      for (const [run, time] of heard) {
        if (time > silentSince) continue;
        heard.delete(run);
        sealRest(run, IDLE_SERIES_POINTS);
      }
    },
    async scan() {
      let after = { run: -1, key: -1 };
      while (!stopped) {
        const rows = await db.read((reader) =>
          reader.all<{ run: number; key: number; hot: number; open: number }>(
            `SELECT s.run, s.key, s.hot, CASE WHEN r.status IN (1, 2) THEN 1 ELSE 0 END AS open
             FROM series s JOIN runs r ON r.id = s.run
             WHERE (s.run, s.key) > (?, ?) ORDER BY s.run, s.key LIMIT ${SCAN_PAGE}`,
            [after.run, after.key],
          ),
        );
        for (const { run, key, hot, open } of rows) {
          if (hot >= CHUNK_POINTS) add(run, key, open === 0);
          else if (hot >= SMALL_SERIES_POINTS && open === 0) add(run, key, true);
        }
        wake();
        const last = rows.at(-1);
        if (last === undefined || rows.length < SCAN_PAGE) return;
        after = last;
        await new Promise((resolve) => setTimeout(resolve, 5).unref());
      }
    },
    async settled() {
      while (working !== undefined) await working;
    },
    async stop() {
      stopped = true;
      await working;
    },
  };
  return sealer;
}

/** Seals up to a few chunks of one series. */
async function sealStep(
  tx: Transaction,
  run: number,
  key: number,
  rest: boolean,
): Promise<{ sealed: number; more: boolean }> {
  const rows = await tx.rows(
    `SELECT step, time, value, nan FROM points WHERE run = ? AND key = ? ORDER BY step, time, nan, value LIMIT ${POINTS_PER_STEP}`,
    [run, key],
  );
  const full = rows.length - (rows.length % CHUNK_POINTS);
  const count = rest && rows.length < POINTS_PER_STEP ? rows.length : full;
  if (count === 0 || (rest && count < SMALL_SERIES_POINTS)) return { sealed: 0, more: false };
  const sealedRows = rows.slice(0, count);
  const points = pointsOf(sealedRows);
  for (let start = 0; start < count; start += CHUNK_POINTS) {
    const part = sortPoints(slicePoints(points, start, Math.min(start + CHUNK_POINTS, count)), "step");
    const { data, summary } = encodeChunk(part);
    await tx.run(
      "INSERT INTO chunks (run, key, points, first_step, last_step, first_time, last_time, min_value, max_value, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [
        run,
        key,
        part.count,
        summary.minStep,
        summary.maxStep,
        summary.minTimestampMs,
        summary.maxTimestampMs,
        summary.min ?? null,
        summary.max ?? null,
        data,
      ],
    );
  }
  const [step, time, value, nan] = sealedRows[count - 1]!;
  const deleted = await tx.run(
    "DELETE FROM points WHERE run = ? AND key = ? AND (step, time, nan, value) <= (?, ?, ?, ?)",
    [run, key, step!, time!, nan!, value!],
  );
  if (deleted !== count)
    throw new Error(`Sealing series ${run}/${key} would lose points: ${count} sealed, ${deleted} deleted.`);
  await tx.run(
    `UPDATE series SET hot = hot - ?, sealed = sealed + ?,
       sealed_time = CASE WHEN sealed_step IS NULL OR ? > sealed_step OR (? = sealed_step AND ? > sealed_time) THEN ? ELSE sealed_time END,
       sealed_step = CASE WHEN sealed_step IS NULL OR ? > sealed_step THEN ? ELSE sealed_step END
     WHERE run = ? AND key = ?`,
    [count, count, step!, step!, time!, time!, step!, step!, run, key],
  );
  return { sealed: count, more: rows.length === POINTS_PER_STEP };
}
