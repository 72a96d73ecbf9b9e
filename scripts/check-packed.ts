/**
 * Packs the published packages, installs the tarballs in an empty folder as a user would, and runs the server from
 * there: Node strips no types below node_modules, so only this shows that what is published works.
 */
import { execFileSync, spawn, type StdioOptions } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "millrace-packed-"));
const quiet: { stdio: StdioOptions } = { stdio: ["ignore", "pipe", "inherit"] };
const START_TIMEOUT_MS = 20_000;

try {
  for (const name of ["contract", "client", "platform"]) {
    execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
      cwd: join(root, "packages", name),
      ...quiet,
    });
  }
  const tarballs = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "empty", private: true, type: "module" }),
  );
  execFileSync(
    "npm",
    ["install", "--silent", "--no-audit", "--no-fund", ...tarballs.map((file) => `./${file}`)],
    { cwd: folder, ...quiet },
  );
  const version = execFileSync(join(folder, "node_modules/.bin/millrace"), ["version"], {
    cwd: folder,
    encoding: "utf8",
  });
  console.log(`packed: ${tarballs.length} tarballs installed, ${version.trim().split("\n")[0]}`);

  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const server = spawn(join(folder, "node_modules/.bin/millrace"), ["server", "--port", String(port)], {
    cwd: folder,
    stdio: "ignore",
  });
  try {
    const answer = await firstAnswer(`http://127.0.0.1:${port}`);
    if (answer !== "Default") throw new Error(`experiment 0 is called '${answer}'`);
  } finally {
    server.kill("SIGTERM");
    await new Promise((done) => server.once("exit", done));
  }
  writeFileSync(
    join(folder, "in-process.js"),
    `import { createClient } from "@millrace/client";
     import { createApp, parseOptions } from "millrace";
     const app = await createApp(parseOptions({ dataDir: "other", logLevel: "silent" }, {}));
     const client = createClient({ fetch: app.fetch });
     console.log((await client.experiments.get("0")).name);
     await app.close();`,
  );
  const name = execFileSync(process.execPath, ["in-process.js"], { cwd: folder, encoding: "utf8" }).trim();
  if (name !== "Default") throw new Error(`in-process, experiment 0 is called '${name}'`);
  console.log("packed: the server and the in-process client run from the tarballs");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function firstAnswer(url: string): Promise<string> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const response = await fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=0`);
      return ((await response.json()) as { experiment: { name: string } }).experiment.name;
    } catch (error) {
      if (Date.now() > until) throw error;
      await delay(50);
    }
  }
}
