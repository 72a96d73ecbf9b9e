import type { ServerInfo, TypeOf } from "@millrace/contract";
import { MillraceError } from "../error.ts";
import type { CallOptions } from "../exchange.ts";
import type { Transport } from "../transport.ts";

export interface Server {
  /** What the server can do; empty for servers that are too old to tell. */
  info(options?: CallOptions): Promise<TypeOf<typeof ServerInfo>>;
  /** @throws MillraceError when the server does not answer, or not well. */
  health(options?: CallOptions): Promise<void>;
  /** The MLflow release whose protocol the server speaks. */
  version(options?: CallOptions): Promise<string>;
}

export function createServer({ call, text }: Transport): Server {
  return {
    info: async (options) => {
      try {
        return await call("getServerInfo", {}, options);
      } catch (error) {
        if (error instanceof MillraceError && error.status === 404) return {};
        throw error;
      }
    },
    health: async (options) => {
      await text("/health", options);
    },
    version: async (options) => (await text("/version", options)).trim(),
  };
}
