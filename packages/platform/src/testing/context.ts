/** What use-cases receive, over a real database in a folder of its own, with a clock that the test moves. */
import { randomFillSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@millrace/contract";
import { openArtifactStore } from "../artifacts/index.ts";
import type { Context, Log, Settings } from "../context.ts";
import { createActivity } from "../db/activity.ts";
import { openSqlite, type SqliteDatabase } from "../db/dialects/sqlite/index.ts";
import { insertExperiment } from "../db/queries/experiments.ts";
import { loadTokenKey } from "../db/queries/meta.ts";
import { createSealer } from "../db/sealing.ts";

/** A line that was logged. */
export interface LogLine {
  readonly level: keyof Log;
  readonly facts: object;
  readonly message: string;
}

export interface TestContext extends Context {
  readonly db: SqliteDatabase;
  /** The folder with database and artifacts. */
  readonly folder: string;
  readonly lines: readonly LogLine[];
  /** Moves the clock, which stands still otherwise. */
  advance(ms: number): void;
  /** Closes everything and removes the folder, or keeps it to be opened again. */
  close(options?: { readonly keepFolder?: boolean }): Promise<void>;
}

export interface TestContextOptions {
  readonly settings?: Partial<Omit<Settings, "webhooks">>;
  readonly webhooks?: Partial<Settings["webhooks"]>;
  /** An existing folder, as another context left it. */
  readonly folder?: string;
  /** Milliseconds since 1970 at which the clock stands. */
  readonly now?: number;
  /** Instead of the clock that stands still. */
  readonly clock?: () => number;
}

const START_MS = 1_800_000_000_000;

/** A context with the default experiment 0. */
export async function openTestContext(options: TestContextOptions = {}): Promise<TestContext> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "millrace-test-")));
  const db = await openSqlite({ path: join(folder, "millrace.db") });
  const artifactsFolder = join(folder, "artifacts");
  const artifacts = await openArtifactStore(artifactsFolder);
  const random = (bytes: Uint8Array): void => void randomFillSync(bytes);
  const lines: LogLine[] = [];
  const line =
    (level: keyof Log) =>
    (facts: object, message: string): void =>
      void lines.push({ level, facts, message });
  let now = options.now ?? START_MS;
  const context: TestContext = {
    db,
    folder,
    lines,
    artifacts,
    openArtifacts: openArtifactStore,
    clock: options.clock ?? (() => now),
    random,
    log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    limits,
    sealer: createSealer(db, (error) => {
      throw error;
    }),
    activity: createActivity(db, options.clock ?? (() => now)),
    tokenKey: await loadTokenKey(db, random),
    settings: {
      defaultArtifactRoot: "mlflow-artifacts:/",
      artifactsDestination: artifactsFolder,
      serveArtifacts: true,
      truncateLongValues: true,
      modelVersionSourcePattern: undefined,
      artifactHosts: { trustedUris: ["mlflow-artifacts:/", artifactsFolder], allowedSchemes: [] },
      workingDirectory: folder,
      ...options.settings,
      webhooks: {
        allowedSchemes: ["https"],
        allowPrivateAddresses: false,
        requestTimeoutMs: 5_000,
        requestRetriesMax: 3,
        secretEncryptionKey: undefined,
        ...options.webhooks,
      },
    },
    advance(ms) {
      now += ms;
    },
    async close({ keepFolder = false } = {}) {
      await context.sealer.stop();
      await db.close();
      await artifacts.close();
      if (!keepFolder) await rm(folder, { recursive: true, force: true });
    },
  };
  const known = await db.read((reader) => reader.get("SELECT 1 AS one FROM experiments LIMIT 1"));
  if (known === undefined) {
    await db.write((tx) => insertExperiment(tx, "Default", () => "mlflow-artifacts:/0", now, 0));
  }
  return context;
}
