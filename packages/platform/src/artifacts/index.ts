import { PlatformError } from "@millrace/contract";
import { uriScheme } from "../domain/artifact-uri.ts";
import type { ArtifactStore, OpenArtifactStore, OpenArtifactStoreOptions } from "./store.ts";

/** The only list of artifact stores, by the scheme of the root they open. */
export const artifactStores = {
  file: () => import("./local.ts"),
} satisfies Record<string, () => Promise<{ open: OpenArtifactStore }>>;

type Scheme = keyof typeof artifactStores;

/**
 * Opens the artifact store that an address names: a path or `file:` URI for local files, else by scheme.
 * Throws `INVALID_PARAMETER_VALUE` for a scheme that no store handles.
 */
export async function openArtifactStore(
  uri: string,
  options: OpenArtifactStoreOptions = {},
): Promise<ArtifactStore> {
  const scheme = uriScheme(uri) || "file";
  if (!Object.hasOwn(artifactStores, scheme)) {
    const known = Object.keys(artifactStores).map((name) => `${name}:`);
    throw new PlatformError(
      "INVALID_PARAMETER_VALUE",
      `No artifact store handles '${uri}'. Use a local path or one of: ${known.join(", ")}.`,
      { uri, scheme },
    );
  }
  const { open } = await artifactStores[scheme as Scheme]();
  return open(uri, options);
}
