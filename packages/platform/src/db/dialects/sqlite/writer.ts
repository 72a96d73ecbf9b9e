/**
 * Group commit without a timer: what is queued when the writer becomes free goes into one transaction, and
 * nobody is answered before it is durable. An fsync is the price of a commit, so sharing it is what makes many
 * small writes fast; with one writer at a time the group is a single request and costs no waiting.
 */
import { PlatformError } from "@millrace/contract";
import type { Awaitable, SqlValue, Transaction } from "../../database.ts";
import type { Connection } from "./connection.ts";
import { endsTransaction } from "./errors.ts";

/** After this much work a group commits, so that the first in it does not wait for a long tail. */
const GROUP_DURATION_MAX_MS = 5;
const GROUP_JOBS_MAX = 512;

interface Job {
  readonly work: (tx: Transaction) => Awaitable<unknown>;
  readonly weight: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = {
  readonly job: Job;
  readonly value?: unknown;
  readonly error?: unknown;
  readonly failed: boolean;
};

export class Writer {
  readonly #connection: Connection;
  readonly #queuedRowsMax: number;
  readonly #afterCommit: () => Promise<void> | undefined;
  readonly #queue: Job[] = [];
  readonly #background: Job[] = [];
  #queuedRows = 0;
  #running = false;
  #idle: (() => void)[] = [];

  constructor(connection: Connection, queuedRowsMax: number, afterCommit: () => Promise<void> | undefined) {
    this.#connection = connection;
    this.#queuedRowsMax = queuedRowsMax;
    this.#afterCommit = afterCommit;
  }

  write<T>(work: (tx: Transaction) => Awaitable<T>, weight: number): Promise<T> {
    if (this.#queuedRows + weight > this.#queuedRowsMax && this.#queuedRows > 0) {
      return Promise.reject(
        new PlatformError(
          "RESOURCE_EXHAUSTED",
          `The server has ${this.#queuedRows} rows waiting to be written, which is its limit. Nothing of this request was written; try again in a second.`,
          { queuedRows: this.#queuedRows, retryAfterSeconds: 1 },
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#queuedRows += weight;
      this.#queue.push({ work, weight, resolve: resolve as Job["resolve"], reject });
      this.#wake();
    });
  }

  background<T>(work: (tx: Transaction) => Awaitable<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#background.push({ work, weight: 0, resolve: resolve as Job["resolve"], reject });
      this.#wake();
    });
  }

  /** Resolves when nothing is queued or running. */
  drained(): Promise<void> {
    if (!this.#running && this.#queue.length === 0 && this.#background.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  get queuedRows(): number {
    return this.#queuedRows;
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    // After the event loop has read what all connections have sent, so that they share a commit.
    setImmediate(() => void this.#runGroup());
  }

  async #runGroup(): Promise<void> {
    for (const { job, value, error, failed } of await this.#transaction()) {
      if (failed) job.reject(error);
      else job.resolve(value);
    }
    const pause = this.#afterCommit();
    if (pause !== undefined) await pause;
    if (this.#queue.length > 0 || this.#background.length > 0) {
      setImmediate(() => void this.#runGroup());
      return;
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Runs what waits in one transaction; also one background job, so that sealing keeps up with a flood. */
  async #transaction(): Promise<Outcome[]> {
    const connection = this.#connection;
    // What arrives while the group runs belongs to the next one.
    const waiting = this.#queue.slice(0, GROUP_JOBS_MAX);
    const background = this.#background.shift();
    const alone = waiting.length + (background === undefined ? 0 : 1) === 1;
    const outcomes: Outcome[] = [];
    const committed: (() => void)[] = [];
    const started = performance.now();
    try {
      connection.exec("BEGIN IMMEDIATE");
      for (const job of waiting) {
        if (outcomes.length > 0 && performance.now() - started > GROUP_DURATION_MAX_MS) break;
        outcomes.push(await this.#attempt(job, alone, committed));
      }
      const taken = outcomes.length;
      if (background !== undefined) outcomes.push(await this.#attempt(background, alone, committed));
      if (alone && outcomes[0]!.failed) connection.exec("ROLLBACK");
      else connection.exec("COMMIT");
      for (const action of committed) action();
      this.#forget(taken);
      return outcomes;
    } catch (error) {
      // The disk is full or gone: nobody's work was kept, whoever had failed before keeps the own reason.
      if (connection.raw.isTransaction) connection.raw.exec("ROLLBACK");
      const started = outcomes.filter(({ job }) => job !== background).length;
      const taken = Math.min(waiting.length, Math.max(started, 1));
      const failed = [...waiting.slice(0, taken), ...(background === undefined ? [] : [background])].map(
        (job): Outcome =>
          outcomes.find((outcome) => outcome.job === job && outcome.failed) ?? { job, error, failed: true },
      );
      this.#forget(taken);
      return failed;
    }
  }

  #forget(count: number): void {
    for (const job of this.#queue.splice(0, count)) this.#queuedRows -= job.weight;
  }

  async #attempt(job: Job, alone: boolean, committed: (() => void)[]): Promise<Outcome> {
    const connection = this.#connection;
    const tx = new OpenTransaction(connection);
    if (!alone) connection.prepare("SAVEPOINT request").run();
    try {
      const value = await job.work(tx);
      if (!alone) connection.prepare("RELEASE request").run();
      committed.push(...tx.commitActions);
      return { job, value, failed: false };
    } catch (error) {
      if (endsTransaction(error)) throw error;
      if (!alone) {
        connection.prepare("ROLLBACK TO request").run();
        connection.prepare("RELEASE request").run();
      }
      return { job, error, failed: true };
    } finally {
      tx.close();
    }
  }
}

/** Refuses statements after its work has ended: a forgotten `await` must not write into another request. */
class OpenTransaction implements Transaction {
  readonly commitActions: (() => void)[] = [];
  #connection: Connection | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  all<Row>(sql: string, parameters?: readonly SqlValue[]): Row[] {
    return this.#open().all(sql, parameters);
  }
  get<Row>(sql: string, parameters?: readonly SqlValue[]): Row | undefined {
    return this.#open().get(sql, parameters);
  }
  rows(sql: string, parameters?: readonly SqlValue[]): SqlValue[][] {
    return this.#open().rows(sql, parameters);
  }
  run(sql: string, parameters?: readonly SqlValue[]): number {
    return this.#open().run(sql, parameters);
  }
  onCommit(action: () => void): void {
    this.commitActions.push(action);
  }
  close(): void {
    this.#connection = undefined;
  }
  #open(): Connection {
    if (this.#connection === undefined)
      throw new Error("A statement was sent after its transaction had ended.");
    return this.#connection;
  }
}
