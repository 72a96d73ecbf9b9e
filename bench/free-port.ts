import { once } from "node:events";
import { createServer } from "node:net";

/** Gives ports that nobody listens on: from `first` upwards, or chosen by the system when it is 0. */
export function freePorts(first: number): () => Promise<number> {
  let next = first;
  return async () => {
    for (;;) {
      const wanted = first === 0 ? 0 : next++;
      const port = await tryPort(wanted);
      if (port !== undefined) return port;
      if (first === 0 || next > first + 1_000) throw new Error(`No free port from ${String(first)} upwards.`);
    }
  };
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return undefined;
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : undefined;
}
