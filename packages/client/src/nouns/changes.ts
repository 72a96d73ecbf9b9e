import type { Change } from "@millrace/contract";
import { pause } from "../deadline.ts";
import { present } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import type { Transport } from "../transport.ts";
import type { Fields } from "./request.ts";

export interface ChangesPage {
  readonly changes: readonly Change[];
  /** Hand it back to go on. */
  readonly cursor: string;
  /** The cursor was older than what the server keeps: read everything again. */
  readonly reload: boolean;
}

export interface FollowOptions extends CallOptions {
  /** Where to go on; without it from now. */
  readonly cursor?: string;
  /** Time between questions while nothing happens; 1,000 by default. */
  readonly pollMs?: number;
}

/** The feed of what changed on a Millrace server. @throws MillraceError ENDPOINT_NOT_FOUND on other servers */
export interface Changes {
  list(request?: Fields<"listChanges">, options?: CallOptions): Promise<ChangesPage>;
  /** Pages with changes, or with a request to reload, for as long as it is iterated. */
  follow(options?: FollowOptions): AsyncIterable<ChangesPage>;
}

export function createChanges({ call }: Transport): Changes {
  const list: Changes["list"] = async (request = {}, options) => {
    const { changes, cursor, reload } = await call("listChanges", request, options);
    return { changes: changes ?? [], cursor: present(cursor, "cursor"), reload: reload ?? false };
  };
  return {
    list,
    follow: async function* ({ cursor: start, pollMs = 1_000, ...options } = {}) {
      let cursor = start;
      for (;;) {
        const page = await list({ cursor }, options);
        cursor = page.cursor;
        if (page.changes.length > 0 || page.reload) yield page;
        else await pause(pollMs, options.signal);
      }
    },
  };
}
