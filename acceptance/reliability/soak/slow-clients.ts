/** Clients behind a bad line: they send or read a byte, or a little more, every 100 ms. */
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const TICK_MS = 100;
/** So many ticks of an exchange pass a byte each; the rest goes faster, or a large file would take a day. */
const BYTE_TICKS = 30;
const UPLOAD_BYTES = 256 * 1024;
const UPLOAD_PIECE_BYTES = 16 * 1024;
/** Larger than what the kernel keeps for both ends, so that the server feels that nobody reads. */
const DOWNLOAD_BYTES = 24 * 1024 * 1024;
const DOWNLOAD_PIECE_BYTES = 1024 * 1024;

const artifacts = "/api/2.0/mlflow-artifacts/artifacts/slow";

export interface SlowClients {
  readonly exchanges: number;
  readonly errors: readonly string[];
}

type Exchange = (port: number, index: number) => Promise<string | undefined>;

/** Runs `count` clients of all kinds until `isOver`; each finishes at least one exchange. */
export async function runSlowClients(
  url: string,
  runId: string,
  count: number,
  isOver: () => boolean,
): Promise<SlowClients> {
  const port = Number(new URL(url).port);
  const file = Buffer.alloc(DOWNLOAD_BYTES, "0123456789abcdef-");
  await fetch(`${url}${artifacts}/large.bin`, { method: "PUT", body: file });
  const digest = sha256(file);
  const kinds: readonly Exchange[] = [
    (port, index) => sendHeadSlowly(port, runId, index),
    (port, index) => sendBodySlowly(port, runId, index),
    (port, index) => uploadSlowly(port, index),
    (port) => downloadSlowly(port, digest),
  ];
  let exchanges = 0;
  const errors: string[] = [];
  const client = async (index: number): Promise<void> => {
    do {
      const problem = await kinds[index % kinds.length]!(port, index).catch((error: unknown) =>
        String(error),
      );
      if (problem !== undefined) errors.push(problem);
      exchanges++;
    } while (!isOver() && errors.length < count);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => client(index)));
  return { exchanges, errors };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

/** The whole answer; the server closes the connection after it, because the request asked so. */
async function answerOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}

async function writeSlowly(socket: Socket, bytes: Buffer, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    socket.write(bytes.subarray(at, at + pieceBytes));
    await delay(TICK_MS);
  }
}

async function sendHeadSlowly(port: number, runId: string, index: number): Promise<string | undefined> {
  const socket = await open(port);
  const answer = answerOf(socket);
  const path = index % 8 === 0 ? "/health" : `/api/2.0/mlflow/runs/get?run_id=${runId}`;
  await writeSlowly(
    socket,
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    1,
  );
  const text = await answer;
  const isRight =
    text.startsWith("HTTP/1.1 200") && text.includes(index % 8 === 0 ? "OK" : `"run_id":"${runId}"`);
  return isRight ? undefined : `head sent slowly: ${text.slice(0, 300)}`;
}

async function sendBodySlowly(port: number, runId: string, index: number): Promise<string | undefined> {
  const body = Buffer.from(JSON.stringify({ run_id: runId, key: `slow${index}`, value: "é" }));
  const socket = await open(port);
  const answer = answerOf(socket);
  socket.write(
    `POST /api/2.0/mlflow/runs/set-tag HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await writeSlowly(socket, body, 1);
  const text = await answer;
  return /^HTTP\/1\.1 200 [^]*\r\n\r\n\{\}$/.test(text)
    ? undefined
    : `body sent slowly: ${text.slice(0, 300)}`;
}

async function uploadSlowly(port: number, index: number): Promise<string | undefined> {
  const content = Buffer.alloc(UPLOAD_BYTES, `upload ${index} ${performance.now()} `);
  const path = `${artifacts}/up-${index}.bin`;
  const socket = await open(port);
  const answer = answerOf(socket);
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${content.length}\r\n\r\n`,
  );
  await writeSlowly(socket, content.subarray(0, BYTE_TICKS), 1);
  await writeSlowly(socket, content.subarray(BYTE_TICKS), UPLOAD_PIECE_BYTES);
  const text = await answer;
  if (!text.startsWith("HTTP/1.1 200")) return `upload sent slowly: ${text.slice(0, 300)}`;
  const stored = await (await fetch(`http://127.0.0.1:${port}${path}`)).bytes();
  return sha256(stored) === sha256(content) ? undefined : `upload sent slowly: other bytes are stored`;
}

async function downloadSlowly(port: number, digest: string): Promise<string | undefined> {
  const socket = await open(port);
  socket.pause();
  socket.write(`GET ${artifacts}/large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  const hash = createHash("sha256");
  let head = Buffer.alloc(0);
  let inHead = true;
  let bytes = 0;
  let ended = false;
  socket.once("end", () => (ended = true));
  socket.once("close", () => (ended = true));
  const take = (chunk: Buffer): void => {
    if (!inHead) {
      hash.update(chunk);
      bytes += chunk.length;
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    inHead = false;
    take(head.subarray(end + 4));
  };
  for (let tick = 0; !ended; tick++) {
    await delay(TICK_MS);
    for (let wanted = tick < BYTE_TICKS ? 1 : DOWNLOAD_PIECE_BYTES; wanted > 0;) {
      const chunk = socket.read(Math.min(wanted, socket.readableLength || 1)) as Buffer | null;
      if (chunk === null) break;
      wanted -= chunk.length;
      take(chunk);
    }
  }
  socket.destroy();
  if (bytes === DOWNLOAD_BYTES && hash.digest("hex") === digest) return undefined;
  return `download read slowly: ${bytes} bytes, ${head.toString("latin1", 0, 200)}`;
}
