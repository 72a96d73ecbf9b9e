/** What a `models:` address names. */
import { invalidParameter } from "@millrace/contract";
import { splitUri } from "./artifact-uri.ts";

export type ModelReference =
  | { readonly kind: "logged-model"; readonly modelId: string }
  | { readonly kind: "version"; readonly name: string; readonly version: number }
  | { readonly kind: "alias"; readonly name: string; readonly alias: string }
  | { readonly kind: "stage"; readonly name: string; readonly stage: string }
  | { readonly kind: "latest"; readonly name: string };

/**
 * Reads `models:/m-…`, `models:/name/3`, `models:/name@alias`, `models:/name/Stage` and `models:/name/latest`;
 * undefined for an address of another scheme.
 * @throws PlatformError INVALID_PARAMETER_VALUE for any other form, and for one that names a host
 */
export function modelReference(uri: string): ModelReference | undefined {
  const { scheme, authority } = splitUri(uri);
  if (scheme !== "models") return undefined;
  const path = uri.slice(uri.indexOf(":") + 1);
  const parts = path.replace(/^\/+/, "").split("/");
  const [first = "", second] = parts;
  if (
    authority ||
    !path.startsWith("/") ||
    parts.length > 2 ||
    first.trim() === "" ||
    second?.trim() === ""
  ) {
    throw malformed(uri);
  }
  if (second !== undefined) {
    if (/^\d+$/.test(second)) return { kind: "version", name: first, version: Number(second) };
    if (second.toLowerCase() === "latest") return { kind: "latest", name: first };
    return { kind: "stage", name: first, stage: second };
  }
  const at = first.lastIndexOf("@");
  if (at < 0) return { kind: "logged-model", modelId: first };
  const alias = first.slice(at + 1);
  if (alias.trim() === "" || at === 0) throw malformed(uri);
  return { kind: "alias", name: first.slice(0, at), alias };
}

function malformed(uri: string) {
  return invalidParameter(
    `Invalid model version source: '${uri}'. The model_id request parameter must identify the resource that contains the source: models:/<model_id>, or write models:/<name>/<version> or models:/<name>@<alias>, without a host.`,
    { source: uri },
  );
}
