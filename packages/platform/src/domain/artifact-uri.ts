/**
 * The scheme of an address in lower case, or "" for a plain path. A single letter before the colon is a
 * Windows drive, not a scheme, as MLflow has it.
 */
export function uriScheme(uri: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1] ?? "";
  return scheme.length === 1 ? "" : scheme.toLowerCase();
}
