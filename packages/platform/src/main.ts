#!/usr/bin/env node
// Only built-in modules here, and nothing that an old Node lacks: whoever starts with one shall read why.
import module from "node:module";
import process from "node:process";

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `millrace needs Node ${NODE_MAJOR_MIN} or newer, but this is Node ${process.versions.node}. Install a newer one from https://nodejs.org, then try again.\n`,
  );
  process.exit(1);
}
// Compiled code of an earlier start saves the parsing of this one.
module.enableCompileCache?.();
// Each file of artifacts that is synced holds a thread of the pool; read before the pool is first used.
process.env["UV_THREADPOOL_SIZE"] ??= "8";

const { main } = await import("./cli/main.ts");
await main();
