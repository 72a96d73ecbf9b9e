/** The only list of commands. Each is loaded when it is called, so that starting one does not load the others. */
import type { CommandModule } from "./command.ts";

export interface CommandEntry {
  readonly summary: string;
  readonly group: "Server" | "Tracking" | "Operation" | "Other";
  readonly aliases?: readonly string[];
  readonly load: () => Promise<CommandModule>;
}

export const commands = {
  server: {
    summary: "serve tracking, registry and artifacts",
    group: "Server",
    aliases: ["ui"],
    load: () => import("./server.ts"),
  },
  experiments: {
    summary: "create, find, rename, delete and export experiments",
    group: "Tracking",
    load: () => import("./experiments.ts"),
  },
  runs: {
    summary: "create, find, compare and delete runs",
    group: "Tracking",
    load: () => import("./runs.ts"),
  },
  artifacts: {
    summary: "upload, list and download files of runs and models",
    group: "Tracking",
    load: () => import("./artifacts.ts"),
  },
  models: {
    summary: "registered models, their versions, aliases, stages and tags",
    group: "Tracking",
    load: () => import("./models.ts"),
  },
  metrics: {
    summary: "histories of metrics, and following a run",
    group: "Tracking",
    load: () => import("./metrics.ts"),
  },
  db: { summary: "upgrade or check a database", group: "Operation", load: () => import("./db.ts") },
  backup: {
    summary: "copy database and artifacts while the server runs",
    group: "Operation",
    load: () => import("./backup.ts"),
  },
  restore: { summary: "put a backup in place", group: "Operation", load: () => import("./restore.ts") },
  gc: { summary: "remove for good what is deleted", group: "Operation", load: () => import("./gc.ts") },
  doctor: {
    summary: "what is installed, configured and reachable",
    group: "Operation",
    load: () => import("./doctor.ts"),
  },
  completion: {
    summary: "completion for bash, zsh and fish",
    group: "Other",
    load: () => import("./completion.ts"),
  },
  version: {
    summary: "versions of Millrace and what it runs on",
    group: "Other",
    load: () => import("./version.ts"),
  },
} satisfies Record<string, CommandEntry>;
