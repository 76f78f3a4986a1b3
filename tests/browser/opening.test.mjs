// An opening with a draw: the countdown, the entry, the number that comes of it, and the check of it in the browser.

import { after, before, test } from "node:test";
import { Browser, Server, look } from "./harness.mjs";

let server;
let browser;
before(async () => {
  server = await new Server().start();
  browser = await new Browser().start();
});
after(async () => {
  await browser?.stop();
  await server?.remove();
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
  const drawn = page.getByRole("button", { name: "Check my place" }).or(page.getByText("It is your turn"));
  await drawn.first().waitFor({ timeout: 75_000 });
  if (await page.getByRole("button", { name: "Check my place" }).count()) {
    await page.getByRole("button", { name: "Check my place" }).click();
    await page.getByText("Your place is right").first().waitFor();
  }
  await look(page, "drawn");
});
