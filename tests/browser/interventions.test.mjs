// What an operator may do for a buyer and to a show, each with its reason, on the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, look, serve, server } from "./harness.mjs";

let token;
serve({
  begin: async () => {
    ({ token } = await server.ask("POST", "/api/tokens", { userId: 77 }));
  },
});

/** Opens a form by its title, fills it, and sends it. */
async function send(page, title, values, button) {
  await page.getByText(title, { exact: true }).click();
  const form = page.locator("details", { hasText: title });
  for (const [label, value] of Object.entries(values)) await form.getByLabel(label).fill(value);
  // Whoever presses twice means it once.
  await form.getByRole("button", { name: button, exact: true }).evaluate((element) => (element.click(), element.click()));
}

test("a wallet is charged and adjusted, a hold is cancelled, and a user expelled", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/users/77`);
  await send(page, "Charge: money came in", { Points: "5000" }, "Charge");
  await page.getByText("The wallet is charged.").first().waitFor();
  // The form is empty again, so that one more press charges nothing.
  await page.waitForFunction(() => document.querySelector('input[name="amount"]').value === "");
  await send(page, "Adjust the balance", { Points: "-1000", Reason: "charged twice" }, "Adjust");
  await page.getByText(/charged twice/).first().waitFor();
  assert.equal((await server.ask("GET", "/api/users/77/points/balance", undefined, token)).balance, 4_000);
  const seats = { concertId: 1, scheduleId: 31, userId: 77, seatIds: [1] };
  const { reservationId } = await server.ask("POST", "/api/concerts/reservation", seats, token);
  await send(page, "Cancel a reservation for the buyer", { Reservation: String(reservationId), Reason: "asked by telephone" }, "Cancel it");
  await page.getByText(/CANCELLED/).first().waitFor();
  await send(page, "Expel: end the user's token", { Reason: "a robot" }, "Expel");
  await page.getByText("The user's token is ended").first().waitFor();
  await look(page, "operations-interventions");
});

test("a show gets another price and is called off", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/schedules/31`);
  await send(page, "Change a price", { Section: "VIP", "Price, points": "140000", Reason: "a typing error" }, "Change");
  await page.getByText("The price is changed").first().waitFor();
  const { zones } = (await server.ask("GET", "/api/concerts/1/dates")).find((date) => date.concertScheduleId === 31);
  assert.equal(zones.find((zone) => zone.zoneName === "VIP").priceFrom, 140_000);
  await send(page, "Call the show off", { Reason: "the singer is ill" }, "Call off");
  await page.getByRole("heading", { name: "Called off" }).waitFor();
  await look(page, "operations-called-off");
});
