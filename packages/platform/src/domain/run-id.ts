import { invalidParameter, isRunId } from "@millrace/contract";

/**
 * Batches and inputs name the run in a way that upstream checks for its form.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function checkRunId(runId: string): void {
  if (isRunId(runId)) return;
  throw invalidParameter(
    `Invalid value ${JSON.stringify(runId.slice(0, 260))} for parameter 'run_id' supplied: a run id starts with a letter or digit, goes on with those, '_' or '-', and has at most 256 characters.`,
    { runId },
  );
}
