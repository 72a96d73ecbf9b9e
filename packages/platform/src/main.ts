#!/usr/bin/env node
import { parseOptions } from "./options.ts";
import { serve } from "./serve.ts";

const flags: Record<string, unknown> = {};
const words = process.argv.slice(3);
for (let i = 0; i < words.length; i++) {
  const [name = "", value] = words[i]!.replace(/^--/, "").split("=");
  const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (value !== undefined) flags[key] = value;
  else if (words[i + 1] !== undefined && !words[i + 1]!.startsWith("--")) flags[key] = words[++i];
  else flags[key] = true;
}
const server = await serve(parseOptions(flags, process.env));
console.log(server.url);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.stop().then(() => process.exit(0)));
