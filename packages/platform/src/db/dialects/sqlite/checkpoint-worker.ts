/** Copies the write-ahead log into the database beside the main thread, which never waits for those fsyncs. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const { path } = workerData as { path: string };
const db = new DatabaseSync(path, { timeout: 1_000 });
db.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;");
const checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");

parentPort!.on("message", (message: "checkpoint" | "close") => {
  if (message === "close") {
    db.close();
    parentPort!.close();
    return;
  }
  let complete = false;
  try {
    const { busy, log, checkpointed } = checkpoint.get() as {
      busy: number;
      log: number;
      checkpointed: number;
    };
    complete = busy === 0 && log === checkpointed;
  } catch {
    // The log stays where it is; the next round tries again.
  }
  parentPort!.postMessage(complete);
});
