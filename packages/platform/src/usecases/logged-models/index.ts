import type { UseCases } from "../handler.ts";
import { createLoggedModel } from "./create.ts";
import { deleteLoggedModel, finalizeLoggedModel, getLoggedModel } from "./life-cycle.ts";
import { searchLoggedModels } from "./search-logged-models.ts";
import { deleteLoggedModelTag, logLoggedModelParams, setLoggedModelTags } from "./texts.ts";

export const loggedModelUseCases = {
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  finalizeLoggedModel,
  getLoggedModel,
  logLoggedModelParams,
  searchLoggedModels,
  setLoggedModelTags,
} satisfies Partial<UseCases>;
