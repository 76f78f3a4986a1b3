// The interface as a page, on both listeners: nothing is asked of another machine, and nothing is wrong on the console.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, serve, server } from "./harness.mjs";

serve();

/** Opens the page of a listener, and everything about one of its routes. */
async function opened(base, path) {
  const page = await browser.page();
  const response = await page.goto(`${base}/docs`);
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  await page.locator(`[data-path="${path}"]`).first().click();
  await page.getByText("Responses").first().waitFor();
  return page;
}

test("buyers' programs are told their routes", async () => {
  const page = await opened(server.url, "/api/concerts");
  await page.getByRole("button", { name: "Try it out" }).click();
  await page.getByRole("button", { name: "Execute" }).click();
  await page.getByText("Server response").waitFor();
  await page.getByText("concertName").first().waitFor();
  assert.deepEqual(page.wrong, []);
});

test("operators' programs are told theirs", async () => {
  const page = await opened(server.operations, "/api/operations/room");
  assert.deepEqual(page.wrong, []);
});

test("a problem's type leads to what it means", async () => {
  const page = await browser.page();
  await page.goto(`${server.url}/problems/seat-taken`);
  await page.getByRole("heading", { name: "What to do" }).waitFor();
  await page.getByText("Choose other seats.").waitFor();
  assert.deepEqual(page.wrong, []);
});
