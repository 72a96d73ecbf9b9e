import { checkBatch } from "../../domain/batch.ts";
import { checkRunId } from "../../domain/run-id.ts";
import type { UseCase } from "../handler.ts";
import { lengthRule } from "./rules.ts";
import { writeBatch } from "./write-batch.ts";

/** All of it is written, or nothing. */
export const logBatch: UseCase<"logBatch"> = async (ctx, request) => {
  checkRunId(request.runId);
  await writeBatch(ctx, request.runId, checkBatch(request, lengthRule(ctx)));
  return {};
};
