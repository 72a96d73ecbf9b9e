import { checkBatch } from "../../domain/batch.ts";
import type { UseCase } from "../handler.ts";
import { lengthRule } from "./rules.ts";
import { writeBatch } from "./write-batch.ts";

/** All of it is written, or nothing. */
export const logBatch: UseCase<"logBatch"> = async (ctx, request) => {
  await writeBatch(ctx, request.runId, checkBatch(request, lengthRule(ctx)));
  return {};
};
