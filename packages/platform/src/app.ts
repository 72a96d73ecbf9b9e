/** The composition root: options in, the application out. The only file that knows all parts. */
import { randomFillSync } from "node:crypto";
import { resolve } from "node:path";
import { limits } from "@millrace/contract";
import { openArtifactStore } from "./artifacts/index.ts";
import type { ArtifactStore } from "./artifacts/store.ts";
import type { Context } from "./context.ts";
import { createActivity } from "./db/activity.ts";
import { openSqlite, type SqliteDatabase } from "./db/dialects/sqlite/index.ts";
import { insertExperiment } from "./db/queries/experiments.ts";
import { loadTokenKey } from "./db/queries/meta.ts";
import { createSealer } from "./db/sealing.ts";
import { appendToUri } from "./domain/artifact-uri.ts";
import {
  createFetch,
  createHandler,
  createLog,
  createMetrics,
  type Fetch,
  type Handler,
  type ServerLog,
} from "./http/index.ts";
import type { Options } from "./options.ts";
import { useCases } from "./usecases/index.ts";
import { expireLeases } from "./usecases/runs/leases.ts";
import { forgetOldChanges } from "./usecases/server/list-changes.ts";
import { startDeliveries } from "./usecases/webhooks/deliver.ts";

/** For commands that work on artifacts without a server. */
export { openArtifactStore };

const LEASE_SWEEP_MS = 1_000;
const SEAL_SWEEP_MS = 2_500;
const MARK_ACTIVITY_MS = 1_000;
const FORGET_CHANGES_MS = 10 * 60_000;
/** The look for what an earlier process left unsealed waits until the first requests are served. */
const SEAL_SCAN_DELAY_MS = 3_000;
/** Stores at other addresses that stay open. */
const OPEN_STORES_MAX = 32;

export interface App {
  readonly handle: Handler;
  /** The same as the global `fetch`, without a network: `createClient({ fetch: app.fetch })`. */
  readonly fetch: Fetch;
  readonly context: Context;
  readonly db: SqliteDatabase;
  readonly log: ServerLog;
  /** Ends background work, then closes database and stores. */
  close(): Promise<void>;
}

/** Opens database and artifact store and builds the application; it does not listen yet. */
export async function createApp(options: Options, log: ServerLog = createLog(options)): Promise<App> {
  const db = await openSqlite({ path: options.backend.path, queuedRowsMax: options.writeQueueMax });
  const stores = new Map<string, Promise<ArtifactStore>>();
  const openArtifacts = (uri: string): Promise<ArtifactStore> => {
    let store = stores.get(uri);
    if (store === undefined) {
      store = openArtifactStore(uri);
      stores.set(uri, store);
      store.catch(() => stores.delete(uri));
      for (const [oldest, opened] of stores) {
        if (stores.size <= OPEN_STORES_MAX) break;
        stores.delete(oldest);
        void opened.then((closing) => closing.close());
      }
    }
    return store;
  };
  const random = (bytes: Uint8Array): void => void randomFillSync(bytes);
  const artifacts = await openArtifactStore(options.artifactsDestination);
  const sealer = createSealer(db, (error) => log.log.error({ err: error }, "sealing metric points failed"));
  const context: Context = {
    db,
    artifacts,
    openArtifacts,
    clock: Date.now,
    random,
    log: log.log,
    limits: { ...limits, requestBodyBytesMax: options.requestBodyBytesMax },
    sealer,
    activity: createActivity(db, Date.now),
    tokenKey: await loadTokenKey(db, random),
    settings: settingsOf(options),
  };
  await createDefaultExperiment(context);

  const metrics = createMetrics();
  metrics.gauge("millrace_wal_bytes", "Bytes in the write-ahead log of the database.", () => db.logBytes());
  metrics.gauge("millrace_queued_rows", "Rows that wait to be written.", () => db.queuedRows());
  const handle = createHandler({ context, useCases, options, accessLog: log.access, metrics });

  const guard = (work: () => Promise<unknown>): void =>
    void work().catch((error: unknown) => log.log.error({ err: error }, "background work failed"));
  const timers = [
    setInterval(() => guard(() => context.activity.flush()), MARK_ACTIVITY_MS),
    setInterval(() => guard(() => expireLeases(context)), LEASE_SWEEP_MS),
    setInterval(() => guard(() => forgetOldChanges(context)), FORGET_CHANGES_MS),
    setInterval(() => sealer.sweep(), SEAL_SWEEP_MS),
    setTimeout(() => guard(() => sealer.scan()), SEAL_SCAN_DELAY_MS),
  ];
  for (const timer of timers) timer.unref();
  const deliveries = startDeliveries(context);

  return {
    handle,
    fetch: createFetch(handle),
    context,
    db,
    log,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await deliveries.stop();
      await sealer.stop();
      await db.close();
      await artifacts.close();
      for (const store of stores.values()) await (await store).close();
    },
  };
}

function settingsOf(options: Options): Context["settings"] {
  const { artifactsDestination, defaultArtifactRoot } = options;
  const destination = /^[a-z][a-z0-9+.-]+:/i.test(artifactsDestination)
    ? artifactsDestination
    : resolve(artifactsDestination);
  return {
    defaultArtifactRoot,
    artifactsDestination: destination,
    serveArtifacts: options.serveArtifacts,
    truncateLongValues: options.truncateLongValues,
    modelVersionSourcePattern: options.modelVersionSourcePattern,
    artifactHosts: {
      trustedUris: [defaultArtifactRoot, destination],
      allowedSchemes: options.allowedHostAddressedSchemes,
    },
    workingDirectory: process.cwd(),
    webhooks: {
      allowedSchemes: options.webhookAllowedSchemes,
      allowPrivateAddresses: options.webhookAllowPrivateIps,
      requestTimeoutMs: options.webhookRequestTimeoutMs,
      requestRetriesMax: options.webhookRequestRetriesMax,
      deliveriesMax: options.webhookDeliveriesMax,
      secretEncryptionKey: options.webhookSecretEncryptionKey,
    },
  };
}

/** Experiment 0, which clients log to when they name none. */
async function createDefaultExperiment(context: Context): Promise<void> {
  const known = await context.db.read((reader) => reader.get("SELECT 1 AS one FROM experiments LIMIT 1"));
  if (known !== undefined) return;
  await context.db.write(async (tx) => {
    await insertExperiment(
      tx,
      "Default",
      (id) => appendToUri(context.settings.defaultArtifactRoot, String(id)),
      context.clock(),
      0,
    );
  });
}
