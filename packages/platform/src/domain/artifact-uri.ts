import { percentDecode } from "./artifact-path.ts";

/**
 * The scheme of an address in lower case, or "" for a plain path. A single letter before the colon is a
 * Windows drive, not a scheme, as MLflow has it.
 */
export function uriScheme(uri: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1] ?? "";
  return scheme.length === 1 ? "" : scheme.toLowerCase();
}

/**
 * The path that a plain path or a `file:` URI names on this machine; undefined for other schemes and for
 * `file://host/…` of another host. A URI is percent-decoded, a plain path is taken as it is.
 */
export function localPathOf(uri: string): string | undefined {
  const scheme = uriScheme(uri);
  if (scheme === "") return uri;
  if (scheme !== "file") return undefined;
  const rest = uri.slice("file:".length);
  if (!rest.startsWith("//")) return percentDecode(rest);
  const slash = rest.indexOf("/", 2);
  const host = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  if (host !== "" && host !== "." && !/^(localhost|127\.0\.0\.1)/i.test(host)) return undefined;
  return slash < 0 ? "/" : percentDecode(rest.slice(slash));
}
