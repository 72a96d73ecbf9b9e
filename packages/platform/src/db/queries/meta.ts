import type { Database } from "../database.ts";

const KEY_BYTES = 32;

/** The key that authenticates page tokens and upload addresses: made once, kept with the data. */
export async function loadTokenKey(db: Database, random: (bytes: Uint8Array) => void): Promise<Uint8Array> {
  const sql = "SELECT value FROM millrace_meta WHERE key = 'token_key'";
  const known = await db.read((reader) => reader.get<{ value: string }>(sql));
  if (known !== undefined) return Buffer.from(known.value, "base64url");
  const fresh = new Uint8Array(KEY_BYTES);
  random(fresh);
  return db.write(async (tx) => {
    await tx.run(
      "INSERT INTO millrace_meta (key, value) VALUES ('token_key', ?) ON CONFLICT (key) DO NOTHING",
      [Buffer.from(fresh).toString("base64url")],
    );
    const row = await tx.get<{ value: string }>(sql);
    return Buffer.from(row!.value, "base64url");
  });
}
