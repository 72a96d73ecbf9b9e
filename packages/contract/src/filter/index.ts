export * from "./check.ts";
export * from "./entities.ts";
export * from "./order.ts";
export * from "./print.ts";
export * from "./tree.ts";
export { tokenize, type Token, type TokenKind } from "./lexer.ts";
