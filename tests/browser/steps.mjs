// Steps that several tests take on the buyer's page.

import { server } from "./harness.mjs";

/** The address of a show of the demo's first concert. */
export const show = (schedule) => `${server.url}/#/concerts/1/schedules/${schedule}`;

/** Joins on the page of a show. */
export async function join(page, schedule) {
  await page.goto(show(schedule));
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("button", { name: "2 best" }).waitFor();
}

/** Joins where one must sign in, and waits until the browser is back from the provider: what a new document shows may be seen
 * before the browser tells that it is there. */
export async function joinBySigningIn(page) {
  const isBack = page.waitForEvent("framenavigated");
  await page.getByRole("button", { name: "Join" }).click();
  await isBack;
}

/** Joins, and opens a section; what comes back is its first free seat. */
export async function choose(page, schedule, section) {
  await join(page, schedule);
  await page.getByRole("button", { name: section }).click();
  const seat = page.getByRole("button", { name: /^Seat/ }).first();
  await seat.waitFor();
  return seat;
}

/** Joins, and holds the two best seats. */
export async function hold(page, schedule) {
  await join(page, schedule);
  await page.getByRole("button", { name: "2 best" }).click();
  await page.getByRole("button", { name: /^Charge/ }).waitFor();
}

/** Charges what is missing, pays, and sees the ticket. */
export async function pay(page, press = (button) => button.click()) {
  await press(page.getByRole("button", { name: /^Charge/ }));
  const button = page.getByRole("button", { name: /^Pay/ });
  await button.and(page.locator(":enabled")).waitFor();
  await press(button);
  await page.getByText("Your ticket is paid").first().waitFor();
}

/** The token that a page has, for questions beside it. */
export const tokenOf = (page) => page.evaluate(() => sessionStorage.getItem("reprise-token"));

/** The user that a page is. */
export const userOf = (page) => page.evaluate(() => Number(localStorage.getItem("reprise-user")));

/** Everything that a page's user has, as the server says. */
export async function own(page, what) {
  return server.ask("GET", `/api/users/${await userOf(page)}/${what}`, undefined, await tokenOf(page));
}

/** Milliseconds from the answer that gave a token until the map stood, as the page itself measured them. */
export async function untilDrawn(page) {
  await page.waitForFunction(() => performance.getEntriesByName("map-drawn").length > 0);
  return page.evaluate(() => performance.measure("until-drawn", "token-answered", "map-drawn").duration);
}
