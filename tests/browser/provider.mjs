// An identity provider of the tests' own, on this machine, which does what the standards say.

import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** An identity provider that knows one person, and asks them nothing. */
export class Provider {
  codes = new Map();
  asked = [];
  /** What its tokens say otherwise, and how long they live. */
  claims = {};
  seconds = 300;
  /** The answer to who is sent here, where it is another than a code and the state that was brought. */
  answers = {};


  async start() {
    this.http = createServer((request, response) => this.answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => this.http.once("listening", resolve));
    this.issuer = `http://127.0.0.1:${this.http.address().port}`;
    return this;
  }

  async answer(request, response) {
    const url = new URL(request.url, this.issuer);
    const say = (status, body) => {
      response.writeHead(status, { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" });
      response.end(JSON.stringify(body));
    };
    if (url.pathname === "/.well-known/openid-configuration") {
      const [authorization_endpoint, token_endpoint] = [`${this.issuer}/authorize`, `${this.issuer}/token`];
      return say(200, { issuer: this.issuer, authorization_endpoint, token_endpoint });
    }
    if (url.pathname === "/keys") {
      return say(200, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }] });
    }
    if (url.pathname === "/authorize") {
      this.asked.push(Object.fromEntries(url.searchParams));
      const code = randomUUID();
      this.codes.set(code, url.searchParams.get("code_challenge"));
      const back = new URL(url.searchParams.get("redirect_uri"));
      const answers = { code, state: url.searchParams.get("state"), ...this.answers };
      for (const [name, value] of Object.entries(answers)) if (value !== null) back.searchParams.set(name, value);
      return response.writeHead(302, { Location: String(back) }).end();
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const sent = new URLSearchParams(body);
    const challenge = createHash("sha256").update(sent.get("code_verifier") ?? "").digest("base64url");
    if (this.codes.get(sent.get("code")) !== challenge) return say(400, { error: "invalid_grant" });
    say(200, { access_token: this.token(), id_token: this.token({ aud: "the-page" }), token_type: "Bearer" });
  }

  /** A token for its one person, or with other claims. */
  token(others = {}) {
    const now = Math.floor(Date.now() / 1_000);
    const person = { iss: this.issuer, aud: "reprise", sub: "9f0c1f8e-person", user: 4711, iat: now, exp: now + this.seconds };
    const claims = { ...person, ...this.claims, ...others };
    const unsigned = `${base64url({ alg: "RS256", kid: "one", typ: "JWT" })}.${base64url(claims)}`;
    return `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(privateKey, "base64url")}`;
  }
}

/** Has a server accept the tokens of a provider. */
export const accepting = (provider) => [
  "--identity", "jwt", "--jwt-keys", `${provider.issuer}/keys`, "--jwt-issuer", provider.issuer, "--jwt-audience", "reprise", "--jwt-leeway-seconds", "0",
];
