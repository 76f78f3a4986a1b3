// Signing in by OpenID Connect, against a small provider on this machine that does what the standard says.

import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { Server, browser, look, serve, server } from "./harness.mjs";
import { Provider, accepting } from "./provider.mjs";
import { joinBySigningIn, pay, show } from "./steps.mjs";

let provider;
serve({ make });
after(() => provider?.http.close());
afterEach(() => Object.assign(provider, { claims: {}, answers: {}, seconds: 300 }));

async function make() {
  provider = await new Provider().start();
  const server = new Server();
  // The demo's concerts are there without the demo: its log is made first, and served with an identity provider then.
  await server.start();
  await server.stop();
  const login = ["--login-client-id", "the-page", "--login-scope", "openid", "--login-parameters", "audience=reprise"];
  server.arguments = [...accepting(provider), "--jwt-user-claim", "user", "--charge", "own", ...login];
  return server;
}

/** Another person signs in by each test. */
let people = 4_711;
const somebody = () => ({ user: (people += 1) });

test("who joins is sent to the provider, comes back to the same show, and is in the room", async () => {
  const page = await browser.page();
  const response = await page.goto(show(20));
  assert.ok(response.headers()["content-security-policy"].includes(`connect-src 'self' ${provider.issuer};`));
  await joinBySigningIn(page);
  await page.getByText("It is your turn").waitFor();
  assert.equal(page.url(), show(20), "no code and no state is left in the address");
  const [asked] = provider.asked;
  assert.deepEqual(
    [asked.response_type, asked.client_id, asked.scope, asked.audience, asked.code_challenge_method],
    ["code", "the-page", "openid", "reprise", "S256"],
  );
  const kept = await page.evaluate(() => JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)]));
  assert.doesNotMatch(kept, /eyJ/, "the provider's token is kept nowhere");
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await look(page, "signed-in");
  await page.reload();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await page.goBack();
  await page.getByText("It is your turn").waitFor();
  assert.equal(provider.asked.length, 1, "nobody is sent there twice");
});

test("a provider's token that expires during a purchase changes nothing, and the next time one is sent there again", async () => {
  const seconds = 7;
  Object.assign(provider, { claims: somebody(), seconds });
  const page = await browser.page();
  await page.goto(show(22));
  await joinBySigningIn(page);
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await page.waitForTimeout(1_000 * seconds);
  await pay(page);
  provider.seconds = 300;
  const before = provider.asked.length;
  await page.goBack();
  await page.getByText("Your turn is over").waitFor();
  await joinBySigningIn(page);
  await page.getByText("It is your turn").waitFor();
  assert.equal(provider.asked.length, before + 1);
  assert.equal(page.url(), show(22));
});

/** Joins where that goes wrong, and is told so. */
async function refused(schedule, words, name) {
  const page = await browser.page();
  await page.goto(show(schedule));
  await joinBySigningIn(page);
  await page.getByText(words).first().waitFor();
  assert.equal(page.url(), show(schedule));
  await look(page, name);
  return page;
}

test("an answer that nobody asked for is refused", async () => {
  provider.answers = { state: "forged" };
  await refused(21, "The sign-in did not work: the answer is none that this page asked for", "sign-in-refused");
  const page = await browser.page();
  await page.goto(`${server.url}/?code=stolen&state=stolen`);
  await page.getByRole("heading", { name: "Concerts" }).waitFor();
  assert.equal(page.url(), `${server.url}/`);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("reprise-token")), null);
});

test("what the provider refuses is told in its words, and a code that it does not take as well", async () => {
  provider.answers = { code: null, error: "access_denied", error_description: "you said no" };
  const page = await refused(23, "The sign-in did not work: you said no", "sign-in-denied");
  provider.answers = { code: "worn-out" };
  await joinBySigningIn(page);
  await page.getByText("The sign-in did not work: invalid_grant").first().waitFor();
  provider.answers = {};
  provider.claims = somebody();
  await joinBySigningIn(page);
  await page.getByText("It is your turn").waitFor();
});

test("a token that the server does not accept is told once, and nobody is sent round in circles", async () => {
  provider.claims = { ...somebody(), aud: "another service" };
  const before = provider.asked.length;
  await refused(24, "Your sign-in is not accepted (audience)", "sign-in-not-accepted");
  assert.equal(provider.asked.length, before + 1);
});

test("a provider that is away is told as such", async () => {
  const page = await browser.page();
  await page.goto(show(25));
  await page.route(`${provider.issuer}/**`, (route) => route.abort("connectionrefused"));
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("the sign-in service cannot be reached").first().waitFor();
});
