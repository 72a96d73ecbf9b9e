import { FileInfo, MultipartCredential, MultipartPart } from "../entities/index.ts";
import { integer, list, message, nested, required, string, stringMap } from "../wire/index.ts";

const runUuid = { runId: "run_uuid" } as const;

export const ListRunArtifactsRequest = message(
  "ListRunArtifactsRequest",
  { runId: required(string()), path: string(), pageToken: string() },
  runUuid,
);

export const PresignedUploadRequest = message("PresignedUploadRequest", {
  runId: string(),
  modelId: string(),
  path: required(string()),
  expiration: integer(),
});
export const PresignedDownloadRequest = message("PresignedDownloadRequest", {
  runId: required(string()),
  path: required(string()),
  expiration: integer(),
});
export const PresignedResponse = message("PresignedResponse", {
  presignedUrl: string(),
  headers: stringMap(),
  fileSize: integer(),
});

/** The proxy. `artifactPath` is below the store's root. */
export const ListProxiedRequest = message("ListProxiedRequest", { path: string() });
export const ListProxiedResponse = message("ListProxiedResponse", { files: list(nested(FileInfo)) });
export const ProxiedPathRequest = message("ProxiedPathRequest", { artifactPath: required(string()) });
export const CreateMultipartRequest = message("CreateMultipartRequest", {
  artifactPath: required(string()),
  path: required(string()),
  numParts: integer(),
});
export const CreateMultipartResponse = message("CreateMultipartResponse", {
  uploadId: string(),
  credentials: list(nested(MultipartCredential)),
});
export const CompleteMultipartRequest = message("CompleteMultipartRequest", {
  artifactPath: required(string()),
  path: string(),
  uploadId: required(string()),
  parts: list(nested(MultipartPart)),
});
export const AbortMultipartRequest = message("AbortMultipartRequest", {
  artifactPath: required(string()),
  path: string(),
  uploadId: required(string()),
});
export const UploadPartRequest = message("UploadPartRequest", {
  uploadId: required(string()),
  partNumber: required(integer()),
  path: required(string()),
  /** Made by the server for this part: whoever has the address may upload, without further credentials. */
  signature: required(string()),
});
export const ProxiedPresignedResponse = message("ProxiedPresignedResponse", {
  url: string(),
  headers: stringMap(),
  fileSize: integer(),
});

/** Addresses that the web interface uses. */
export const GetRunArtifactRequest = message(
  "GetRunArtifactRequest",
  { runId: required(string()), path: required(string()) },
  runUuid,
);
export const GetVersionArtifactRequest = message("GetVersionArtifactRequest", {
  name: required(string()),
  version: required(string()),
  path: required(string()),
});
export const UploadArtifactRequest = message("UploadArtifactRequest", {
  runUuid: required(string()),
  path: required(string()),
});
