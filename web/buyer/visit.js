// The visit: who somebody is, and their place in the room. The token lives as long as the tab (`sessionStorage`), never in an
// address; a made-up user's id, which is no credential, stays with the browser, so that a closed tab loses no seats.

import { ask, command, get, Problem, stream } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { accessToken, signIn } from "./login.js";

const TOKEN = "reprise-token";
const USER = "reprise-user";

/**
 * @typedef {object} Token
 * @property {number} tokenId
 * @property {number} userId
 * @property {string} token
 * @property {"WAITING" | "ACTIVE" | "FINISHED" | "EXPIRED"} status
 * @property {number | null} queueNumber
 * @property {number | null} ahead
 * @property {number | null} estimatedWaitSeconds
 * @property {number | null} [entrant]
 * @property {number | null} expiresInSeconds
 * @property {number | null} [arriveInSeconds]
 */

/** @type {{token: Token | null, queue: Record<string, any> | null, changed: () => void}} */
export const visit = { token: null, queue: null, changed: () => {} };

/** What `Authorization` says, or null before one has joined. */
export const credential = () => sessionStorage.getItem(TOKEN);

/** @param {Token} token */
function keep(token) {
  const before = visit.token?.status;
  visit.token = token;
  sessionStorage.setItem(TOKEN, token.token);
  if (token.status === "ACTIVE" && token.arriveInSeconds != null && before !== "ACTIVE") arrive();
  visit.changed();
}

/** A token that names nobody any more is forgotten, unless another one came meanwhile. @param {string | null} asked */
function forget(asked) {
  if (credential() !== asked) return;
  visit.token = null;
  sessionStorage.removeItem(TOKEN);
  visit.changed();
}

/** Says that somebody is here, so that an admitted place is not given on. */
function arrive() {
  command("POST", "/api/tokens/me/arrival", { token: credential() }).then(keep, () => {});
}

/** A user's id for somebody whom nobody asks who they are. */
function madeUpUser() {
  const known = Number(localStorage.getItem(USER));
  if (Number.isSafeInteger(known) && known > 0) return known;
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  const userId = 1_000_000 + (high % 2 ** 20) * 2 ** 32 + low;
  localStorage.setItem(USER, String(userId));
  return userId;
}

/** The moment from which it is measured how long the map takes. @param {Token} token */
function joined(token) {
  performance.mark("token-answered");
  keep(token);
}

/**
 * Joins the line, or comes back to the place that one has. Where somebody must sign in, the page is left for it; but a sign-in
 * that was just made and is not accepted would not be accepted the next time, either.
 */
export async function join(hasJustSignedIn = false) {
  if (settings.identity === "open") return joined(await command("POST", "/api/tokens", { body: { userId: madeUpUser() } }));
  const jwt = accessToken();
  if (!jwt) return signIn();
  try {
    joined(await command("POST", "/api/tokens", { token: jwt, body: {} }));
  } catch (error) {
    if (error instanceof Problem && error.code === "identity-invalid" && !hasJustSignedIn) return signIn();
    throw error;
  }
}

/** Leaves the line, or gives the turn up. */
export async function leave() {
  keep(await command("DELETE", "/api/tokens/me", { token: credential() }));
}

/** Takes up what this tab left: the token, if it still names somebody. */
export async function resume() {
  const asked = credential();
  if (!asked) return;
  try {
    const token = await get("/api/tokens/me", { token: asked });
    if (credential() === asked) keep(token);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) forget(asked);
    else throw error;
  }
}

/** Asks how the room stands: open, in a pre-queue, or paused. */
export async function lookAtQueue() {
  visit.queue = await ask("GET", "/api/queue");
  visit.changed();
}

/** Follows one's own place until it is no longer in line. @param {AbortSignal} signal */
export async function follow(signal) {
  const asked = credential();
  try {
    for await (const { data } of stream("/api/tokens/me/stream", { token: asked, signal })) {
      const before = visit.queue?.state;
      keep(data);
      // What could not be asked now is asked again a little later.
      if (data.state !== before) await lookAtQueue().catch(() => {});
      if (data.status !== "WAITING") return;
    }
  } catch (error) {
    if (error instanceof Problem && error.status === 401) forget(asked);
    else if (!signal.aborted) throw error;
  }
}
