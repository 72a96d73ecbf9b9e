import { invalidParameter } from "@millrace/contract";
import { pointProblem } from "../../domain/batch.ts";
import type { UseCase } from "../handler.ts";
import { lengthRule } from "./rules.ts";
import { writeBatch } from "./write-batch.ts";

export const logMetric: UseCase<"logMetric"> = async (ctx, point) => {
  const problem = pointProblem(point, "", lengthRule(ctx));
  if (problem !== undefined) throw invalidParameter(problem, { key: point.key });
  await writeBatch(ctx, point.runId, { metrics: [point], params: [], tags: [] });
  return {};
};
