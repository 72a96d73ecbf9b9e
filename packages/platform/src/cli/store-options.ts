/** Options of commands that work on a database and its artifacts themselves, beside or without a server. */
import { type Command, Option } from "commander";
import { isHttp, localOptions } from "./connect.ts";
import type { Options } from "../options.ts";
import type { Io } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./commands/command.ts";

export interface StoreOptions extends CommonOptions {
  readonly backendStoreUri?: string;
  readonly artifactsDestination?: string;
  readonly dataDir?: string;
}

export function withStoreOptions(command: Command, artifacts: boolean): Command {
  const add = (flags: string, text: string): void => {
    command.addOption(new Option(flags, text).helpGroup("Which store:"));
  };
  add("--data-dir <folder>", "folder of the database and the artifacts (default: ./millrace-data)");
  add(
    "--backend-store-uri <uri>",
    "database, for instance sqlite:///file.db (default: millrace.db in the data folder)",
  );
  if (artifacts) {
    add(
      "--artifacts-destination <uri>",
      "where served artifacts lie (default: artifacts in the data folder)",
    );
  }
  return withCommonOptions(command);
}

/** The options as `server` would have them; a database in MLFLOW_TRACKING_URI counts too. */
export function storeOptions(given: StoreOptions, io: Io): Options {
  const { backendStoreUri, artifactsDestination, dataDir } = given;
  const { env } = io;
  const tracking = env["MLFLOW_TRACKING_URI"];
  const fromTracking =
    dataDir === undefined &&
    !env["MLFLOW_BACKEND_STORE_URI"] &&
    !env["MILLRACE_DATA_DIR"] &&
    tracking &&
    !isHttp(tracking)
      ? tracking
      : undefined;
  return localOptions(backendStoreUri ?? fromTracking, env, "silent", {
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(artifactsDestination === undefined ? {} : { artifactsDestination }),
  });
}
