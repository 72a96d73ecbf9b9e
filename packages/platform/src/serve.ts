/** Running the application as a process: listen, announce, and an orderly end. */
import { type App, createApp } from "./app.ts";
import { createLog, listen, type ServerLog } from "./http/index.ts";
import { type Options, requireSafeBinding } from "./options.ts";

export interface RunningServer {
  readonly app: App;
  /** For instance `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Finishes what runs, then closes everything. */
  stop(): Promise<void>;
}

/** Starts the server. Throws when the address is taken or would be open to strangers without a token. */
export async function serve(options: Options, log: ServerLog = createLog(options)): Promise<RunningServer> {
  requireSafeBinding(options);
  const app = await createApp(options, log);
  try {
    const { host, port, connectionsMax, idleTimeoutMs } = options;
    const server = await listen(app.handle, { host, port, connectionsMax, idleTimeoutMs });
    const shown = server.host.includes(":") ? `[${server.host}]` : server.host;
    const url = `http://${shown}:${server.port}${options.staticPrefix}`;
    app.db.lock.announce(url);
    for (const note of options.notes) log.log.warn({}, note);
    log.log.info({ url, database: options.backend.path }, "listening");
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopping ??= (async () => {
        log.log.info({}, "finishing running requests");
        await server.close({ graceMs: options.drainTimeoutMs });
        await app.close();
        log.log.info({}, "stopped");
        log.flush();
      })();
      return stopping;
    };
    return { app, url, stop };
  } catch (error) {
    await app.close();
    throw error;
  }
}
