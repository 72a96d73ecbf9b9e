import { limits, PlatformError } from "@millrace/contract";
import { pause } from "../deadline.ts";
import type { Runs } from "../nouns/runs.ts";
import { deliver, type Refused } from "./deliver.ts";
import { batchLength, type BatchMetric, type BatchParam, type BatchTag, type Entry } from "./queue.ts";

export interface BatcherOptions {
  /** Longest time that an entry waits for company; 1,000 by default. */
  readonly flushIntervalMs?: number | undefined;
  /** Entries kept in memory, those under way included; 50,000 by default. */
  readonly pendingMax?: number | undefined;
  /**
   * What happens when that many are pending. `wait` (default): `add` settles once there is room, and fails when
   * its callers do not wait for it. `drop`: `add` discards what it was given and tells `onDropped`.
   */
  readonly whenFull?:
    | "wait"
    | { readonly drop: (runId: string, entries: readonly Entry[]) => void }
    | undefined;
  /** How long entries are kept while the server cannot be reached; 300,000 by default. */
  readonly giveUpAfterMs?: number | undefined;
  /** Told about entries that are lost. Without it the next `flush` or `close` throws. */
  readonly onLost?: ((lost: Refused) => void) | undefined;
}

export interface Entries {
  readonly metrics?: readonly BatchMetric[] | undefined;
  readonly params?: readonly BatchParam[] | undefined;
  readonly tags?: readonly BatchTag[] | undefined;
}

export interface Batcher extends AsyncDisposable {
  /** Takes entries for a run. Settles when they are accepted, not when they are stored. */
  add(runId: string, entries: Entries): Promise<void>;
  /** Settles when everything accepted so far is stored or lost. @throws what could not be stored */
  flush(): Promise<void>;
  /** Flushes; afterwards `add` is refused. */
  close(): Promise<void>;
  /** Entries in memory. */
  readonly pending: number;
}

const RUNS_AT_ONCE = 4;
/** Between two tries while a server cannot be reached; each try has repetitions of its own. */
const OUTAGE_PAUSE_MS_MAX = 10_000;

interface Lane {
  readonly runId: string;
  entries: Entry[];
  /** Ever taken in, and ever stored or lost. */
  acceptedCount: number;
  doneCount: number;
  /** The delivery under way, if any: one at a time keeps the order. */
  delivering: Promise<void> | undefined;
}

interface Waiter {
  readonly entries: readonly Entry[];
  readonly admit: () => void;
}

