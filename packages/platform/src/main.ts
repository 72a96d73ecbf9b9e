#!/usr/bin/env node
import { parseArgs } from "node:util";
import { parseOptions } from "./options.ts";
import { serve } from "./serve.ts";

const { values } = parseArgs({ args: process.argv.slice(3), strict: false });
const flags = Object.fromEntries(
  Object.entries(values).map(([k, v]) => [k.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase()), v]),
);
const server = await serve(parseOptions(flags, process.env));
console.log(server.url);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void server.stop().then(() => process.exit(0)));
