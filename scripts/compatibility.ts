/**
 * Writes the table of endpoints in docs/compatibility.md from the contract, between its two marks.
 * With --check it only says whether the file is up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endpoints } from "../packages/contract/src/index.ts";

const file = join(import.meta.dirname, "../docs/compatibility.md");
const START = "<!-- endpoints: written by scripts/compatibility.ts -->";
const END = "<!-- end of endpoints -->";

const prefixes = { both: "`/api`, `/ajax-api`", ajax: "`/ajax-api`", plain: "–" } as const;
const rows = Object.entries(endpoints).map(([name, { methods, path, family }]) => {
  const origin = path.startsWith("/1.0/millrace") ? "Millrace's own" : "MLflow";
  return `| ${methods.join(", ")} | \`${path.replaceAll("...}", "}")}\` | ${prefixes[family]} | \`${name}\` | ${origin} |`;
});
const table = [
  "| method | path | below | name in the TypeScript client | of |",
  "|---|---|---|---|---|",
  ...rows,
].join("\n");

const text = readFileSync(file, "utf8");
const before = text.slice(0, text.indexOf(START) + START.length);
const after = text.slice(text.indexOf(END));
const next = `${before}\n\n${table}\n\n${after}`;
if (!process.argv.includes("--check")) writeFileSync(file, next);
else if (next !== text) {
  console.error(
    "docs/compatibility.md is out of date: run `node --conditions=millrace-source scripts/compatibility.ts`.",
  );
  process.exit(1);
}
console.log(`compatibility: ${rows.length} endpoints`);
