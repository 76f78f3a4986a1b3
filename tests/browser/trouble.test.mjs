// What goes wrong while people buy: each is a state that the page was made for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, look, serve, server } from "./harness.mjs";
import { choose, hold, show } from "./steps.mjs";

serve();

test("of two who want one seat, one gets it, and the other is told at once and chooses another", async () => {
  const [one, other] = [await browser.page(), await browser.page()];
  const [seat, same] = [await choose(one, 10, /^VIP/), await choose(other, 10, /^VIP/)];
  const name = (await seat.textContent()).trim();
  await Promise.all([seat.click(), same.click()]);
  // Whoever is slower may see the seat go before they press.
  const press = (page) => page.getByRole("button", { name: /^Hold/ }).click({ timeout: 5_000 }).catch(() => {});
  await Promise.all([one, other].map(press));
  const held = (page) => page.getByRole("button", { name: /^Charge/ }).waitFor().then(() => page);
  const winner = await Promise.any([held(one), held(other)]);
  const loser = winner === one ? other : one;
  await loser.getByText(/Somebody else was faster|was just taken/).first().waitFor({ state: "attached" });
  await look(loser, "seat-taken");
  const left = await loser.getByRole("button", { name: /^Seat/ }).allTextContents();
  assert.ok(!left.some((text) => text.trim() === name), `${name} is still shown as free`);
  await loser.getByRole("button", { name: /^Seat/ }).first().click();
  await loser.getByRole("button", { name: /^Hold/ }).click();
  await held(loser);
});

test("a seat that somebody else takes disappears while one looks at it", async () => {
  const page = await browser.page();
  const seat = await choose(page, 11, /^A/);
  const name = (await seat.textContent()).trim().replace(/^✓ /, "");
  const { token } = await server.ask("POST", "/api/tokens", { userId: 77 });
  const seats = await server.ask("GET", "/api/concerts/1/schedules/11/seats", undefined, token);
  const wanted = seats.find(({ seatName }) => name.includes(seatName));
  const body = { concertId: 1, scheduleId: 11, userId: 77, seatId: wanted.seatId };
  await server.ask("POST", "/api/concerts/reservation", body, token);
  await page.getByRole("button", { name, exact: true }).waitFor({ state: "hidden" });
});

test("a server that is killed and comes back: the page says so, and goes on where it was", async () => {
  const page = await browser.page();
  await hold(page, 12);
  await server.stop("SIGKILL");
  await page.getByText("reconnecting").first().waitFor();
  await look(page, "reconnecting");
  await server.start();
  await page.getByText("reconnecting").first().waitFor({ state: "hidden" });
  await page.getByRole("button", { name: /^Charge/ }).click();
  await page.getByRole("button", { name: /^Pay/ }).and(page.locator(":enabled")).click();
  await page.getByText("Your ticket is paid").first().waitFor();
});

test("a paused sale is told with its reason, holds stand still, and all goes on afterwards", async () => {
  const page = await browser.page();
  await hold(page, 13);
  await server.operate("POST", "/api/operations/pause", { reason: "the hall's light failed" });
  await page.getByText("time stands still").waitFor();
  await look(page, "hold-while-paused");
  await page.goto(show(14));
  await page.getByText("paused").first().waitFor();
  await page.getByText("the hall's light failed").waitFor();
  await look(page, "paused");
  await server.operate("POST", "/api/operations/resume", { reason: "light again" });
  await page.getByText("the hall's light failed").waitFor({ state: "hidden" });
});

test("whoever closes the tab and comes back has their hold", async () => {
  const page = await browser.page();
  await hold(page, 15);
  const again = await page.context().newPage();
  await page.close();
  await again.goto(`${server.url}/#/mine`);
  await again.getByRole("button", { name: "Join" }).click();
  await again.getByRole("link", { name: /Reservation \d+|Ticket \d+/ }).click();
  await again.getByRole("button", { name: /^Charge/ }).waitFor();
  await again.goBack();
  await again.getByRole("heading", { name: "My tickets" }).waitFor();
});

test("the line: who waits sees their place, and comes in when somebody leaves", async () => {
  await server.operate("PUT", "/api/operations/room", { capacity: 0, admissionsPerSecond: null, arrivalSeconds: null, reason: "doors closed" });
  const page = await browser.page();
  await page.goto(show(16));
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("You are in line").waitFor();
  await look(page, "in-line");
  await page.reload();
  await page.getByText("You are in line").waitFor();
  await server.operate("PUT", "/api/operations/room", { capacity: 1000, admissionsPerSecond: null, arrivalSeconds: null, reason: "doors open" });
  await page.getByText("It is your turn").waitFor();
});

test("what does not exist is told in words", async () => {
  const page = await browser.page();
  await page.goto(`${server.url}/#/concerts/99`);
  await page.getByText("There is no such concert.").first().waitFor();
  await look(page, "no-such-concert");
  await page.goto(`${server.url}/#/nowhere`);
  await page.getByText("There is no such page.").waitFor();
});
