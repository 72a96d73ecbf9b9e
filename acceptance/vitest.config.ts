import { defineConfig } from "vitest/config";

const conditions = ["millrace-source", "node", "import", "module", "default"];

/** Long enough for a virtual environment that is made first, and for servers that start slowly. */
const minutes = (count: number) => count * 60_000;

const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

/**
 * Everything below `acceptance/`, one file after the other: the suites share two cores with the servers they
 * drive. The protocol tests have one server for all; the others start their own through `server.ts`.
 */
export default defineConfig({
  ...shared,
  test: {
    fileParallelism: false,
    maxWorkers: 1,
    projects: [
      {
        ...shared,
        test: {
          name: "protocol",
          root: import.meta.dirname,
          include: ["protocol/**/*.test.ts"],
          globalSetup: ["protocol/setup.ts"],
          execArgv: ["--conditions=millrace-source"],
          testTimeout: 60_000,
          hookTimeout: minutes(3),
        },
      },
      {
        ...shared,
        test: {
          name: "clients",
          root: import.meta.dirname,
          include: ["**/*.test.ts"],
          exclude: ["protocol/**", "**/node_modules/**", ".environments/**"],
          execArgv: ["--conditions=millrace-source"],
          testTimeout: minutes(15),
          hookTimeout: minutes(15),
        },
      },
    ],
  },
});
