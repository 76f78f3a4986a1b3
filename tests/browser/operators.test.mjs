// The operators' page: the books, a seat's story, a user, a pause, events as they come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, look, serve, server } from "./harness.mjs";

/** The log's last position before anything was sold. */
let beforeSales;
serve({ begin });

async function begin() {
  beforeSales = (await server.operate("GET", "/api/operations/head")).position;
  const { token } = await server.ask("POST", "/api/tokens", { userId: 42 });
  const seats = { concertId: 1, scheduleId: 30, userId: 42, seatIds: [1, 2] };
  const { reservationId, totalPrice } = await server.ask("POST", "/api/concerts/reservation", seats, token);
  await server.ask("POST", "/api/users/42/points/charge", { amount: totalPrice }, token);
  await server.ask("POST", "/api/payments", { reservationId, userId: 42, paymentAmount: totalPrice }, token);
}

test("the sale at a glance, with plots that move", async () => {
  const page = await browser.page();
  await page.goto(server.operations);
  await page.getByText("sold").first().waitFor();
  await page.getByText("held").first().waitFor();
  await page.getByText("position").first().waitFor();
  await page.locator("line-plot canvas").first().waitFor();
  await page.waitForTimeout(4_500);
  // The line of what is sold is there, in its colour.
  const painted = await page.locator("line-plot canvas").first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] < 60 && data[at + 2] > 180 && data[at + 3] > 200) count += 1;
    return count;
  });
  assert.ok(painted > 5, `${painted} pixels of the line`);
  await look(page, "operations");
});

test("a pause and its end, each with its reason", async () => {
  const page = await browser.page();
  await page.goto(server.operations);
  await page.getByLabel("Reason").first().fill("a test of the doors");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Resume", exact: true }).waitFor();
  await look(page, "operations-paused");
  assert.equal((await server.ask("GET", "/api/queue")).state, "PAUSED");
  await page.getByLabel("Reason").first().fill("doors are fine");
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
  assert.equal((await server.ask("GET", "/api/queue")).state, "OPEN");
});

test("why a seat is sold, and how the house was before", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/schedules/30`);
  await page.getByRole("button", { name: /sold/ }).first().click();
  await page.getByText(/was paid/).first().waitFor();
  await look(page, "operations-why");
  await page.getByLabel(/As of/).fill(String(beforeSales));
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("button", { name: /sold/ }).first().waitFor({ state: "detached" });
  await page.getByText(`This is the house as of ${beforeSales}`).waitFor();
  await look(page, "operations-as-of");
  await page.getByLabel(/As of/).fill(new Date().toISOString());
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("button", { name: /sold/ }).first().waitFor();
  await page.getByLabel(/As of/).fill("yesterday");
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByText(/must be a position or a time/).first().waitFor();
  await page.getByRole("button", { name: "Now" }).click();
  await page.getByText("This is the house as of").waitFor({ state: "detached" });
});

test("more than two earlier moments at once are refused in words that say what to do", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/schedules/30`);
  await page.getByText("2 sold, 0 held").waitFor();
  const detail = "The log is already being read for two other requests. Try again later.";
  const refused = { status: 503, contentType: "application/problem+json", json: { code: "overloaded", status: 503, detail } };
  await page.route("**/seats?*asOf=*", (route) => route.fulfill(refused));
  await page.getByLabel(/As of/).fill(String(beforeSales));
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByText("Two earlier moments are being looked up already. Try again in a moment.").first().waitFor();
  await page.getByText("2 sold, 0 held").waitFor();
  await look(page, "operations-as-of-refused");
});

test("a user's wallet, statement and reservations", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/users`);
  await page.getByLabel("User id").fill("42");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("PAYMENT").first().waitFor();
  await look(page, "operations-user");
});

test("events as they come, and the head to note elsewhere", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/events`);
  await page.getByText("Note it elsewhere").waitFor();
  await page.getByText(/\d+ PointsCharged|\d+ ReservationPaid|\d+ \w+/).first().waitFor();
  await server.ask("POST", "/api/tokens", { userId: 99 });
  await page.getByText(/\d+ TokenIssued/).first().waitFor();
  await look(page, "operations-events");
});

test("events of one type and of one user, and a read model that is built anew", async () => {
  const page = await browser.page();
  await page.goto(`${server.operations}/#/events`);
  await page.getByText(/\d+ ReservationPaid/).first().waitFor();
  await page.getByLabel("User id").fill("42");
  await page.getByLabel("Type").fill("TokenIssued, PointsCharged");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText(/\d+ ReservationPaid/).first().waitFor({ state: "detached" });
  assert.equal(await page.locator(".events > li").count(), 2, "one token, one charge");
  await server.ask("POST", "/api/tokens", { userId: 98 });
  const { token } = await server.ask("POST", "/api/tokens", { userId: 42 });
  await server.ask("POST", "/api/users/42/points/charge", { amount: 77 }, token);
  await page.getByText(/"amount":77/).waitFor();
  assert.ok(!(await page.locator(".events").textContent()).includes('"user_id":98'));
  await page.getByText("Build point_history anew").click();
  await page.getByRole("button", { name: "Rebuild" }).and(page.locator(":visible")).click();
  await page.getByText("point_history is built anew").first().waitFor();
  await page.getByLabel("Type").fill("Nonsense");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText(/must be types of events/).first().waitFor();
});
