/**
 * When to checkpoint. Small logs are left alone; larger ones are copied by a worker beside the writers. The log
 * starts again at its head only when all of it was copied, which never happens under steady writing: past a second
 * mark the writer waits for one short round, so that the log cannot grow without bound.
 */
import { statSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** A larger log is copied less often, and pages that were written many times are copied once. */
const CHECKPOINT_AT_BYTES = 32 * 1024 * 1024;
const WAIT_AT_BYTES = 128 * 1024 * 1024;
/** `stat` on each commit would cost as much as a statement. */
const COMMITS_BETWEEN_LOOKS = 64;

export class Checkpoints {
  readonly #path: string;
  #worker: Worker | undefined;
  #running: Promise<boolean> | undefined;
  #commits = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes in the write-ahead log. */
  logBytes(): number {
    try {
      return statSync(`${this.#path}-wal`).size;
    } catch {
      return 0;
    }
  }

  /** Called after each commit; a promise asks the writer to wait for it. */
  afterCommit(): Promise<void> | undefined {
    if (++this.#commits % COMMITS_BETWEEN_LOOKS !== 0) return undefined;
    const bytes = this.logBytes();
    if (bytes < CHECKPOINT_AT_BYTES) return undefined;
    if (bytes < WAIT_AT_BYTES) {
      void this.run();
      return undefined;
    }
    return this.#catchUp();
  }

  /** Runs one passive checkpoint; true when the whole log was copied. */
  run(): Promise<boolean> {
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #catchUp(): Promise<void> {
    await this.run();
    await this.run();
  }

  #ask(): Promise<boolean> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve) => {
      const done = (complete: unknown): void => {
        worker.off("message", done);
        worker.off("exit", done);
        resolve(complete === true);
      };
      worker.on("message", done);
      worker.on("exit", done);
      worker.postMessage("checkpoint");
    });
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./checkpoint-worker.${extension}`, import.meta.url), {
      workerData: { path: this.#path },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    worker.unref();
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      this.#worker = undefined;
    });
    return worker;
  }

  async close(): Promise<void> {
    await this.#running;
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage("close");
    await ended;
  }
}
