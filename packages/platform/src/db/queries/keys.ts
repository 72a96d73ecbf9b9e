/** Interned names. Ids never change, so they are cached; the cache is filled only by what was committed. */
import type { Reader, Transaction } from "../database.ts";

/** Metric names are few in practice; a flood of made-up ones must not fill the memory. */
const CACHED_MAX = 50_000;

const caches = new WeakMap<object, KeyCache>();

export interface KeyCache {
  readonly ids: Map<string, number>;
  readonly names: Map<number, string>;
}

/** The cache that belongs to a database. */
export function keyCache(owner: object): KeyCache {
  let cache = caches.get(owner);
  if (cache === undefined) {
    cache = { ids: new Map(), names: new Map() };
    caches.set(owner, cache);
  }
  return cache;
}

function remember(cache: KeyCache, id: number, name: string): void {
  if (cache.ids.size >= CACHED_MAX) {
    cache.ids.clear();
    cache.names.clear();
  }
  cache.ids.set(name, id);
  cache.names.set(id, name);
}

/** Ids of names, in the same order; names not seen before are added. */
export async function internKeys(
  tx: Transaction,
  cache: KeyCache,
  names: readonly string[],
): Promise<number[]> {
  const ids: number[] = [];
  for (const name of names) {
    const known = cache.ids.get(name);
    if (known !== undefined) {
      ids.push(known);
      continue;
    }
    const found =
      (await tx.get<{ id: number }>("SELECT id FROM keys WHERE name = ?", [name])) ??
      (await tx.get<{ id: number }>(
        "INSERT INTO keys (name) VALUES (?) ON CONFLICT (name) DO NOTHING RETURNING id",
        [name],
      )) ??
      (await tx.get<{ id: number }>("SELECT id FROM keys WHERE name = ?", [name]));
    const { id } = found!;
    tx.onCommit(() => remember(cache, id, name));
    ids.push(id);
  }
  return ids;
}

/** Id of a name, or undefined when nothing was ever logged under it. */
export async function findKey(reader: Reader, cache: KeyCache, name: string): Promise<number | undefined> {
  const known = cache.ids.get(name);
  if (known !== undefined) return known;
  const row = await reader.get<{ id: number }>("SELECT id FROM keys WHERE name = ?", [name]);
  if (row !== undefined) remember(cache, row.id, name);
  return row?.id;
}

/** Names by id, for rows that were just read. */
export async function keyNames(
  reader: Reader,
  cache: KeyCache,
  ids: Iterable<number>,
): Promise<Map<number, string>> {
  // Not the cache itself: it may be emptied while names are added to it.
  const names = new Map<number, string>();
  const missing: number[] = [];
  for (const id of ids) {
    const known = cache.names.get(id);
    if (known === undefined) missing.push(id);
    else names.set(id, known);
  }
  for (let start = 0; start < missing.length; start += 500) {
    const part = missing.slice(start, start + 500);
    const rows = await reader.all<{ id: number; name: string }>(
      `SELECT id, name FROM keys WHERE id IN (${part.map(() => "?").join(", ")})`,
      part,
    );
    for (const row of rows) {
      remember(cache, row.id, row.name);
      names.set(row.id, row.name);
    }
  }
  return names;
}
