import type { UseCases } from "../handler.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from "./multipart.ts";
import * as owned from "./of-runs.ts";
import {
  deleteArtifact,
  downloadArtifact,
  getProxiedPresignedUrl,
  listProxiedArtifacts,
  writeArtifact,
} from "./proxy.ts";

export const artifactUseCases = {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  createPresignedDownloadUrl: owned.createPresignedDownloadUrl,
  createPresignedUploadUrl: owned.createPresignedUploadUrl,
  deleteArtifact,
  downloadArtifact,
  getLoggedModelArtifact: owned.getLoggedModelArtifact,
  getProxiedPresignedUrl,
  getRunArtifact: owned.getRunArtifact,
  getVersionArtifact: owned.getVersionArtifact,
  listArtifacts: owned.listArtifacts,
  listLoggedModelArtifacts: owned.listLoggedModelArtifacts,
  listProxiedArtifacts,
  uploadArtifact: owned.uploadArtifact,
  uploadPart,
  writeArtifact,
} satisfies Partial<UseCases>;
