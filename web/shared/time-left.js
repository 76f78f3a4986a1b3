// A countdown. It shows every second and speaks at 60, 30 and 10 s; when it is over, it says so to the page once.

import { say, time } from "./words.js";

const SPOKEN_SECONDS = [60, 30, 10];

/** Tells whoever listens to a screen reader, without interrupting; "" takes back what is no longer so. @param {string} text */
export function tell(text) {
  const told = /** @type {HTMLElement} */ (document.getElementById("told"));
  // The same words again are said again.
  if (told.textContent === text) told.textContent = "";
  told.textContent = text;
}

class TimeLeft extends HTMLElement {
  #deadline = 0;
  #seconds = -1;
  #spoken = Infinity;
  #timer = 0;

  /** Seconds from now; a value that does not move the deadline by a second changes nothing. @param {number} seconds */
  set seconds(seconds) {
    const deadline = performance.now() + seconds * 1_000;
    if (Math.abs(deadline - this.#deadline) < 1_000 && this.#seconds >= 0) return;
    this.#deadline = deadline;
    this.#spoken = seconds;
    this.#show();
  }

  /** Whether the time stands still. @param {boolean} standing */
  set standing(standing) {
    clearInterval(this.#timer);
    this.#timer = 0;
    if (!standing) this.#timer = window.setInterval(() => this.#show(), 250);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #show() {
    const left = (this.#deadline - performance.now()) / 1_000;
    const seconds = Math.max(0, Math.ceil(left));
    if (seconds === this.#seconds) return;
    this.#seconds = seconds;
    this.textContent = time(seconds);
    const spoken = SPOKEN_SECONDS.find((limit) => seconds <= limit && this.#spoken > limit);
    if (spoken !== undefined && this.hasAttribute("speaks")) tell(say("secondsLeft", { seconds: spoken }));
    this.#spoken = Math.min(this.#spoken, seconds);
    if (seconds === 0) this.dispatchEvent(new Event("over"));
  }
}

customElements.define("time-left", TimeLeft);
