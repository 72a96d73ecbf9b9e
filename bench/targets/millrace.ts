import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { storeOptions, type Target } from "./target.ts";

export const compiledEntry = fileURLToPath(new URL("../../packages/platform/dist/main.js", import.meta.url));

/** The server at an entry file, started by the Node that runs this program and with its default settings. */
export const millrace = (entry: string): Target => ({
  name: "millrace",
  title: "Millrace",
  durability: "SQLite WAL, synchronous=FULL, reply after commit",
  artifactDurability: "data synced, renamed, folder synced",
  unavailable: () => (existsSync(entry) ? undefined : `${entry} is missing: run npm run build`),
  command: (folder, port) => ({
    executable: process.execPath,
    args: [
      ...(entry.endsWith(".ts") ? ["--conditions=millrace-source"] : []),
      entry,
      "server",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      ...storeOptions(folder),
    ],
    env: inheritedEnvironment(),
    readyTimeoutMs: 20_000,
  }),
});

/** The caller's environment without settings that would change a server under measurement. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(MLFLOW_|MILLRACE_|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(kept);
}
