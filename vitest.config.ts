import { defineConfig } from "vitest/config";

const conditions = ["millrace-source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "bench/**/*.test.ts"],
    execArgv: ["--conditions=millrace-source"],
    testTimeout: 20_000,
    maxWorkers: 2,
  },
});
