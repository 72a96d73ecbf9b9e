/** Compiles what users start, in the order of the layers. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

for (const name of ["contract", "client", "platform"]) {
  const directory = join(root, "packages", name);
  rmSync(join(directory, "dist"), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, [tsc, "-p", directory], { stdio: "inherit", cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}
