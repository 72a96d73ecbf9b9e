export * from "./field.ts";
export * from "./message.ts";
export { parseExactJson } from "./exact-json.ts";
