// Signing in by OpenID Connect: the authorization code flow with PKCE (RFC 7636). The token that comes back is used once, to
// join, and stays in this page's memory.

import { randomKey } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { say } from "../shared/words.js";

const PENDING = "reprise-login";
/** @type {string | null} */
let jwt = null;

/** The token of the last sign-in, while this page is open. */
export const accessToken = () => jwt;

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** What the provider says of itself (OpenID Connect Discovery 1.0). @param {string} issuer */
const provider = (issuer) => asked(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);

/** What the provider answers. @param {string} address @param {RequestInit} [options] */
async function asked(address, options) {
  const response = await fetch(address, options).catch(() => {
    throw refused(say("providerAway"));
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw refused(answer.error_description ?? answer.error ?? `${address}: ${response.status}`);
  return answer;
}

const redirectUri = () => `${location.origin}/`;

/** Sends the person to the provider; the page comes back with a code. */
export async function signIn() {
  const { login } = settings;
  if (!login) throw Object.assign(new Error("no login"), { code: "noLogin", members: {} });
  const { authorization_endpoint: endpoint } = await provider(login.issuer);
  const [state, verifier] = [randomKey(), randomKey() + randomKey()];
  sessionStorage.setItem(PENDING, JSON.stringify({ state, verifier, hash: location.hash }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const address = new URL(endpoint);
  for (const [name, value] of new URLSearchParams(login.parameters)) address.searchParams.set(name, value);
  const wanted = {
    response_type: "code",
    client_id: login.clientId,
    redirect_uri: redirectUri(),
    scope: login.scope,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(wanted)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Whether the address brings an answer of the provider; the address is cleaned before anything else. */
export async function takeUpSignIn() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state") || !(answer.has("code") || answer.has("error"))) return false;
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, "", `/${pending?.hash ?? ""}`);
  const { login } = settings;
  if (!pending || !login) return false;
  if (answer.get("state") !== pending.state) throw refused(say("answerForged"));
  if (answer.has("error")) throw refused(answer.get("error_description") ?? answer.get("error") ?? "");
  const { token_endpoint: endpoint } = await provider(login.issuer);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: answer.get("code") ?? "",
    redirect_uri: redirectUri(),
    client_id: login.clientId,
    code_verifier: pending.verifier,
  });
  const tokens = await asked(endpoint, { method: "POST", body });
  jwt = login.token === "id" ? tokens.id_token : tokens.access_token;
  if (!jwt) throw refused(say("noToken"));
  return true;
}

/** @param {string} reason */
function refused(reason) {
  return Object.assign(new Error(reason), { code: "signInFailed", members: { reason } });
}
