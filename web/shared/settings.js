// What the server says of itself in the page that it serves.

/**
 * @typedef {object} Login
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} scope
 * @property {string} parameters
 * @property {"access" | "id"} token
 */

/** @type {{identity: "open" | "jwt", charge: "own" | "cashier", login: Login | null, rolesClaim?: string}} */
export const settings = {
  identity: "open",
  charge: "own",
  login: null,
  ...JSON.parse(document.querySelector('meta[name="reprise"]')?.getAttribute("content") || "{}"),
};
