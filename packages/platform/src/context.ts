/** What a use-case receives. Nothing below the root knows where these come from. */
import type { limits } from "@millrace/contract";
import type { ArtifactStore } from "./artifacts/store.ts";
import type { Activity } from "./db/activity.ts";
import type { Database } from "./db/database.ts";
import type { ArtifactHostPolicy } from "./domain/artifact-host-policy.ts";
import type { Sealer } from "./db/sealing.ts";

export type Limits = { readonly [K in keyof typeof limits]: number };

export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** What use-cases may know of the server's settings. */
export interface Settings {
  /** Artifact location of new experiments, for instance `mlflow-artifacts:/`. */
  readonly defaultArtifactRoot: string;
  /** Where proxied artifacts lie: a path or address of a store. */
  readonly artifactsDestination: string;
  readonly serveArtifacts: boolean;
  /** Long param and tag values are cut instead of refused (`MLFLOW_TRUNCATE_LONG_VALUES`). */
  readonly truncateLongValues: boolean;
  readonly modelVersionSourcePattern: string | undefined;
  /** Which artifact addresses that name a host are allowed. */
  readonly artifactHosts: ArtifactHostPolicy;
  /** Relative artifact locations are resolved against it. */
  readonly workingDirectory: string;
  readonly webhooks: WebhookSettings;
}

export interface WebhookSettings {
  readonly allowedSchemes: readonly string[];
  readonly allowPrivateAddresses: boolean;
  readonly requestTimeoutMs: number;
  readonly requestRetriesMax: number;
  /** Deliveries that are sent at the same time; 10 when absent. */
  readonly deliveriesMax?: number;
  /** Key that encrypts secrets at rest; made on first use when not given. */
  readonly secretEncryptionKey: string | undefined;
}

export interface Context {
  readonly db: Database;
  /** The store behind the artifact proxy. */
  readonly artifacts: ArtifactStore;
  /** A store at another address, for runs whose artifacts are not proxied. */
  readonly openArtifacts: (uri: string) => Promise<ArtifactStore>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Fills the bytes with randomness. */
  readonly random: (bytes: Uint8Array) => void;
  readonly log: Log;
  readonly limits: Limits;
  readonly sealer: Sealer;
  readonly activity: Activity;
  /** Authenticates page tokens; kept in the database. */
  readonly tokenKey: Uint8Array;
  readonly settings: Settings;
}
