/**
 * Page tokens: where a page ended, by key and not by offset, so that rows whose sort key did not change are neither
 * lost nor repeated while others come and go. They are versioned and authenticated, because they are trusted as
 * positions, and bound to the query they belong to.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { invalidParameter } from "@millrace/contract";
import type { Context } from "../context.ts";

const VERSION = 1;
const MAC_BYTES = 12;

/** A position is a list of plain values; doubles travel as their 64 bits. */
export type Position = readonly (string | number | null)[];

function mac(ctx: Pick<Context, "tokenKey">, payload: string): Buffer {
  return createHmac("sha256", ctx.tokenKey).update(payload).digest().subarray(0, MAC_BYTES);
}

/** `query` is whatever must be the same on the next page: ids, filter, order. */
export function encodePageToken(ctx: Pick<Context, "tokenKey">, query: unknown, position: Position): string {
  const payload = Buffer.from(JSON.stringify([VERSION, queryHash(query), ...position])).toString("base64url");
  return `${payload}.${mac(ctx, payload).toString("base64url")}`;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE for a token that is damaged, made up, or of another query */
export function decodePageToken(ctx: Pick<Context, "tokenKey">, query: unknown, token: string): Position {
  const [payload = "", signature = ""] = token.split(".");
  const given = Buffer.from(signature, "base64url");
  if (given.length !== MAC_BYTES || !timingSafeEqual(given, mac(ctx, payload))) {
    throw invalidParameter(
      "Invalid page token: this server did not make it. Start again without a page token.",
      { pageToken: token.slice(0, 100) },
    );
  }
  const [version, hash, ...position] = JSON.parse(Buffer.from(payload, "base64url").toString()) as [
    number,
    string,
    ...Position,
  ];
  if (version !== VERSION || hash !== queryHash(query)) {
    throw invalidParameter(
      "Invalid page token: it belongs to another query. Send the same filter, order and ids as for the first page, or start again without a page token.",
    );
  }
  return position;
}

function queryHash(query: unknown): string {
  return createHmac("sha256", "query").update(JSON.stringify(query)).digest("base64url").slice(0, 16);
}
