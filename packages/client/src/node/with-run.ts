import path from "node:path";
import { joinPath } from "../artifacts/location.ts";
import {
  type ActiveRun,
  childOptions,
  type OpenRun,
  type RunOptions,
  type RunSurroundings,
  withRun,
} from "../run-scope.ts";
import type { NodeClient } from "./client.ts";
import { atExit } from "./exit.ts";
import { sourceTags, userName } from "./source-tags.ts";

export interface NodeRun extends ActiveRun {
  readonly client: NodeClient;
  /** Uploads a local file into a folder of the run's artifacts, its root by default. */
  logArtifact(file: string, artifactFolder?: string): Promise<void>;
  /** Uploads what a local folder holds. Gives the number of files. */
  logArtifacts(folder: string, artifactFolder?: string): Promise<number>;
  /** A run below this one. */
  withChild<T>(options: RunOptions, body: (run: NodeRun) => Promise<T> | T): Promise<T>;
}

/** Signals kill runs; a crash, or a program that has nothing left to do, fails them. */
function onOpen(run: OpenRun): () => void {
  return atExit((ending) =>
    ending === "handled" ? run.flush() : run.end(ending === "signal" ? "KILLED" : "FAILED"),
  );
}

/** As in any environment, and with MLflow's tags for user, source and commit, and the process's signals. */
export async function withRunInNode<T>(
  client: NodeClient,
  options: RunOptions,
  body: (run: NodeRun) => Promise<T> | T,
): Promise<T> {
  const user = userName();
  const surroundings: RunSurroundings = { user, tags: await sourceTags(), onOpen };
  const extend = (run: ActiveRun): NodeRun => ({
    ...run,
    client,
    logArtifact: (file, artifactFolder = "") =>
      client.artifacts.uploadFile({ runId: run.runId }, file, joinPath(artifactFolder, path.basename(file))),
    logArtifacts: (folder, artifactFolder) =>
      client.artifacts.uploadFolder({ runId: run.runId }, folder, artifactFolder),
    withChild: (child, childBody) => withRunInNode(client, childOptions(run, child), childBody),
  });
  return withRun(client, { ...options, ...experimentFromEnvironment(options) }, body, surroundings, extend);
}

function experimentFromEnvironment(options: RunOptions): RunOptions {
  if (options.experimentId !== undefined || options.experimentName !== undefined) return {};
  const { MLFLOW_EXPERIMENT_ID: experimentId, MLFLOW_EXPERIMENT_NAME: experimentName } = process.env;
  if (experimentId) return { experimentId };
  return experimentName ? { experimentName } : {};
}
