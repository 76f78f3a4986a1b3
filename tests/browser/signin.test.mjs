// Signing in by OpenID Connect, against a small provider on this machine that does what the standard says.

import assert from "node:assert/strict";
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { Server, browser, look, serve, server } from "./harness.mjs";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** An identity provider that knows one person, and asks them nothing. */
class Provider {
  codes = new Map();
  asked = [];

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
      back.searchParams.set("code", code);
      back.searchParams.set("state", this.forged ?? url.searchParams.get("state"));
      return response.writeHead(302, { Location: String(back) }).end();
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const sent = new URLSearchParams(body);
    const challenge = createHash("sha256").update(sent.get("code_verifier") ?? "").digest("base64url");
    if (this.codes.get(sent.get("code")) !== challenge) return say(400, { error: "invalid_grant" });
    say(200, { access_token: this.token(), token_type: "Bearer" });
  }

  token() {
    const now = Math.floor(Date.now() / 1_000);
    const claims = { iss: this.issuer, aud: "reprise", sub: "9f0c1f8e-person", user: 4711, iat: now, exp: now + 300 };
    const unsigned = `${base64url({ alg: "RS256", kid: "one", typ: "JWT" })}.${base64url(claims)}`;
    return `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(privateKey, "base64url")}`;
  }
}

let provider;
serve({ make });
after(() => provider?.http.close());

async function make() {
  provider = await new Provider().start();
  const server = new Server();
  // The demo's concerts are there without the demo: its log is made first, and served with an identity provider then.
  await server.start();
  await server.stop();
  const identity = ["--identity", "jwt", "--jwt-keys", `${provider.issuer}/keys`, "--jwt-issuer", provider.issuer, "--jwt-audience", "reprise", "--jwt-user-claim", "user", "--charge", "own"];
  server.arguments = [...identity, "--login-client-id", "the-page", "--login-scope", "openid", "--login-parameters", "audience=reprise"];
  return server;
}

test("who joins is sent to the provider, comes back to the same show, and is in the room", async () => {
  const page = await browser.page();
  const show = `${server.url}/#/concerts/1/schedules/20`;
  await page.goto(show);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("It is your turn").waitFor();
  assert.equal(page.url(), show, "no code and no state is left in the address");
  const [asked] = provider.asked;
  assert.deepEqual(
    [asked.response_type, asked.client_id, asked.scope, asked.audience, asked.code_challenge_method],
    ["code", "the-page", "openid", "reprise", "S256"],
  );
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await look(page, "signed-in");
});

test("an answer that nobody asked for is refused", async () => {
  provider.forged = "forged";
  const page = await browser.page();
  await page.goto(`${server.url}/#/concerts/1/schedules/21`);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The sign-in did not work").first().waitFor();
  assert.ok(!page.url().includes("code="), page.url());
  await look(page, "sign-in-refused");
});
