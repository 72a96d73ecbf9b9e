/** Turns what SQLite says into codes of ours; the driver's error stays as the cause. */
import { PlatformError } from "@millrace/contract";

const BUSY = 5;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;
const TOO_BIG = 18;
const NOT_A_DATABASE = 26;

export function translate(error: unknown): unknown {
  if (error instanceof PlatformError) return error;
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
  if (code !== "ERR_SQLITE_ERROR" || errcode === undefined) return error;
  const facts = { sqlite: errcode };
  switch (errcode & 0xff) {
    case CONSTRAINT:
      return new PlatformError(
        "RESOURCE_ALREADY_EXISTS",
        `A row with this key exists already: ${message}.`,
        facts,
        error,
      );
    case FULL:
      return new PlatformError(
        "TEMPORARILY_UNAVAILABLE",
        "The disk that holds the database is full. Nothing was written; free some space and the server goes on by itself.",
        facts,
        error,
      );
    case IO_ERROR:
    case CANNOT_OPEN:
    case READ_ONLY:
      return new PlatformError(
        "TEMPORARILY_UNAVAILABLE",
        `The database file cannot be read or written at the moment (${message}). Nothing was written; check the disk and the file's permissions.`,
        facts,
        error,
      );
    case BUSY:
      return new PlatformError(
        "TEMPORARILY_UNAVAILABLE",
        "Another process holds the database file. Nothing was written; try again.",
        facts,
        error,
      );
    case TOO_BIG:
      return new PlatformError("INVALID_PARAMETER_VALUE", "A value is too large to be stored.", facts, error);
    case CORRUPT:
    case NOT_A_DATABASE:
      return new PlatformError(
        "DATA_LOSS",
        `The database file is damaged or is no SQLite database (${message}). Run \`millrace db check\`, or restore a backup.`,
        facts,
        error,
      );
    default:
      return error;
  }
}

/** Whether an error of one statement ends the whole transaction: SQLite may have rolled it back by itself. */
export function endsTransaction(error: unknown): boolean {
  return (
    error instanceof PlatformError && (error.code === "TEMPORARILY_UNAVAILABLE" || error.code === "DATA_LOSS")
  );
}
