/** Ids as they look on the wire, and how they are made. */

const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/;

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** 32 lower-case hex digits: a version 4 UUID without dashes, as MLflow's servers make it. */
export function uuidHex(random: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hex(bytes);
}
