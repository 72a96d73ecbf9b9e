/**
 * Secrets of webhooks at rest: AES-256-GCM under a key from the settings, or one that is made once and kept with the
 * data. What is stored: a version byte, the nonce, the ciphertext, the authentication tag.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { invalidParameter, PlatformError } from "@millrace/contract";
import type { Context } from "../../context.ts";

const VERSION = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

export interface SecretBox {
  /** Binds the secret to its webhook: moved to another one, it cannot be read. */
  seal(secret: string, webhookId: string): Uint8Array;
  /** @throws PlatformError DATA_LOSS when the key is another than the one it was sealed with */
  open(sealed: Uint8Array, webhookId: string): string;
}

const boxes = new WeakMap<object, Promise<SecretBox>>();

/** The box of this server; its key is read or made on first use. */
export function secretBox(ctx: Context): Promise<SecretBox> {
  let box = boxes.get(ctx.db);
  if (box === undefined) {
    box = encryptionKey(ctx).then((key) => createSecretBox(key, ctx.random));
    boxes.set(ctx.db, box);
    box.catch(() => boxes.delete(ctx.db));
  }
  return box;
}

export function createSecretBox(key: Uint8Array, random: (bytes: Uint8Array) => void): SecretBox {
  const derived = new Uint8Array(
    hkdfSync("sha256", key, new Uint8Array(), "millrace webhook secrets 1", KEY_BYTES),
  );
  return {
    seal(secret, webhookId) {
      const nonce = new Uint8Array(NONCE_BYTES);
      random(nonce);
      const cipher = createCipheriv(CIPHER, derived, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(webhookId));
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, text, cipher.getAuthTag()]);
    },
    open(sealed, webhookId) {
      try {
        if (sealed[0] !== VERSION || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Error("bad form");
        const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
        const decipher = createDecipheriv(CIPHER, derived, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(webhookId));
        decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
        const text = decipher.update(sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString("utf8");
      } catch (cause) {
        throw new PlatformError(
          "DATA_LOSS",
          `The secret of the webhook ${webhookId} cannot be decrypted. Start the server with the MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY it was stored with, or give the webhook its secret again.`,
          { webhookId },
          cause,
        );
      }
    },
  };
}

/** A Fernet key as MLflow's setting has it, 32 bytes in base64, or a key of our own. */
async function encryptionKey(ctx: Context): Promise<Uint8Array> {
  const given = ctx.settings.webhooks.secretEncryptionKey;
  if (given !== undefined && given !== "") {
    const key = Buffer.from(given, "base64url");
    if (key.length === KEY_BYTES) return key;
    throw invalidParameter(
      `The server's MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY holds ${key.length} bytes instead of ${KEY_BYTES} in base64, so it keeps no secrets. Set a Fernet key and start the server again.`,
    );
  }
  const sql = "SELECT value FROM millrace_meta WHERE key = 'webhook_secret_key'";
  const known = await ctx.db.read((reader) => reader.get<{ value: string }>(sql));
  if (known !== undefined) return Buffer.from(known.value, "base64url");
  const fresh = new Uint8Array(KEY_BYTES);
  ctx.random(fresh);
  return ctx.db.write(async (tx) => {
    await tx.run(
      "INSERT INTO millrace_meta (key, value) VALUES ('webhook_secret_key', ?) ON CONFLICT (key) DO NOTHING",
      [Buffer.from(fresh).toString("base64url")],
    );
    const row = await tx.get<{ value: string }>(sql);
    return Buffer.from(row!.value, "base64url");
  });
}
