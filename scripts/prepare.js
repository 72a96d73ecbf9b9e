// Plain JavaScript on purpose: it runs on whatever Node the user has, before the pinned one is known to work.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinned = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");

if (process.env.npm_config_omit?.split(",").includes("dev") || process.env.NODE_ENV === "production") {
  console.error("millrace: development dependencies are left out, so nothing is compiled.");
  process.exit(0);
}
const version = existsSync(pinned) ? spawnSync(pinned, ["--version"], { encoding: "utf8" }).stdout : "";
if (!/^v(2[4-9]|[3-9]\d)\./.test(version ?? "")) {
  console.error(
    "millrace needs Node 24 or newer and pins its own, but the pinned one is missing " +
      `(found: ${version?.trim() || "nothing"}). Its install script was probably blocked. Do this:\n` +
      "  npm rebuild node --ignore-scripts=false && npm run prepare",
  );
  process.exit(1);
}
const built = spawnSync(pinned, [join(root, "scripts", "build.ts")], { cwd: root, stdio: "inherit" });
process.exit(built.status ?? 1);
