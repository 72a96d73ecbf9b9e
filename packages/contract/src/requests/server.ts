import { Change } from "../entities/index.ts";
import { boolean, integer, json, list, message, nested, string } from "../wire/index.ts";

export const Empty = message("Empty", {});

export const ServerInfo = message("ServerInfo", {
  storeType: string(),
  workspacesEnabled: boolean(),
  traceArchivalEnabled: boolean(),
  multipartUploadsEnabled: boolean(),
  multipartDownloadsEnabled: boolean(),
  presignedUploadRunIdSupported: boolean(),
  presignedUploadModelIdSupported: boolean(),
  featuresEnabled: json(),
});

/** Ours: the feed of changes after a cursor. Without one it starts now. */
export const ListChangesRequest = message("ListChangesRequest", { cursor: string(), maxResults: integer() });
export const ListChangesResponse = message("ListChangesResponse", {
  changes: list(nested(Change)),
  /** Hand it back to go on; present always. */
  cursor: string(),
  /** The cursor is older than what is kept: read everything again. */
  reload: boolean(),
});
