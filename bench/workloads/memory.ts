import { settle, treePssMib } from "../measure/process-tree.ts";
import type { Workload } from "../session.ts";

/** Runs last: what the server weighs after everything before it. */
export const memory: Workload = {
  name: "memory",
  figures: [
    {
      id: "memory.idle",
      title: "PSS of the server, idle",
      unit: "MiB",
      better: "lower",
      goals: [{ bound: "at most", value: 80 }],
    },
    {
      id: "memory.after",
      title: "PSS of the server, after all workloads",
      unit: "MiB",
      better: "lower",
      goals: [{ bound: "at most", value: 180 }],
    },
  ],
  async run({ server, idlePssMib }) {
    await settle(server.pid);
    return { "memory.idle": { value: idlePssMib }, "memory.after": { value: treePssMib(server.pid) } };
  },
};
