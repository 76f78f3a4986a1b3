// What both pages do around their views: the skip link, the document's title, and the focus, which is never lost.

import { html, render } from "../vendor/lit-html@3.3.3/lit-html.js";

/** What had the focus last. @type {Element | null} */
let last = null;
document.addEventListener("focusin", (event) => (last = /** @type {Element} */ (event.target)));

/** The link over a page's head to what the page is about. @param {string} words */
export const skipLink = (words) => html`<a class="skip" href="#main" @click=${skip}>${words}</a>`;

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** Draws the page. @param {unknown} layout @param {string} title what the page is called */
export function show(layout, title) {
  render(layout, document.body);
  const heading = document.querySelector("h1")?.textContent?.trim();
  document.title = heading && heading !== title ? `${heading} · ${title}` : title;
  keepFocus();
}

/** Whoever stood on what is gone goes on at what comes next. */
function keepFocus() {
  const { activeElement } = document;
  if (!last || (activeElement !== last && activeElement !== document.body)) return;
  if (last.isConnected && !last.matches(":disabled") && last.getClientRects().length > 0) return;
  focusNext();
}

/** Leads to what comes next: the last `data-next` of the page, else its heading. */
export function focusNext() {
  const marked = [...document.querySelectorAll("main [data-next]")];
  /** @type {HTMLElement | null} */ (marked.at(-1) ?? document.querySelector("h1"))?.focus();
}
