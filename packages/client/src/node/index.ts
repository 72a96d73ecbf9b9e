/** Everything of the portable client, with files, environment and signals. */
export * from "../index.ts";
export { createClient, type NodeClient, withRun } from "./client.ts";
export type { FolderOptions, NodeArtifacts } from "./files.ts";
export { type GitSource, readGitSource } from "./git.ts";
export type { NodeRun } from "./with-run.ts";
