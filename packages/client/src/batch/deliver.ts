import { MillraceError } from "../error.ts";
import type { CallOptions } from "../exchange.ts";
import type { Runs } from "../nouns/runs.ts";
import { type Entry, requestOf } from "./queue.ts";

/** Entries that a server refused for good, and why. */
export interface Refused {
  readonly runId: string;
  readonly entries: readonly Entry[];
  readonly error: unknown;
}

/**
 * Halving a refused batch finds the bad entries without losing the good ones beside them; a run that takes nothing
 * at all must not cost a request for each entry.
 */
const REQUESTS_TO_FIND_BAD_ENTRIES_MAX = 32;

/**
 * Sends one batch. Gives what the server refused; whatever is not in it is stored.
 * @throws the error when the server could not be asked, so that all of it should be sent again later.
 */
export async function deliver(
  runs: Pick<Runs, "logBatch">,
  runId: string,
  batch: readonly Entry[],
  options: CallOptions,
): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  let requests = 0;

  async function send(entries: readonly Entry[]): Promise<void> {
    try {
      requests++;
      await runs.logBatch(requestOf(runId, entries), options);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A batch is not atomic, but sending an entry again is the same as sending it once.
      if (entries.length === 1 || error.status !== 400 || requests >= REQUESTS_TO_FIND_BAD_ENTRIES_MAX) {
        refused.push({ runId, entries, error });
        return;
      }
      const middle = entries.length >> 1;
      await send(entries.slice(0, middle));
      await send(entries.slice(middle));
    }
  }

  await send(batch);
  return refused;
}

/** Whether the same request would fail for ever, as opposed to a server that cannot be reached for now. */
function isRefusal(error: unknown): error is MillraceError {
  return (
    error instanceof MillraceError &&
    error.status >= 400 &&
    error.status < 500 &&
    ![408, 429].includes(error.status)
  );
}
