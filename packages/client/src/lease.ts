import { MillraceError } from "./error.ts";
import type { Runs } from "./nouns/runs.ts";

/** Renewals per lease: two may be lost before the run counts as silent. */
const RENEWALS_PER_LEASE = 3;

/** Renews a run's lease until the function it gives is called. Quietly does nothing on servers without leases. */
export function holdLease(
  runs: Pick<Runs, "renewLease">,
  runId: string,
  leaseMs: number | undefined,
): () => void {
  if (leaseMs === undefined || leaseMs <= 0) return () => {};
  const stop = new AbortController();
  const renew = async (): Promise<void> => {
    try {
      await runs.renewLease({ runId, leaseMs }, { signal: stop.signal });
    } catch (error) {
      // Any other trouble passes, or the run fails for a better reason than this.
      if (error instanceof MillraceError && error.status === 404) release();
    }
  };
  const timer = setInterval(() => void renew(), leaseMs / RENEWALS_PER_LEASE);
  const release = (): void => {
    clearInterval(timer);
    stop.abort(new DOMException("The run is over.", "AbortError"));
  };
  void renew();
  return release;
}
