/** The conformance suites, for members of a family that live elsewhere. They run under vitest. */
export { artifactStoreSuite } from "./artifact-store-suite.ts";
