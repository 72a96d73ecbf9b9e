/**
 * Ends the server with SIGKILL at random moments while writers are busy, starts it again on the same files, and holds
 * what is there against what was acknowledged: all of that must be there, and nothing twice.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningServer, startServer } from "../server.ts";

const BATCH_POINTS = 20;

export interface KillLoopResult {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Acknowledged, but not there afterwards. */
  readonly lost: string[];
  /** There more than once, or there in part. */
  readonly wrong: string[];
  readonly integrity: string[];
  /** From spawn to the first answer of /health after a kill, in milliseconds. */
  readonly readyMs: number[];
}

interface Writer {
  readonly runId: string;
  /** Next number to send; everything below `acknowledged` was answered with 200. */
  sent: number;
  acknowledged: number;
}

async function post(url: string, route: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/2.0/mlflow/${route}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${route}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** One numbered write; its kind follows from the number, so that the check knows what to expect. */
async function write(url: string, { runId }: Writer, n: number): Promise<void> {
  const timestamp = 1_700_000_000_000 + n;
  switch (n % 4) {
    case 0:
      await post(url, "runs/log-metric", { run_id: runId, key: "single", value: n / 7, timestamp, step: n });
      return;
    case 1: {
      const metrics = Array.from({ length: BATCH_POINTS }, (_, i) => ({
        key: "batch",
        value: n + i / 100,
        timestamp,
        step: n * BATCH_POINTS + i,
      }));
      await post(url, "runs/log-batch", {
        run_id: runId,
        metrics,
        tags: [{ key: `t${n}`, value: String(n) }],
      });
      return;
    }
    case 2:
      await post(url, "runs/log-parameter", { run_id: runId, key: `p${n}`, value: String(n) });
      return;
    default:
      await post(url, "runs/create", { experiment_id: "0", run_name: `${runId}-${n}`, start_time: n });
  }
}

async function writeUntilKilled(url: string, writer: Writer): Promise<void> {
  try {
    for (;;) {
      const n = writer.sent++;
      await write(url, writer, n);
      writer.acknowledged = n + 1;
    }
  } catch {
    // The connection broke: the write may be there or not.
  }
}

async function get(url: string, route: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/2.0/mlflow/${route}`);
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

async function steps(url: string, runId: string, key: string): Promise<number[]> {
  const { metrics = [] } = (await get(url, `metrics/get-history?run_id=${runId}&metric_key=${key}`)) as {
    metrics?: { step: number }[];
  };
  return metrics.map(({ step }) => step);
}

/** Compares what one writer was told with what is there, from number `from` on. */
async function check(
  url: string,
  writer: Writer,
  from: number,
  result: KillLoopResult,
  database: string,
): Promise<void> {
  const { runId, acknowledged, sent } = writer;
  const single = await steps(url, runId, "single");
  const batch = await steps(url, runId, "batch");
  const { run } = (await get(url, `runs/get?run_id=${runId}`)) as {
    run: { data: { params?: { key: string }[]; tags?: { key: string }[] } };
  };
  const params = new Set(run.data.params?.map(({ key }) => key));
  const tags = new Set(run.data.tags?.map(({ key }) => key));
  if (new Set(single).size !== single.length) result.wrong.push(`${runId}: a point is there twice`);
  if (new Set(batch).size !== batch.length) result.wrong.push(`${runId}: a point of a batch is there twice`);
  const singles = new Set(single);
  const batches = new Set(batch);
  const db = new DatabaseSync(database, { readOnly: true });
  const created = db.prepare("SELECT count(*) AS n FROM runs WHERE name = ?");
  for (let n = from; n < sent; n++) {
    const mustBeThere = n < acknowledged;
    let there: number;
    if (n % 4 === 0) there = Number(singles.has(n));
    else if (n % 4 === 1) {
      const points = Array.from({ length: BATCH_POINTS }, (_, i) => batches.has(n * BATCH_POINTS + i)).filter(
        Boolean,
      ).length;
      there = points === BATCH_POINTS && tags.has(`t${n}`) ? 1 : 0;
      if (points > 0 && there === 0) result.wrong.push(`${runId}: half of batch ${n} is there`);
    } else if (n % 4 === 2) there = Number(params.has(`p${n}`));
    else {
      there = Number(created.get(`${runId}-${n}`)!["n"]);
      if (there > 1) result.wrong.push(`${runId}: run ${n} was created ${there} times`);
    }
    if (mustBeThere && there === 0) result.lost.push(`${runId}: write ${n}`);
  }
  db.close();
  writer.sent = sent;
}

/** Runs the loop; `onRound` is told after each round. */
export async function killLoop(
  rounds: number,
  writerCount: number,
  onRound: (round: number) => void = () => undefined,
): Promise<KillLoopResult> {
  const directory = await mkdtemp(path.join(tmpdir(), "millrace-kills-"));
  const database = path.join(directory, "store.db");
  const result = {
    rounds,
    acknowledged: 0,
    lost: [] as string[],
    wrong: [] as string[],
    integrity: [] as string[],
    readyMs: [] as number[],
  };
  let server: RunningServer = await startServer({ directory });
  try {
    const writers: Writer[] = [];
    for (let i = 0; i < writerCount; i++) {
      const { run } = (await post(server.url, "runs/create", {
        experiment_id: "0",
        run_name: `writer-${i}`,
      })) as {
        run: { info: { run_id: string } };
      };
      writers.push({ runId: run.info.run_id, sent: 0, acknowledged: 0 });
    }
    for (let round = 0; round < rounds; round++) {
      const starts = writers.map(({ sent }) => sent);
      const running = Promise.all(writers.map((writer) => writeUntilKilled(server.url, writer)));
      await delay(30 + Math.random() * 500);
      await server.stop("SIGKILL");
      await running;
      const started = performance.now();
      server = await startServer({ directory });
      result.readyMs.push(performance.now() - started);
      for (const [index, writer] of writers.entries()) {
        result.acknowledged += writer.acknowledged - starts[index]!;
        await check(server.url, writer, starts[index]!, result, database);
        // Numbers that were sent but not acknowledged are not used again.
        writer.acknowledged = writer.sent;
      }
      const db = new DatabaseSync(database, { readOnly: true });
      const verdict = String(Object.values(db.prepare("PRAGMA integrity_check").get()!)[0]);
      db.close();
      if (verdict !== "ok") result.integrity.push(`round ${round}: ${verdict}`);
      onRound(round);
    }
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return result;
}

/** Whether a small file system of its own can be mounted here. */
export function canMount(): boolean {
  try {
    execFileSync(
      "sh",
      ["-c", "d=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs $d && umount $d && rmdir $d"],
      { stdio: "ignore" },
    );
    return true;
  } catch {
    return false;
  }
}
