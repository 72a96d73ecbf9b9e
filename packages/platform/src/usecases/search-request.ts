/** What all searches share: the size of a page, the stage that is looked at, and the length of a filter. */
import { invalidParameter, type ViewType } from "@millrace/contract";
import type { Limits } from "../context.ts";

/** @throws PlatformError INVALID_PARAMETER_VALUE outside of 1 to `max` */
export function pageSize(maxResults: number, max: number): number {
  if (maxResults <= 0 || maxResults > max) {
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be ${maxResults <= 0 ? "a positive integer" : `at most ${max}`}`,
      { maxResults },
    );
  }
  return maxResults;
}

/** Values of the column `deleted` that a view shows. */
export function deletedIn(view: ViewType = "ACTIVE_ONLY"): readonly number[] {
  if (view === "ALL") return [0, 1];
  return view === "ACTIVE_ONLY" ? [0] : [1];
}

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkFilterLength(filter: string, limits: Limits): string {
  if (filter.length > limits.filterLengthMax) {
    throw invalidParameter(
      `A filter may have ${limits.filterLengthMax} characters; this one has ${filter.length}. Split the search.`,
      { length: filter.length },
    );
  }
  return filter;
}
