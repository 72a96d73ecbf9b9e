#!/usr/bin/env node
// Only built-in modules here, and nothing that an old Node lacks: whoever starts with one shall read why.
import module from "node:module";
import process from "node:process";

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `millrace needs Node ${NODE_MAJOR_MIN} or newer, but this is Node ${process.versions.node}. Install a newer one, then try again.\n`,
  );
  process.exit(1);
}
const YOUNG_GENERATION_FLAG = "--max-semi-space-size";

// V8 lets the young generation of a busy server grow to 60 MB, for a few per cent of speed. Its limit can only be set
// when the process starts, so the server starts itself once more, in place.
const isServer = ["server", "ui"].includes(process.argv[2] ?? "");
const isTuned = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].some((flag) =>
  flag.includes(YOUNG_GENERATION_FLAG),
);
if (isServer && !isTuned && process.platform !== "win32" && typeof process.execve === "function") {
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...execArgv, `${YOUNG_GENERATION_FLAG}=8`, ...argv.slice(1)], env);
}
// Compiled code of an earlier start saves the parsing of this one.
module.enableCompileCache?.();

const { main } = await import("./cli/main.ts");
await main();
