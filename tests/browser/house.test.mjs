// A house of 50,000 seats: everything stands, and what it took is reported. There is no graphics card here, so no time is
// asserted.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, browser, look, serve, server } from "./harness.mjs";
import { untilDrawn } from "./steps.mjs";

const [ZONES, ROWS, NUMBERS] = [20, 50, 50];

serve({ make });

async function make() {
  const server = new Server(["--identity", "open"]);
  const seats = [];
  for (let zone = 0; zone < ZONES; zone += 1) {
    for (let row = 0; row < ROWS; row += 1) {
      for (let number = 1; number <= NUMBERS; number += 1) {
        seats.push({ zoneName: `Block ${zone + 1}`, seatName: `${row + 1}-${number}`, row: String(row + 1), number, price: 50_000 + 1_000 * zone });
      }
    }
  }
  const startsAt = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const saleOpensAt = new Date(Date.now() - 60_000).toISOString();
  const file = join(server.folder, "house.json");
  writeFileSync(file, JSON.stringify({ concerts: [{ concertName: "Stadium", artist: "Everybody", venue: "The Bowl", schedules: [{ startsAt, saleOpensAt, seats }] }] }));
  const imported = spawnSync(server.program, ["catalog", "import", file, "--data", join(server.folder, "data")], { encoding: "utf8" });
  assert.equal(imported.status, 0, imported.stderr);
  return server;
}

test("a map of 50,000 seats is drawn, moved and bought from", async (context) => {
  const page = await browser.page();
  await page.goto(server.url);
  await page.getByRole("link", { name: "Stadium" }).click();
  await page.locator("main a.row").first().click();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("button", { name: /^Block 1 / }).waitFor();
  context.diagnostic(`from the token's answer to the drawn map: ${(await untilDrawn(page)).toFixed(0)} ms`);
  await look(page, "house-far");
  const frames = await page.evaluate(async () => {
    const canvas = document.querySelector("seat-map canvas");
    const times = [];
    for (let step = 0; step < 30; step += 1) {
      const from = performance.now();
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: step < 15 ? -1 : 1, cancelable: true }));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      times.push(performance.now() - from);
    }
    return times.sort((left, right) => left - right);
  });
  context.diagnostic(`a step of the zoom: median ${frames[15].toFixed(0)} ms, slowest ${frames[29].toFixed(0)} ms`);
  const map = page.locator("seat-map canvas");
  await page.getByRole("button", { name: "Whole house" }).click();
  await map.click({ position: { x: 40, y: 40 } });
  await page.getByRole("heading", { name: "Block 1", exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: /^Block 7 / }).click();
  await page.getByRole("button", { name: /^Row 12/ }).click();
  await look(page, "house-near");
  await page.getByRole("button", { name: /^Seat 12-25/ }).click();
  await page.getByRole("button", { name: /^Hold/ }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
});

test("an operator sees 50,000 seats by section and on the map, and why one is held", async (context) => {
  const page = await browser.page();
  const before = Date.now();
  await page.goto(`${server.operations}/#/schedules/1`);
  await page.getByText(/1 held, 49,999 free/).waitFor();
  context.diagnostic(`until an operator sees them: ${Date.now() - before} ms`);
  await look(page, "operations-house");
  await page.getByRole("button", { name: /^Block 7 .*1 held/ }).click();
  await page.getByRole("button", { name: /held/ }).click();
  await page.getByRole("region", { name: "Why" }).waitFor();
  await page.getByText(/held by reservation/).first().waitFor();
});
