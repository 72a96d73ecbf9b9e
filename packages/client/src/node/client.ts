import type { Batcher } from "../batch/batcher.ts";
import { type Client, createClient as createPortableClient } from "../client.ts";
import type { ClientOptions } from "../options.ts";
import type { RunOptions } from "../run-scope.ts";
import { optionsFromEnvironment } from "./environment.ts";
import { atExit } from "./exit.ts";
import { type NodeArtifacts, withFiles } from "./files.ts";
import { type NodeRun, withRunInNode } from "./with-run.ts";

export interface NodeClient extends Omit<Client, "artifacts" | "withRun"> {
  readonly artifacts: NodeArtifacts;
  withRun<T>(options: RunOptions, body: (run: NodeRun) => Promise<T> | T): Promise<T>;
}

/**
 * A client that also knows files and signals. What `options` leave out comes from `MLFLOW_TRACKING_URI`,
 * `MLFLOW_TRACKING_TOKEN`, `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
 */
export function createClient(options: ClientOptions = {}): NodeClient {
  const portable = createPortableClient(optionsFromEnvironment(options, process.env));
  const client: NodeClient = {
    ...portable,
    artifacts: withFiles(portable.artifacts),
    createBatcher: (batcherOptions) => flushedAtExit(portable.createBatcher(batcherOptions)),
    withRun: (runOptions, body) => withRunInNode(client, runOptions, body),
  };
  return client;
}

/** Runs have their own way to the end; a batcher that stands alone is flushed. */
function flushedAtExit(batcher: Batcher): Batcher {
  const release = atExit(() => batcher.flush());
  const close = async (): Promise<void> => {
    try {
      await batcher.close();
    } finally {
      release();
    }
  };
  return {
    add: batcher.add,
    flush: batcher.flush,
    close,
    get pending() {
      return batcher.pending;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Runs a function inside a run on the server that the environment names. */
export function withRun<T>(options: RunOptions, body: (run: NodeRun) => Promise<T> | T): Promise<T> {
  return createClient().withRun(options, body);
}
