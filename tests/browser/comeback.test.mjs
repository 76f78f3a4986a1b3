// Leaving and coming back: loading anew, Back, another tab, a token that ended, a hold that is extended and given up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, look, serve, server } from "./harness.mjs";
import { choose, hold, join, pay, show, userOf } from "./steps.mjs";

serve();

test("what is chosen outlives loading anew, and Back leads from the seats to the sections", async () => {
  const page = await browser.page();
  const seat = await choose(page, 60, /^R/);
  await seat.click();
  const name = (await seat.textContent()).trim();
  await page.reload();
  await page.getByRole("button", { name, exact: true, pressed: true }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Sections" }).waitFor();
  await page.getByRole("button", { name: /^Hold/ }).waitFor();
  await page.goForward();
  await page.getByRole("button", { name, exact: true, pressed: true }).waitFor();
});

test("Back from a hold leads to the seats, and from there to the hold again; after paying, it says that the turn is over", async () => {
  const page = await browser.page();
  await hold(page, 61);
  await page.goBack();
  await page.getByRole("link", { name: /^You hold seats of this show/ }).waitFor();
  await look(page, "holding-and-choosing");
  await page.getByRole("link", { name: /^You hold seats of this show/ }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await page.reload();
  await pay(page);
  await page.reload();
  await page.getByText("Your ticket is paid").first().waitFor();
  await page.goBack();
  await page.getByText("Your turn is over").waitFor();
  assert.equal(await page.locator(".problem").count(), 0);
  await look(page, "turn-over");
});

test("a token that ended while seats were held: whoever joins again has them, and pays", async () => {
  const page = await browser.page();
  await hold(page, 62);
  await server.operate("POST", `/api/operations/users/${await userOf(page)}/expulsion`, { reason: "a test of the doors" });
  await page.getByText("Your time is over").first().waitFor();
  await look(page, "token-ended");
  assert.equal(await page.locator(".problem").count(), 0, "it is a state, and no error");
  await page.getByRole("button", { name: "Join" }).click();
  await pay(page);
});

test("two tabs of one person show the same hold, and one learns what the other did", async () => {
  const page = await browser.page();
  await hold(page, 63);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole("button", { name: "Join" }).click();
  await other.getByRole("button", { name: /^Cancel/ }).click();
  await other.getByText("These seats were given up").waitFor();
  await page.getByText("These seats were given up").waitFor();
  await look(page, "given-up");
});

test("a hold is extended, given up, and held again", async () => {
  const page = await browser.page();
  // The server extends in the last two minutes only: what it says of the hold is changed on the way.
  let isExtended = false;
  await page.route("**/api/reservations/*", async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const response = await route.fetch();
    const reservation = await response.json();
    const left = isExtended ? { extendable: false, expiresInSeconds: 400 } : { extendable: true, expiresInSeconds: 100 };
    return route.fulfill({ response, json: { ...reservation, ...left } });
  });
  await page.route("**/extension", (route) => {
    isExtended = true;
    return route.fulfill({ json: {} });
  });
  await hold(page, 64);
  await page.getByText(/^1:[34]\d$/).waitFor();
  await look(page, "extendable");
  await page.getByRole("button", { name: /^Extend/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/^6:[34]\d$/).waitFor();
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Charge/, "the focus goes on");
  await page.getByRole("button", { name: /^Cancel/ }).click();
  await page.getByRole("link", { name: "Choose seats" }).click();
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
});

test("the time left is spoken at 60, 30 and 10 seconds, and a hold that is over says so", async () => {
  const page = await browser.page();
  await hold(page, 65);
  const spoken = [];
  let left = 61;
  await page.route("**/api/reservations/*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), ...(left > 0 ? { expiresInSeconds: left } : { reservationStatus: "EXPIRED" }) } });
  });
  for (const seconds of [60, 30, 10]) {
    left = seconds + 1;
    await page.locator("#told", { hasText: `${seconds} seconds left to pay` }).waitFor({ state: "attached" });
    spoken.push(seconds);
  }
  left = 0;
  await page.getByText("The time to pay is over").first().waitFor();
  await look(page, "hold-over");
  assert.deepEqual(spoken, [60, 30, 10]);
});

test("the pages need no motion, and hold in forced colours", async () => {
  const page = await browser.page({ reducedMotion: "reduce", forcedColors: "active" });
  const seat = await choose(page, 66, /^S/);
  await seat.click();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  await look(page, "forced-colours");
});

test("what has the focus is not under the basket, with four seats chosen on a phone", async () => {
  const page = await browser.page({ viewport: { width: 320, height: 640 } });
  await choose(page, 69, /^A/);
  for (const seat of [1, 2, 3, 4]) await page.getByRole("button", { name: `Seat A-${seat}`, exact: true }).click();
  await look(page, "phone-chosen");
  await page.getByRole("button", { name: "All sections" }).focus();
  for (let steps = 0; steps < 22; steps += 1) {
    await page.keyboard.press("Tab");
    const hidden = await page.evaluate(() => {
      const { activeElement } = document;
      const basket = document.querySelector(".basket");
      if (!activeElement || basket.contains(activeElement)) return "";
      return activeElement.getBoundingClientRect().bottom > basket.getBoundingClientRect().top ? activeElement.textContent.trim() : "";
    });
    assert.equal(hidden, "");
  }
});

test("in the dark the contrast is as good", async () => {
  const page = await browser.page({ colorScheme: "dark" });
  const seat = await choose(page, 68, /^VIP/);
  await seat.click();
  await look(page, "dark-chosen");
  await page.getByRole("button", { name: /^Hold/ }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  await look(page, "dark-hold");
  await pay(page);
  await look(page, "dark-ticket");
});

test("what the sale refuses while it is paused is told as a state", async () => {
  const page = await browser.page();
  await join(page, 67);
  await server.operate("POST", "/api/operations/pause", { reason: "the hall's light failed" });
  await page.getByText("the hall's light failed").waitFor();
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByText("The sale is paused. Try again when it goes on.").first().waitFor();
  assert.equal(await page.locator(".problem").count(), 0);
  await server.operate("POST", "/api/operations/resume", { reason: "light again" });
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
  assert.ok(page.url() !== show(67));
});
