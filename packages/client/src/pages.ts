/** Lists that come page by page. */

export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it to `page` to go on; absent on the last page. */
  readonly nextPageToken?: string | undefined;
}

/** A search that has not been sent yet: iterate over all of it, or fetch one page. */
export interface Listing<T> extends AsyncIterable<T> {
  /** The page behind a token, or the first one. */
  page(pageToken?: string): Promise<Page<T>>;
  pages(): AsyncIterable<Page<T>>;
  /** All items, or the first `limit`. */
  toArray(limit?: number): Promise<T[]>;
}

/** Makes a listing of a function that fetches one page. */
export function listing<T>(fetchPage: (pageToken: string | undefined) => Promise<Page<T>>): Listing<T> {
  async function* pages(): AsyncGenerator<Page<T>, void, undefined> {
    let token: string | undefined;
    for (;;) {
      const page = await fetchPage(token);
      yield page;
      // Some servers hand out a token behind the last page, and one that leads back to itself would never end.
      if (!page.nextPageToken || (page.nextPageToken === token && page.items.length === 0)) return;
      token = page.nextPageToken;
    }
  }
  async function* items(): AsyncGenerator<T, void, undefined> {
    for await (const page of pages()) yield* page.items;
  }
  return {
    page: (pageToken) => fetchPage(pageToken),
    pages,
    [Symbol.asyncIterator]: items,
    toArray: async (limit = Number.POSITIVE_INFINITY) => {
      const all: T[] = [];
      if (limit <= 0) return all;
      for await (const item of items()) if (all.push(item) >= limit) break;
      return all;
    },
  };
}
