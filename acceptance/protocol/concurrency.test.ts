import { describe, expect, it } from "vitest";
import { call, expectError, ok } from "./call.ts";
import { createRegisteredModel, createRun, getRun, history, logBatch, unique } from "./entities.ts";

/** Below MLflow's pool of 15 connections. */
const writers = 10;
const together = <T>(work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: writers }, (_, index) => work(index)));

describe("requests at the same time", () => {
  it("lose no point, and agree on the latest", async () => {
    const { run_id } = await createRun();
    await together((writer) =>
      logBatch(run_id, {
        metrics: Array.from({ length: 50 }, (_, i) => {
          const step = i * writers + writer;
          return { key: "m", value: step, timestamp: step, step };
        }),
      }),
    );
    const steps = (await history(run_id, "m")).map(([, , step]) => step);
    expect(steps).toEqual(Array.from({ length: 50 * writers }, (_, step) => step));
    expect((await getRun(run_id)).data.metrics).toMatchObject([{ step: 50 * writers - 1 }]);
  });

  it("write identical points once", async () => {
    const { run_id } = await createRun();
    const metrics = [{ key: "m", value: 0.5, timestamp: 1, step: 1 }];
    await together(() => logBatch(run_id, { metrics }));
    expect(await history(run_id, "m")).toEqual([[0.5, 1, 1]]);
  });

  it("let one of several values of a parameter win", async () => {
    const { run_id } = await createRun();
    const answers = await together((writer) =>
      call("POST", "runs/log-parameter", { run_id, key: "p", value: String(writer) }),
    );
    const won = answers.flatMap(({ status }, writer) => (status === 200 ? [String(writer)] : []));
    expect(won).toHaveLength(1);
    expect((await getRun(run_id)).data.params).toEqual([{ key: "p", value: won[0] }]);
    for (const answer of answers)
      if (answer.status !== 200) expectError(answer, 400, "INVALID_PARAMETER_VALUE");
  });

  it("create one experiment of a name", async () => {
    const name = unique("race");
    const answers = await together(() => call("POST", "experiments/create", { name }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers)
      if (answer.status !== 200) expectError(answer, 400, "RESOURCE_ALREADY_EXISTS");
  });

  it("give every version a number of its own", async () => {
    const name = await createRegisteredModel();
    const made: number[] = [];
    // MLflow gives up after three collisions, so only three come together.
    for (let round = 0; round < 4; round++) {
      const versions = await Promise.all(
        [0, 1, 2].map(() =>
          ok<{ model_version: { version: string } }>("POST", "model-versions/create", {
            name,
            source: "s3://b/p",
          }),
        ),
      );
      made.push(...versions.map(({ model_version }) => Number(model_version.version)));
    }
    expect(made.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  });
});
