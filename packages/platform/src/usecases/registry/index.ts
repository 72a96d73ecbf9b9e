import type { UseCases } from "../handler.ts";
import { deleteAlias, getModelVersionByAlias, setAlias } from "./aliases.ts";
import { createModelVersion } from "./create-version.ts";
import { deleteRegisteredModelTag, setRegisteredModelTag } from "./registered-model-tags.ts";
import {
  createRegisteredModel,
  deleteRegisteredModel,
  getRegisteredModel,
  renameRegisteredModel,
  updateRegisteredModel,
} from "./registered-models.ts";
import { searchModelVersions } from "./search-model-versions.ts";
import { searchRegisteredModels } from "./search-registered-models.ts";
import { getLatestVersions, transitionModelVersionStage } from "./stages.ts";
import { deleteModelVersionTag, setModelVersionTag } from "./version-tags.ts";
import {
  deleteModelVersion,
  getModelVersion,
  getModelVersionDownloadUri,
  updateModelVersion,
} from "./versions.ts";

export const registryUseCases = {
  createModelVersion,
  createRegisteredModel,
  deleteAlias,
  deleteModelVersion,
  deleteModelVersionTag,
  deleteRegisteredModel,
  deleteRegisteredModelTag,
  getLatestVersions,
  getModelVersion,
  getModelVersionByAlias,
  getModelVersionDownloadUri,
  getRegisteredModel,
  renameRegisteredModel,
  searchModelVersions,
  searchRegisteredModels,
  setAlias,
  setModelVersionTag,
  setRegisteredModelTag,
  transitionModelVersionStage,
  updateModelVersion,
  updateRegisteredModel,
} satisfies Partial<UseCases>;
