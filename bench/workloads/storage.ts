import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { uniformStream } from "../data/random.ts";
import { Api, problemUnlessEmptyObject } from "../load/api.ts";
import { drive } from "../load/drive.ts";
import { apiPost } from "../load/requests.ts";
import { settle } from "../measure/process-tree.ts";
import type { Measurements, Session, Workload } from "../session.ts";
import { historyLength } from "./history.ts";
import { sizeNote } from "./summary.ts";

const keys = 10;
const stepsPerRun = 1000;
const stepsPerBatch = 100;
const stepMs = 1000;
const jitterMs = 200;

/** One run's points as log-batch requests: each step a second after the last one, give or take the jitter. */
function* batchesOf(runId: string, seed: number, round: (value: number) => number): Generator<Buffer> {
  const random = uniformStream(seed);
  const start = 1_700_000_000_000 + seed * stepsPerRun * stepMs;
  for (let from = 0; from < stepsPerRun; from += stepsPerBatch) {
    const metrics = [];
    for (let step = from; step < from + stepsPerBatch; step++) {
      const timestamp = start + step * stepMs + Math.floor((random() * 2 - 1) * jitterMs);
      for (let key = 0; key < keys; key++)
        metrics.push({ key: `metric_${String(key)}`, value: round(random()), timestamp, step });
    }
    yield apiPost("runs/log-batch", { run_id: runId, metrics });
  }
}

async function measure(
  session: Session,
  name: string,
  round: (value: number) => number,
): Promise<Measurements> {
  const runs = session.sizes.storageRuns;
  const server = await session.startFresh(name);
  try {
    const api = new Api(server.port);
    const experimentId = await api.createExperiment(name);
    const sources: Generator<Buffer>[] = [];
    const runIds: string[] = [];
    for (let run = 0; run < runs; run++) {
      const runId = await api.createRun(experimentId);
      runIds.push(runId);
      sources.push(batchesOf(runId, run, round));
    }
    const current: (Generator<Buffer> | undefined)[] = [];
    const result = await drive({
      port: server.port,
      connections: 4,
      next: (connection) => {
        for (;;) {
          const batch = current[connection]?.next();
          if (batch !== undefined && batch.done !== true) return batch.value;
          current[connection] = sources.shift();
          if (current[connection] === undefined) return undefined;
        }
      },
      check: problemUnlessEmptyObject,
    });
    if (result.errors > 0) throw new Error(`A batch failed: ${String(result.firstError)}`);
    await settle(server.pid, 60_000);
    for (const runId of [runIds[0], runIds.at(-1)]) {
      const stored = await historyLength(api, runId ?? "", `metric_${String(keys - 1)}`);
      if (stored !== stepsPerRun)
        throw new Error(`${String(stored)} of ${String(stepsPerRun)} points of a metric are stored.`);
    }
    api.close();
  } finally {
    await server.stop();
  }
  const bytes = compactedBytes(server.databaseFile);
  const points = runs * keys * stepsPerRun;
  const perMillion = bytes / 1e6 / (points / 1e6);
  return {
    [`${name}.size`]: {
      value: perMillion,
      detail: `${(bytes / 1e6).toFixed(2)} MB for ${String(points)} points (10^6 bytes)`,
      at: sizeNote(points, 1_000_000, "points"),
    },
  };
}

/** Size of database and WAL after a checkpoint and VACUUM, with the server stopped. */
function compactedBytes(file: string): number {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  const [row] = database.prepare("PRAGMA integrity_check").all();
  if (row?.["integrity_check"] !== "ok") throw new Error(`The database is damaged: ${JSON.stringify(row)}`);
  database.close();
  let bytes = 0;
  for (const suffix of ["", "-wal"]) bytes += statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

const oneSetUp = (session: Session): string | undefined =>
  session.target.name === "mlflow-default" ? "the database is that of one worker" : undefined;

export const storage: Workload = {
  name: "storage",
  figures: [
    {
      id: "storage.size",
      title: "file + WAL per million points, full mantissas, jittered times",
      unit: "MB",
      better: "lower",
      goals: [{ bound: "at most", value: 12 }],
    },
  ],
  unavailable: oneSetUp,
  run: (session) => measure(session, "storage", (value) => value),
};

export const storageRounded: Workload = {
  name: "storage-rounded",
  figures: [
    {
      id: "storage-rounded.size",
      title: "the same, values rounded to 4 decimals",
      unit: "MB",
      better: "lower",
      goals: [{ bound: "at most", value: 6 }],
    },
  ],
  unavailable: oneSetUp,
  run: (session) => measure(session, "storage-rounded", (value) => Math.round(value * 10_000) / 10_000),
};