/** Groups metrics, params and tags by run, and sends them in as few requests as the limits allow. */
export function createBatcher(runs: Pick<Runs, "logBatch">, options: BatcherOptions = {}): Batcher {
  const {
    flushIntervalMs = 1_000,
    pendingMax = 50_000,
    whenFull = "wait",
    giveUpAfterMs = 300_000,
  } = options;
  const lanes = new Map<string, Lane>();
  const due: Lane[] = [];
  const waiters: Waiter[] = [];
  const lost: Refused[] = [];
  let pending = 0;
  let waiting = 0;
  let queuedCount = 0;
  let admittedCount = 0;
  let active = 0;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function accept(runId: string, entries: readonly Entry[]): void {
    const lane = lanes.get(runId) ?? {
      runId,
      entries: [],
      acceptedCount: 0,
      doneCount: 0,
      delivering: undefined,
    };
    lanes.set(runId, lane);
    for (const entry of entries) lane.entries.push(entry);
    lane.acceptedCount += entries.length;
    pending += entries.length;
    if (lane.entries.length >= limits.entitiesPerBatchMax || pending >= pendingMax) schedule(lane);
    else timer ??= setTimeout(scheduleAll, flushIntervalMs);
  }

  function scheduleAll(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const lane of lanes.values()) schedule(lane);
  }

  function schedule(lane: Lane): void {
    if (lane.delivering === undefined && lane.entries.length > 0 && !due.includes(lane)) due.push(lane);
    while (active < RUNS_AT_ONCE && due.length > 0) {
      const next = due.shift()!;
      active++;
      next.delivering = drain(next).finally(() => {
        active--;
        next.delivering = undefined;
        if (next.entries.length === 0) lanes.delete(next.runId);
        schedule(next);
      });
    }
  }

  /** Sends all that a lane holds, also what arrives meanwhile. */
  async function drain(lane: Lane): Promise<void> {
    let brokenSinceMs: number | undefined;
    for (let tries = 0; lane.entries.length > 0;) {
      const batch = lane.entries.slice(0, batchLength(lane.entries));
      let refused: readonly Refused[];
      try {
        refused = await deliver(runs, lane.runId, batch, {});
        brokenSinceMs = undefined;
        tries = 0;
      } catch (error) {
        brokenSinceMs ??= Date.now();
        if (Date.now() - brokenSinceMs < giveUpAfterMs) {
          await pause(Math.min(OUTAGE_PAUSE_MS_MAX, 500 * 2 ** tries++));
          continue;
        }
        refused = [{ runId: lane.runId, entries: batch, error }];
      }
      lane.entries.splice(0, batch.length);
      lane.doneCount += batch.length;
      release(batch.length);
      for (const one of refused) {
        if (options.onLost === undefined) lost.push(one);
        else options.onLost(one);
      }
    }
  }

  /** Room was made: let those in who wait, in their order. */
  function release(count: number): void {
    pending -= count;
    while (waiters.length > 0 && (pending === 0 || pending + waiters[0]!.entries.length <= pendingMax)) {
      const waiter = waiters.shift()!;
      waiting -= waiter.entries.length;
      waiter.admit();
    }
  }

  async function add(runId: string, given: Entries): Promise<void> {
    if (closed)
      throw new PlatformError("INVALID_STATE", "The batcher is closed; nothing can be logged through it.");
    const entries = entriesOf(given);
    if (entries.length === 0) return;
    const fits = pending === 0 || pending + entries.length <= pendingMax;
    if (fits && waiters.length === 0) {
      accept(runId, entries);
      return;
    }
    scheduleAll();
    if (whenFull !== "wait") {
      whenFull.drop(runId, entries);
      return;
    }
    if (waiting + entries.length > pendingMax) {
      throw new PlatformError(
        "RESOURCE_EXHAUSTED",
        `${pending + waiting} entries wait for the server. Await what logs them, or choose what to drop.`,
        { runId, pending, waiting },
      );
    }
    waiting += entries.length;
    queuedCount++;
    await new Promise<void>((resolve) => {
      waiters.push({
        entries,
        admit: () => {
          admittedCount++;
          accept(runId, entries);
          resolve();
        },
      });
    });
  }

  /** Something is delivered, or was found to be lost. */
  async function progress(): Promise<void> {
    scheduleAll();
    await Promise.race(
      [...lanes.values()].map((lane) => lane.delivering).filter((task) => task !== undefined),
    );
  }

  // What others add meanwhile is not waited for, so that a busy program can flush, too.
  async function flush(): Promise<void> {
    const queuedGoal = queuedCount;
    while (admittedCount < queuedGoal) await progress();
    const goals = [...lanes.values()].map((lane) => ({ lane, acceptedCount: lane.acceptedCount }));
    for (const { lane, acceptedCount } of goals) while (lane.doneCount < acceptedCount) await progress();
    if (lost.length > 0) throw lossOf(lost.splice(0));
  }

  const close = async (): Promise<void> => {
    closed = true;
    try {
      await flush();
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    add,
    flush,
    close,
    get pending() {
      return pending + waiting;
    },
    [Symbol.asyncDispose]: close,
  };
}

function entriesOf({ params = [], metrics = [], tags = [] }: Entries): Entry[] {
  return [
    ...params.map((param): Entry => ({ kind: "param", param })),
    ...metrics.map((metric): Entry => ({ kind: "metric", metric })),
    ...tags.map((tag): Entry => ({ kind: "tag", tag })),
  ];
}

function lossOf(lost: readonly Refused[]): PlatformError {
  const count = lost.reduce((sum, { entries }) => sum + entries.length, 0);
  const [first] = lost;
  const reason = first?.error instanceof Error ? first.error.message : String(first?.error);
  const code = first?.error instanceof PlatformError ? first.error.code : "DATA_LOSS";
  return new PlatformError(
    code,
    `${count} metrics, params or tags could not be logged. The first reason: ${reason}`,
    { lost },
    first?.error,
  );
}
