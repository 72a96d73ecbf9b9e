import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Connection } from "./connection.ts";
import { drive, type LoadResult } from "./drive.ts";

/**
 * The same load against a bare `node:http` server that reads the body and answers `{}`: the ceiling of any
 * server on this machine with this generator beside it.
 */
export async function driveEcho(
  port: number,
  load: { readonly connections: number; readonly seconds: number; next(connection: number): Buffer },
): Promise<LoadResult> {
  const script = fileURLToPath(new URL("./echo-server.ts", import.meta.url));
  const child = spawn(process.execPath, [script, String(port)], { stdio: "ignore" });
  try {
    await listening(port);
    const check = (): undefined => undefined;
    await drive({ ...load, port, check, seconds: Math.min(1, load.seconds) });
    return await drive({ ...load, port, check });
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      (await Connection.open(port, 1024)).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error(`The echo server did not listen on port ${String(port)} within 5 s.`);
}
