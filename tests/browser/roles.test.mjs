// Under an identity provider: a cashier brings points in, and the operators' page shows each role what it may do, and no more.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Server, browser, look, serve, server } from "./harness.mjs";
import { Provider, accepting } from "./provider.mjs";
import { joinBySigningIn } from "./steps.mjs";

let provider;
serve({ make });
after(() => provider?.http.close());

/** A small house of a log whose users are the provider's. */
async function make() {
  provider = await new Provider().start();
  const server = new Server([...accepting(provider), "--login-client-id", "the-page"]);
  const seats = Array.from({ length: 12 }, (_, index) => ({ zoneName: "Stalls", seatName: `1-${index + 1}`, row: "1", number: index + 1, price: 30_000 }));
  const startsAt = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const saleOpensAt = new Date(Date.now() - 60_000).toISOString();
  const file = join(server.folder, "house.json");
  writeFileSync(file, JSON.stringify({ concerts: [{ concertName: "Chamber music", artist: "Four", venue: "The Room", schedules: [{ startsAt, saleOpensAt, seats }] }] }));
  const imported = spawnSync(server.program, ["catalog", "import", file, "--data", join(server.folder, "data")], { encoding: "utf8" });
  assert.equal(imported.status, 0, imported.stderr);
  return server;
}

/** The operators' page, for somebody with these roles. */
async function signedIn(roles, path = "") {
  const page = await browser.page();
  await page.goto(`${server.operations}/${path}`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  if (roles === null) return page;
  await page.getByLabel(/Your access token/).fill(provider.token({ sub: `staff-${roles}`, roles }));
  await page.getByRole("button", { name: "Sign in" }).click();
  return page;
}

test("a buyer is told how points come in, a cashier brings them, and the buyer pays", async () => {
  const buyer = await browser.page();
  await buyer.goto(`${server.url}/#/concerts/1/schedules/1`);
  await joinBySigningIn(buyer);
  await buyer.getByRole("button", { name: "2 best" }).click();
  await buyer.getByText("Points come in through the organiser's payment service").waitFor();
  assert.equal(await buyer.getByRole("button", { name: /^Charge/ }).count(), 0);
  await look(buyer, "cashier-charges");

  const cashier = await signedIn(["cashier"]);
  await cashier.getByRole("heading", { name: "Charging" }).waitFor();
  await look(cashier, "operations-cashier");
  assert.deepEqual(await cashier.getByRole("navigation").getByRole("link").allTextContents(), ["Reprise operations", "HTTP"]);
  await cashier.getByText("Find a user by").click();
  const finding = cashier.locator("details", { hasText: "Find a user by" });
  await finding.getByLabel(/Subject/).fill("9f0c1f8e-person");
  await finding.getByRole("button", { name: "Find" }).click();
  await cashier.getByText("9f0c1f8e-person is user 1.").waitFor();
  await cashier.getByLabel("User id").fill("1");
  await cashier.getByLabel("Points").fill("60000");
  await cashier.getByRole("button", { name: "Charge" }).click();
  await cashier.getByText("The wallet of user 1 is charged").first().waitFor();
  assert.deepEqual(cashier.wrong, []);

  await buyer.getByRole("button", { name: /^Pay/ }).and(buyer.locator(":enabled")).click();
  await buyer.getByText("Your ticket is paid").first().waitFor();
});

test("a viewer sees the sale, and nothing that changes it", async () => {
  const page = await signedIn(["viewer"]);
  await page.getByText("position").first().waitFor();
  await look(page, "operations-viewer");
  for (const path of ["#/", "#/schedules/1", "#/users/1", "#/events"]) {
    await page.goto(`${server.operations}/${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.getByLabel("Reason").count(), 0, path);
    for (const name of ["Pause", "Charge", "Rebuild", "Announce", "Change", "Call off"]) {
      assert.equal(await page.getByRole("button", { name, exact: true }).count(), 0, `${path}: ${name}`);
    }
    assert.equal(await page.locator(".problem").count(), 0, path);
  }
});

test("an operator may do all of it, and whoever has no role or another token is told so", async () => {
  const operator = await signedIn(["operator"]);
  await operator.getByRole("button", { name: "Pause", exact: true }).waitFor();
  await operator.getByRole("button", { name: "Sign out" }).click();
  await operator.getByRole("heading", { name: "Sign in" }).waitFor();
  const nobody = await signedIn([]);
  await nobody.getByRole("alert").filter({ hasText: /role/ }).waitFor();
  await look(nobody, "operations-no-role");
  const stranger = await signedIn(null);
  await stranger.getByLabel(/Your access token/).fill("no token at all");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByRole("alert").first().waitFor();
  await stranger.getByRole("heading", { name: "Sign in" }).waitFor();
  await look(stranger, "operations-sign-in");
});
