import { userInfo } from "node:os";
import path from "node:path";
import { readGitSource } from "./git.ts";

/** The tags by which MLflow tells where a run came from. */
export async function sourceTags(): Promise<Record<string, string>> {
  const program = process.argv[1];
  const git = await readGitSource(program === undefined ? process.cwd() : path.dirname(program));
  return {
    "mlflow.source.name": program ?? "<console>",
    "mlflow.source.type": "LOCAL",
    ...(git === undefined ? {} : { "mlflow.source.git.commit": git.commit }),
    ...(git?.branch === undefined ? {} : { "mlflow.source.git.branch": git.branch }),
    ...(git?.repoUrl === undefined ? {} : { "mlflow.source.git.repoURL": git.repoUrl }),
  };
}

/** The user as Python's clients find it, so that both kinds of runs carry the same name. */
export function userName(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const named =
    env["MLFLOW_TRACKING_USERNAME"] || env["LOGNAME"] || env["USER"] || env["LNAME"] || env["USERNAME"];
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return undefined;
  }
}
