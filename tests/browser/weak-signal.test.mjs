// A phone with a weak signal: replies are lost or late, and whoever waits presses twice. Everything happens once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rmSync } from "node:fs";
import { join as path } from "node:path";
import { browser, look, serve, server } from "./harness.mjs";
import { hold, join, own, pay, show } from "./steps.mjs";

serve();

/** Has the server do what is asked at `path`, and loses its first replies; the keys of all attempts. */
async function lose(page, path, replies) {
  const keys = [];
  await page.route(path, async (route) => {
    if (route.request().method() === "GET") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length > replies) return route.continue();
    await route.fetch();
    return route.abort("connectionreset");
  });
  return keys;
}

test("replies to holding, charging and paying are lost: the page finds out under the same key, and each happens once", async () => {
  const page = await browser.page();
  const asked = [];
  for (const path of ["**/api/concerts/reservation", "**/points/charge", "**/api/payments"]) asked.push(await lose(page, path, 1));
  await hold(page, 50);
  await pay(page);
  for (const keys of asked) assert.deepEqual([keys.length, new Set(keys).size], [2, 1]);
  assert.equal((await own(page, "reservations")).length, 1);
  assert.equal((await own(page, "payments")).length, 1);
  assert.equal((await own(page, "points/balance")).balance, 0);
});

test("a charge whose outcome stays unknown is the same charge when it is asked for again", async () => {
  const page = await browser.page();
  await hold(page, 51);
  const keys = await lose(page, "**/points/charge", 8);
  // The page does not see the balance meanwhile, either.
  await page.route("**/points/balance*", (route) => route.abort("connectionreset"));
  await page.getByRole("button", { name: /^Charge/ }).click();
  await page.getByText("reconnecting").first().waitFor();
  await look(page, "charge-unknown");
  while (keys.length < 8) await page.waitForTimeout(200);
  await page.locator('button[aria-busy="false"]', { hasText: "Charge" }).click();
  while (keys.length < 9) await page.waitForTimeout(200);
  await page.unroute("**/points/balance*");
  assert.equal(new Set(keys).size, 1);
  await page.getByRole("button", { name: /^Pay/ }).and(page.locator(":enabled")).click();
  await page.getByText("Your ticket is paid").first().waitFor();
  assert.equal((await own(page, "points/balance")).balance, 0);
});

test("on a slow network two presses are one: one hold, one charge, one payment", async () => {
  const page = await browser.page();
  await join(page, 52);
  await page.route("**/api/**", async (route) => {
    if (route.request().method() !== "GET") await new Promise((resolve) => setTimeout(resolve, 400));
    await route.continue();
  });
  const twice = (button) => button.evaluate((element) => (element.click(), element.click()));
  await twice(page.getByRole("button", { name: "2 best" }));
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await pay(page, twice);
  assert.equal((await own(page, "reservations")).length, 1);
  assert.equal((await own(page, "payments")).length, 1);
  assert.equal((await own(page, "points/balance")).balance, 0);
});

test("pages in every state go on by themselves when a killed server is back", async () => {
  const [reader, chooser, holder] = [await browser.page(), await browser.page(), await browser.page()];
  await reader.goto(server.url);
  await reader.getByRole("link", { name: "Reprise World Tour" }).waitFor();
  await join(chooser, 53);
  await hold(holder, 53);
  await server.operate("PUT", "/api/operations/room", { capacity: 0, admissionsPerSecond: null, arrivalSeconds: null, reason: "doors closed" });
  const waiter = await browser.page();
  await waiter.goto(show(53));
  await waiter.getByRole("button", { name: "Join" }).click();
  await waiter.getByText("You are in line").waitFor();
  await server.stop("SIGKILL");
  const pages = [reader, chooser, holder, waiter];
  await Promise.all(pages.map((page) => page.getByText("reconnecting").first().waitFor()));
  await look(chooser, "reconnecting-choosing");
  await look(waiter, "reconnecting-in-line");
  // A view that is opened meanwhile begins when the server is there.
  await reader.getByRole("link", { name: "Reprise World Tour" }).click();
  await reader.getByRole("heading", { name: "Loading" }).waitFor();
  await look(reader, "reconnecting-loading");
  await server.start();
  await Promise.all(pages.map((page) => page.getByText("reconnecting").first().waitFor({ state: "hidden" })));
  await reader.getByRole("heading", { name: "Dates" }).waitFor();
  await server.operate("PUT", "/api/operations/room", { capacity: 100, admissionsPerSecond: null, arrivalSeconds: null, reason: "doors open" });
  await waiter.getByText("It is your turn").waitFor();
  await chooser.getByRole("button", { name: /^VIP/ }).click();
  await chooser.getByRole("button", { name: /^Seat/ }).first().click();
  await chooser.getByRole("button", { name: /^Hold/ }).click();
  await Promise.all([chooser, holder].map((page) => pay(page)));
  for (const page of pages) assert.equal(await page.locator(".problem").count(), 0);
});

test("a tab has one stream, and none while nobody sees it", async () => {
  const page = await browser.page();
  const open = new Set();
  page.on("request", (request) => request.url().includes("/stream") && open.add(request));
  for (const ended of ["requestfinished", "requestfailed"]) page.on(ended, (request) => open.delete(request));
  await join(page, 54);
  const streams = async (count) => {
    for (let times = 0; open.size !== count; times += 1) {
      assert.ok(times < 50, `${open.size} streams, not ${count}`);
      await page.waitForTimeout(100);
    }
  };
  await streams(1);
  const see = (isSeen) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, !isSeen);
  await see(false);
  await streams(0);
  await see(true);
  await streams(1);
  await page.getByRole("link", { name: "My tickets" }).click();
  await streams(0);
});

test("a sale that was begun anew under an open page: one joins again, and buys", async () => {
  const page = await browser.page();
  await hold(page, 55);
  await pay(page);
  await server.stop();
  await page.getByText("reconnecting").first().waitFor();
  rmSync(path(server.folder, "data"), { recursive: true });
  await server.start();
  await page.getByText("reconnecting").first().waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("There is no such reservation").first().waitFor();
  await look(page, "begun-anew");
  await page.goto(show(55));
  await page.getByRole("button", { name: "2 best" }).click();
  await pay(page);
});
