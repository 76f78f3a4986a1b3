// What a buyer can check without trusting the server: the hash of a record, and a place in a draw. Both are computed here,
// by the browser's own SHA-256, which exists on https and on loopback.

/** Whether this browser lets a page compute hashes here. */
export const canProve = globalThis.crypto?.subtle !== undefined;

const utf8 = new TextEncoder();

/** @param {...Uint8Array} parts @returns {Uint8Array<ArrayBuffer>} */
function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 8 bytes, big-endian. @param {number} number */
function integer(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

/** @param {string} text */
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
/** @param {Uint8Array} bytes */
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {...Uint8Array} parts */
async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

/**
 * The hash of a record of the log, from its parts:
 * SHA-256("reprise/1" ‖ previous hash ‖ position ‖ recorded_at ‖ length and bytes of type ‖ type_version ‖ SHA-256(data) ‖
 * SHA-256(metadata)).
 * @param {{position: number, recordedAt: number | string, type: string, typeVersion: number, data: string, metadataHash: string, previousHash: string}} record
 */
export async function recordHash(record) {
  const type = utf8.encode(record.type);
  const recordedAt = typeof record.recordedAt === "number" ? record.recordedAt : Date.parse(record.recordedAt);
  return toHex(
    await sha256(
      utf8.encode("reprise/1"),
      fromHex(record.previousHash),
      integer(record.position),
      integer(recordedAt),
      integer(type.length),
      type,
      integer(record.typeVersion),
      await sha256(utf8.encode(record.data)),
      fromHex(record.metadataHash),
    ),
  );
}

const ROUNDS = 90;

/**
 * Where entrant `index` of `count` stands after the shuffle with `key`: `compute_shuffled_index` of Ethereum's consensus
 * specification (phase 0), the swap-or-not shuffle of Hoang, Morris and Rogaway (2012).
 * @param {number} index @param {number} count @param {Uint8Array} key
 */
export async function place(index, count, key) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = new DataView((await sha256(key, Uint8Array.of(round))).buffer);
    const pivot = Number(first.getBigUint64(0, true) % BigInt(count));
    const flip = (pivot + count - index) % count;
    const position = Math.max(index, flip);
    const block = new Uint8Array(4);
    new DataView(block.buffer).setUint32(0, Math.floor(position / 256), true);
    const source = await sha256(key, Uint8Array.of(round), block);
    const bit = (source[Math.floor((position % 256) / 8)] >> (position % 8)) & 1;
    if (bit) index = flip;
  }
  return index;
}

/**
 * The queue number of entrant `entrant`, and whether the seed is the one that was committed to.
 * @param {{first: number, entrants: number, closedHash: string, seed: string, beacon: string | null, commitment: string}} draw
 * @param {number} entrant
 */
export async function drawnNumber(draw, entrant) {
  const seed = fromHex(draw.seed);
  const key = await sha256(
    utf8.encode("reprise/draw/1"),
    seed,
    fromHex(draw.beacon ?? ""),
    fromHex(draw.closedHash),
    integer(draw.entrants),
  );
  const isCommitted = toHex(await sha256(seed)) === draw.commitment;
  return { queueNumber: draw.first + (await place(entrant, draw.entrants, key)), isCommitted };
}
