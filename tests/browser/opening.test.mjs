// An opening with a draw: its announcement on the operators' page, the countdown, the entry, the number that comes of it, and
// the check of it in the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, look, serve, server } from "./harness.mjs";

serve();

/** A moment of this machine's clock, as a field takes it. */
const field = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

test("an operator announces an opening, puts it off and takes it back, each with a reason", async () => {
  const page = await browser.page();
  await page.goto(server.operations);
  const fill = async (title, values, button) => {
    await page.getByText(title, { exact: true }).click();
    const form = page.locator("details", { hasText: title });
    for (const [label, value] of Object.entries(values)) await form.getByLabel(label).fill(value);
    await form.getByRole("button", { name: button, exact: true }).click();
  };
  const [prequeue, opens, later] = [2, 3, 4].map((hours) => field(Date.now() + hours * 3_600_000));
  const times = { "The pre-queue begins at": prequeue, "The sale opens at": opens, Reason: "a fair start" };
  await fill("Announce an opening with a draw", times, "Announce");
  await page.getByText("Commitment").waitFor();
  await look(page, "operations-opening");
  const { opening } = await server.ask("GET", "/api/queue");
  const buyer = await browser.page();
  await buyer.goto(`${server.url}/#/concerts/1/schedules/296`);
  await buyer.getByText(/The sale opens .*, by a draw\. Join from /).waitFor();
  await look(buyer, "announced");
  assert.equal(field(Date.parse(opening.opensAt)), opens);
  await fill("Put it off", { "The sale opens at": later, Reason: "the hall is late" }, "Put off");
  await page.getByText("The opening is put off.").first().waitFor();
  assert.equal(field(Date.parse((await server.ask("GET", "/api/queue")).opensAt)), later);
  await fill("Take it back", { Reason: "no show" }, "Take back");
  await page.getByText("Announce an opening with a draw", { exact: true }).waitFor();
  assert.equal((await server.ask("GET", "/api/queue")).opening, null);
});

test("people take part in a draw, and check their place in the browser", async () => {
  const now = Date.now();
  await server.operate("PUT", "/api/operations/room", { capacity: 1, admissionsPerSecond: null, arrivalSeconds: null, reason: "a small room" });
  await server.operate("POST", "/api/operations/opening", {
    prequeueFrom: new Date(now + 1_000).toISOString(),
    opensAt: new Date(now + 61_500).toISOString(),
    reason: "a fair start",
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const userId of [501, 502, 503]) await server.ask("POST", "/api/tokens", { userId });
  const page = await browser.page();
  await page.goto(`${server.url}/#/concerts/1/schedules/296`);
  await page.getByText("opens").first().waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("You take part in the draw").waitFor();
  await look(page, "prequeue");
  await page.reload();
  await page.getByText("You take part in the draw").waitFor();
  await page.getByRole("button", { name: "Check my place" }).click({ timeout: 90_000 });
  await page.getByText("Your place is right").first().waitFor();
  await look(page, "drawn");
  const operators = await browser.page();
  await operators.goto(server.operations);
  await operators.getByRole("heading", { name: "The draw" }).waitFor();
  await look(operators, "operations-drawn");
});

/** Has a page see a queue with other members. */
async function queueOf(page, others) {
  await page.route("**/api/queue*", async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, json: { ...(await response.json()), ...others } });
  });
}

test("the countdown goes by the server's clock, whatever this machine's says", async () => {
  const page = await browser.page();
  await page.clock.install({ time: Date.now() + 3_600_000 });
  await queueOf(page, { state: "PREQUEUE", opensAt: new Date(Date.now() + 600_000).toISOString(), draw: null });
  await page.goto(`${server.url}/#/concerts/1/schedules/290`);
  await page.getByText(/^(10:00|9:[345]\d)$/).waitFor();
});

test("a draw that waits for its beacon is told with what it waits for", async () => {
  const page = await browser.page();
  const opening = { beaconSource: "drand round 4242", beaconAt: new Date(Date.now() + 60_000).toISOString() };
  await queueOf(page, { state: "PREQUEUE", opensAt: new Date(Date.now() - 5_000).toISOString(), opening, draw: null });
  await page.goto(`${server.url}/#/concerts/1/schedules/290`);
  await page.getByText("The draw waits for: drand round 4242").waitFor();
  await look(page, "draw-waits");
});
