import { boolean, integer, message, string, stringMap, type TypeOf } from "../wire/index.ts";

/** Directories have no size; files of 0 bytes have none either, as upstream. */
export const FileInfo = message("FileInfo", { path: string(), isDir: boolean(), fileSize: integer() });
export type FileInfo = TypeOf<typeof FileInfo>;

/** Where one part of a multipart upload goes. */
export const MultipartCredential = message("MultipartUploadCredential", {
  url: string(),
  partNumber: integer(),
  headers: stringMap(),
});
export type MultipartCredential = TypeOf<typeof MultipartCredential>;

export const MultipartPart = message("MultipartUploadPart", {
  partNumber: integer(),
  etag: string(),
  url: string(),
});
export type MultipartPart = TypeOf<typeof MultipartPart>;
