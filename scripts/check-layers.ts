/**
 * Holds the imports of the packages against the layers: wire, pure rules, families, use-cases, edges, root.
 * A message says where the code belongs instead. Tests may import anything, but for their package's dependencies.
 */
import { readFileSync } from "node:fs";
import { globSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "packages/platform/src");

const pure = ["domain", "stats", "tuning", "evaluation"];
/** Family → its interface file, which other layers may know. */
const families: Readonly<Record<string, string>> = {
  db: "db/database.ts",
  artifacts: "artifacts/store.ts",
  flavors: "flavors/flavor.ts",
  serving: "serving/predictor.ts",
  gateway: "gateway/gateway.ts",
  targets: "targets/target.ts",
  projects: "projects/backend.ts",
};
const settingsFiles = ["options.ts", "settings.ts"];
const rootFiles = ["app.ts", "serve.ts", "main.ts", "index.ts"];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|^\s*import\s+"([^"]+)"/gm;
  for (const match of text.matchAll(pattern)) {
    const to = match[1] ?? match[2] ?? match[3]!;
    found.push({ from: file, to, line: text.slice(0, match.index).split("\n").length });
  }
  return found;
}

/** Folder of a file of the platform, or its own name at the top. */
function layerOf(path: string): string {
  const inside = relative(source, path);
  return inside.includes("/") ? inside.slice(0, inside.indexOf("/")) : inside;
}

const isTest = (path: string): boolean => /\.test\.ts$|(^|\/)testing(\/|\.ts$)/.test(path);

/** Why an import of the platform is wrong, or undefined. */
function platformProblem(from: string, to: string): string | undefined {
  const layer = layerOf(from);
  if (isTest(from) || rootFiles.includes(layer)) {
    return isTest(to) && rootFiles.includes(layer)
      ? "what is shipped must not import test support"
      : undefined;
  }
  if (to.startsWith("@millrace/contract")) return undefined;
  if (to === "@millrace/client" || to.startsWith("@millrace/client/")) {
    return layer === "cli"
      ? undefined
      : "only the command line uses the client; others are on the server's side of the wire";
  }
  if (pure.includes(layer) && to.startsWith("node:")) {
    return `${layer}/ is pure: take time, luck and files as parameters, or move this to a use-case`;
  }
  if (!to.startsWith(".")) return undefined;

  const target = resolve(dirname(from), to);
  const path = relative(source, target);
  const other = layerOf(target);
  if (isTest(path)) return "what is shipped must not import test support";
  if (layer === other) {
    if (layer !== "usecases") return undefined;
    const [, fromNoun] = relative(source, from).split("/");
    const [, toNoun, rest] = path.split("/");
    // Files at the top of usecases/ are shared; index.ts there lists all.
    if (rest === undefined || relative(source, from).split("/").length === 2 || fromNoun === toNoun)
      return undefined;
    return `a use-case of ${fromNoun} must not call one of ${toNoun}: move what both need to domain/ or db/queries/`;
  }
  if (pure.includes(layer)) {
    const allowed = layer === "evaluation" ? ["domain", "stats"] : ["domain"];
    return allowed.includes(other)
      ? undefined
      : `${layer}/ is pure and knows ${allowed.join(" and ")} only; decide here, act in a use-case`;
  }
  if (layer in families) {
    if (pure.includes(other) || settingsFiles.includes(other)) return undefined;
    if (other in families && families[other] === path) return undefined;
    return `a family knows pure rules and the interface of another family only (${families[other] ?? "not " + other})`;
  }
  if (layer === "context.ts") return undefined;
  if (layer === "usecases") {
    if (pure.includes(other) || other === "context.ts") return undefined;
    if (
      other in families &&
      (families[other] === path || /^db\/(queries|search|chunks|operation)\//.test(path))
    )
      return undefined;
    return `a use-case knows rules, queries and interfaces; a named ${other} member is chosen in app.ts and comes with the context`;
  }
  if (layer === "http" || layer === "cli") {
    if (
      ["usecases", "context.ts", ...settingsFiles].includes(other) ||
      (layer === "cli" && rootFiles.includes(other))
    )
      return undefined;
    return `${layer}/ is an edge: it calls use-cases; ${other}/ is reached through them or through app.ts`;
  }
  if (settingsFiles.includes(layer)) {
    return other === "domain" || settingsFiles.includes(other)
      ? undefined
      : "settings are read before anything else is known";
  }
  return `no layer is known for ${layer}; add it to scripts/check-layers.ts`;
}

function problemOf({ from, to }: Import): string | undefined {
  if (from.startsWith(source)) return platformProblem(from, to);
  const own = relative(join(root, "packages"), from).split("/")[0];
  if (isTest(from)) return undefined;
  if (own === "contract" && !to.startsWith("."))
    return "the contract has no dependencies and does no input or output";
  if (own === "client" && !to.startsWith(".") && !to.startsWith("@millrace/contract")) {
    const isNodePart = from.includes("/src/node/") && to.startsWith("node:");
    return isNodePart
      ? undefined
      : "the client depends on the contract only; what needs Node lives in src/node/";
  }
  if (own === "ui" && /(^|\/)platform(\/|$)|^millrace/.test(to))
    return "the interface knows client and contract only";
  return undefined;
}

const files = globSync("packages/*/src/**/*.{ts,tsx}", { cwd: root }).map((file) => join(root, file));
const problems: string[] = [];
for (const file of files) {
  for (const found of importsOf(file)) {
    const problem = problemOf(found);
    if (problem !== undefined)
      problems.push(`${relative(root, file)}:${found.line} imports ${found.to}: ${problem}`);
  }
}
const LINES_MAX = 500;
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n").length;
  if (lines > LINES_MAX && !/^\/\*\*[^]*?\blong because\b/.test(text)) {
    problems.push(
      `${relative(root, file)} has ${lines} lines: split it by concern, or say "long because …" at its top`,
    );
  }
}
for (const problem of problems) console.error(problem);
console.log(`check-layers: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
