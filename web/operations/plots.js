// The sale at a glance, as lines that move: what `/metrics` counts, a few seconds at a time.

import uPlot from "../vendor/uplot@1.6.32/uPlot.esm.js";

/** How many moments a line keeps, and the seconds that are shown of it. */
const [KEPT, SHOWN_SECONDS] = [120, 240];

const compact = new Intl.NumberFormat("en", { notation: "compact" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium", hour12: false });

/** The numbers of the Prometheus text format, by name, over all labels or those that fit. */
export class Metrics {
  /** @type {{name: string, labels: string, value: number}[]} */
  #samples = [];

  /** @param {string} text */
  constructor(text) {
    for (const line of text.split("\n")) {
      const [, name, labels = "", value] = /^([a-z_:]+)(\{.*\})? (\S+)/.exec(line) ?? [];
      if (name) this.#samples.push({ name, labels, value: Number(value) });
    }
  }

  /** The sum of a name's samples. @param {string} name @param {RegExp} [labels] */
  sum(name, labels = /./s) {
    const fitting = this.#samples.filter((sample) => sample.name === name && (labels.source === "." || labels.test(sample.labels)));
    return fitting.reduce((sum, { value }) => sum + value, 0);
  }

  /** The largest of a name's samples. @param {string} name @param {RegExp} [labels] */
  largest(name, labels = /./s) {
    const fitting = this.#samples.filter((sample) => sample.name === name && (labels.source === "." || labels.test(sample.labels)));
    return fitting.reduce((most, { value }) => Math.max(most, value), 0);
  }

  /**
   * The value below which `part` of what came since `before` lies, by a histogram's or summary's buckets.
   * @param {string} name @param {number} part @param {Metrics | null} before
   */
  quantile(name, part, before) {
    /** @type {Map<number, number>} */
    const buckets = new Map();
    for (const [metrics, sign] of /** @type {[Metrics | null, number][]} */ ([[this, 1], [before, -1]])) {
      for (const sample of metrics ? metrics.#samples : []) {
        const bound = /le="([^"]+)"/.exec(sample.labels)?.[1];
        if (sample.name !== `${name}_bucket` || !bound) continue;
        const limit = bound === "+Inf" ? Infinity : Number(bound);
        buckets.set(limit, (buckets.get(limit) ?? 0) + sign * sample.value);
      }
    }
    const limits = [...buckets.keys()].sort((left, right) => left - right);
    const all = buckets.get(Infinity) ?? 0;
    return all > 0 ? limits.find((limit) => (buckets.get(limit) ?? 0) >= part * all) ?? 0 : 0;
  }
}

/** A plot of some lines over time. */
class LinePlot extends HTMLElement {
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {number[][]} */
  #data = [[]];
  /** @type {string[]} */
  lines = [];

  connectedCallback() {
    if (this.#data[0].length > 0) this.#begin();
    new ResizeObserver(() => this.#plot?.setSize({ width: this.clientWidth, height: 160 })).observe(this);
  }

  /** The next moment, with a value for each line. @param {{at: number, values: number[]} | null} next */
  set next(next) {
    if (!next || this.#data[0].at(-1) === next.at) return;
    if (this.#data.length === 1) this.#data = [[], ...next.values.map(() => [])];
    [next.at, ...next.values].forEach((value, index) => {
      this.#data[index].push(value);
      if (this.#data[index].length > KEPT) this.#data[index].shift();
    });
    if (this.#plot) this.#plot.setData(/** @type {any} */ (this.#data));
    // Before it stands in the page it has neither a width nor colours.
    else if (this.isConnected) this.#begin();
    const told = this.lines.map((line, index) => `${line}: ${next.values[index].toFixed(0)}`);
    this.setAttribute("aria-label", told.join(", "));
  }

  #begin() {
    const style = getComputedStyle(this);
    const ink = style.getPropertyValue("--text");
    const strokes = ["--free", "--chosen", "--danger"].map((name) => style.getPropertyValue(name));
    const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--far") } };
    const times = (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map((second) => clock.format(second * 1_000));
    const amounts = (/** @type {unknown} */ _, /** @type {number[]} */ values) => values.map((value) => compact.format(value));
    // A line is told from the next by its dashes as well as by its colour.
    const dashes = [[], [8, 4], [2, 3]];
    this.setAttribute("role", "img");
    this.#plot = new uPlot(
      {
        width: this.clientWidth || 320,
        height: 160,
        // Room for half a time of day beside the last.
        padding: [8, 36, 0, 0],
        axes: [{ ...axis, values: times, space: 90 }, { ...axis, values: amounts, size: 60 }],
        legend: { live: false },
        series: [{ label: "time" }, ...this.lines.map((label, index) => ({ label, stroke: strokes[index], dash: dashes[index], width: 2 }))],
        cursor: { show: false },
        scales: {
          x: { range: (_, __, last) => [last - SHOWN_SECONDS, last] },
          y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most * 1.1)] },
        },
      },
      /** @type {any} */ (this.#data),
      this,
    );
  }
}

customElements.define("line-plot", LinePlot);
