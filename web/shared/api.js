// Asks the server, and says what it answered. A command has a key and is sent again until its outcome is known; a stream
// begins anew until it is ended. What is no success is a `Problem` with the contract's code.

/** An answer that is no success, as the contract names it; `code` is `unreachable` where no answer came. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body */
  constructor(status, body) {
    super(body.detail ?? body.code);
    this.status = status;
    this.code = /** @type {string} */ (body.code ?? "internal");
    this.members = body;
  }
}

/** Codes after which the same command may be sent again under its key. */
const AGAIN = new Set(["outcome-unknown", "overloaded", "log-unavailable", "read-model-behind", "unreachable"]);
/** How often a command is sent before the person is asked, and the longest pause between two attempts. */
const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 4_000;
/** A stream says something every 5 s; when nothing came for so long, the connection is lost. */
const SILENCE_MS = 12_000;
/** A command is answered within 5 s; a house of 50,000 seats may take a weak signal longer. */
const COMMAND_MS = 12_000;
const QUERY_MS = 60_000;

/** The position that the last command was answered at: a query shows at least that. */
let seen = 0;
/** How often a query was too early for it, one after the other. A log that was begun anew never gets there. */
let tooEarly = 0;
const TOO_EARLY = 2;
/** How far the server's clock is from this machine's, in milliseconds; `Date` tells whole seconds. */
let skew = 0;

/** The time by the server's clock: those of the machines that look at a page lie. */
export const serverNow = () => Date.now() + skew;

/** @type {Set<(lost: boolean) => void>} */
const watchers = new Set();
let lost = false;

/** Calls `watcher` when the connection is lost and when it is back. @param {(lost: boolean) => void} watcher */
export function onConnection(watcher) {
  watchers.add(watcher);
}

/** @param {boolean} now */
function connection(now) {
  if (now === lost) return;
  lost = now;
  for (const watcher of watchers) watcher(now);
}

/** 128 random bits as text. `crypto.randomUUID` is there on https and loopback only. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * @typedef {object} Options
 * @property {string | null} [token] what `Authorization` says
 * @property {object} [body] sent as JSON
 * @property {string} [key] the idempotency key
 * @property {AbortSignal} [signal]
 */

/** One request, one answer. @param {string} method @param {string} path @param {Options} [options] @returns {Promise<any>} */
export async function ask(method, path, options = {}) {
  return (await exchange(method, path, options)).answer;
}

/** An answer with the log's position that it was made at. @param {string} method @param {string} path @param {Options} options */
async function exchange(method, path, options) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.body) headers["Content-Type"] = "application/json";
  if (options.key) headers["Idempotency-Key"] = options.key;
  const body = options.body ? JSON.stringify(options.body) : undefined;
  const query = method === "GET" && seen > 0 && path.startsWith("/api/") ? `${path.includes("?") ? "&" : "?"}minPosition=${seen}` : "";
  const limit = AbortSignal.timeout(method === "GET" ? QUERY_MS : COMMAND_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  let response, answer, isJson;
  try {
    response = await fetch(path + query, { method, headers, body, signal });
    isJson = /[/+]json/.test(response.headers.get("Content-Type") ?? "");
    answer = isJson ? await response.json() : await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    connection(true);
    throw new Problem(0, { code: "unreachable" });
  }
  connection(false);
  const ahead = Date.parse(response.headers.get("Date") ?? "") - Date.now();
  if (Math.abs(ahead) > 2_000 || skew !== 0) skew = ahead || 0;
  const position = Number(response.headers.get("Log-Position") ?? 0);
  if (method !== "GET" && position > seen) seen = position;
  if (response.ok) {
    tooEarly = 0;
    return { answer, position };
  }
  const retryAfter = Number(response.headers.get("Retry-After") ?? 0);
  const problem = new Problem(response.status, isJson ? { ...answer, retryAfter } : { code: "internal" });
  tooEarly = problem.code === "read-model-behind" ? tooEarly + 1 : 0;
  if (tooEarly >= TOO_EARLY) seen = 0;
  throw problem;
}

/** Asks until there is an answer: what has no outcome yet is asked again. @param {string} path @param {Options} [options] */
export const get = (path, options) => insist(() => ask("GET", path, options));

/** As `get`, with the log's position. @param {string} path @param {Options} [options] */
export const getAt = (path, options = {}) => insist(() => exchange("GET", path, options));

/** Commands whose outcome is not known, with their keys: asked for again, such a command is the same one, and happens once. */
const unsettled = /** @type {Map<string, string>} */ (new Map());

/** Sends a command once, however often that takes. @param {string} method @param {string} path @param {Options} [options] */
export async function command(method, path, options = {}) {
  const same = JSON.stringify([method, path, options.body]);
  const key = unsettled.get(same) ?? randomKey();
  unsettled.set(same, key);
  let isSettled = true;
  try {
    return await insist(() => ask(method, path, { ...options, key }));
  } catch (error) {
    isSettled = !(error instanceof Problem && AGAIN.has(error.code));
    throw error;
  } finally {
    if (isSettled) unsettled.delete(same);
  }
}

/** @param {() => Promise<any>} attempt */
async function insist(attempt) {
  for (let times = 1; ; times += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Problem) || !AGAIN.has(error.code) || times >= ATTEMPTS) throw error;
      await pause(Math.min((error.members.retryAfter || 0.3 * times) * 1_000, LONGEST_PAUSE_MS));
    }
  }
}

/**
 * @typedef {object} Frame
 * @property {string} event `message` unless the server named it
 * @property {any} data
 */

/**
 * Server-sent events by `fetch`, since `EventSource` sends no `Authorization`. It begins again after what it has seen.
 * @param {string} path @param {{token?: string | null, signal: AbortSignal, after?: number}} options
 * @returns {AsyncGenerator<Frame>}
 */
export async function* stream(path, { token, signal, after }) {
  let lastId = after === undefined ? "" : String(after);
  for (let failures = 0; !signal.aborted; ) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop);
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      /** @type {Record<string, string>} */
      const headers = { Accept: "text/event-stream" };
      if (token) headers.Authorization = `Bearer ${token}`;
      if (lastId) headers["Last-Event-ID"] = lastId;
      const response = await fetch(path, { headers, signal: attempt.signal });
      if (!response.ok || !response.body) throw new Problem(response.status, await response.json());
      connection(false);
      failures = 0;
      for await (const line of lines(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
        if (line.id) lastId = line.id;
        if (line.data) yield { event: line.event, data: JSON.parse(line.data) };
        if (line.event === "reset") lastId = "";
      }
    } catch (error) {
      if (signal.aborted) return;
      // Whoever has no right to the stream must be told; all else is bad luck.
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
      failures += 1;
      if (failures > 1 || !(error instanceof Problem)) connection(true);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      attempt.abort();
    }
    await pause(Math.min(250 * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random()));
  }
}

/** The events of a body; a comment comes as one without data. @param {ReadableStream<Uint8Array>} body */
async function* lines(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = /** @type {string} */ (parts.pop());
    for (const part of parts) {
      const frame = { event: "message", id: "", data: "" };
      for (const line of part.split("\n")) {
        const [, field, text] = /^(\w*):? ?(.*)$/.exec(line) ?? [];
        if (field === "event") frame.event = text;
        if (field === "id") frame.id = text;
        if (field === "data") frame.data += text;
      }
      yield frame;
    }
  }
}
