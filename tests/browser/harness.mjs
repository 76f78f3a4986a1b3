// What every browser test has: a server of its own with the demo's sale, and a browser that reports what it should not do.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
const PROGRAM = process.env.REPRISE ?? ["release", "debug"].map((kind) => join(root, "target", kind, "reprise")).find(existsSync);
/** Where pictures of every state land, to be looked at. */
const PICTURES = process.env.REPRISE_PICTURES ?? join(root, "target/browser");
mkdirSync(PICTURES, { recursive: true });

/** A server on a folder of its own; `arguments_` follow `serve`. */
export class Server {
  constructor(arguments_ = ["--demo"]) {
    this.folder = mkdtempSync(join(tmpdir(), "reprise-browser-"));
    this.arguments = arguments_;
    this.port = 0;
    this.program = PROGRAM;
  }

  async start() {
    const place = ["--data", join(this.folder, "data")];
    const listen = ["--listen", `127.0.0.1:${this.port}`, "--operations", "127.0.0.1:0"];
    this.process = spawn(PROGRAM, ["serve", ...place, ...listen, ...this.arguments], { stdio: ["ignore", "ignore", "pipe"] });
    let lines = "";
    await new Promise((resolve, reject) => {
      this.process.stderr.on("data", (chunk) => {
        lines += chunk;
        const [, port] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(lines) ?? [];
        const [, operations] = /operations on http:\/\/127\.0\.0\.1:(\d+)/.exec(lines) ?? [];
        if (!port || !operations) return;
        this.port = Number(port);
        this.operations = `http://127.0.0.1:${operations}`;
        resolve();
      });
      this.process.once("exit", () => reject(new Error(`the server ended: ${lines}`)));
    });
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  /** Ends it, as `kill -9` does or in good order. */
  async stop(signal = "SIGTERM") {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill(signal);
    await ended;
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks the public interface, as another buyer would. */
  async ask(method, path, body, token) {
    return this.#exchange(this.url, method, path, body, token);
  }

  /** Asks the operators' listener. */
  async operate(method, path, body) {
    return this.#exchange(this.operations, method, path, body);
  }

  async #exchange(base, method, path, body, token) {
    const headers = { ...(body ? { "Content-Type": "application/json" } : {}), ...(token ? { Authorization: token } : {}) };
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}

/** The routes of both interfaces, as their documents tell them: a page asks no other. */
const DOCUMENTED = ["public", "operations"].flatMap((name) => {
  const { paths } = JSON.parse(readFileSync(join(root, `docs/openapi/${name}.json`), "utf8"));
  const pattern = (path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
  return Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), pattern(path)]));
});

/** A browser; each page that it opens is watched for errors and for requests that leave the machine. */
class Browser {
  async start(options = {}) {
    const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...args, "--no-sandbox"] });
    this.options = options;
    return this;
  }

  async page(options = {}) {
    const context = await this.browser.newContext({ locale: "en-US", ...this.options, ...options });
    const page = await context.newPage();
    page.wrong = [];
    page.expected = [];
    page.on("pageerror", (error) => page.wrong.push(String(error)));
    page.on("console", (message) => {
      // What the browser itself says of a refused request is no fault of the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.wrong.push(message.text());
    });
    page.on("request", (request) => {
      const { protocol, hostname, pathname } = new URL(request.url());
      const isKnown = DOCUMENTED.some(([method, path]) => method === request.method() && path.test(pathname));
      if (pathname.startsWith("/api/") && !isKnown) page.wrong.push(`no document has ${request.method()} ${pathname}`);
      if (!["data:", "blob:"].includes(protocol) && hostname !== "127.0.0.1") page.wrong.push(`asked ${request.url()}`);
    });
    page.setDefaultTimeout(40_000);
    return page;
  }

  stop() {
    return this.browser.close();
  }
}

/** The server and the browser of a file's tests, once it has said `serve()`. */
export let server;
export let browser;

/** Has both there from the file's first test to its last. `make` gives a server that is not started yet; `begin` is what comes
 * before the first test. */
export function serve({ make = () => new Server(), begin = () => {} } = {}) {
  before(async () => {
    server = await make();
    await server.start();
    browser = await new Browser().start();
    await begin();
  });
  after(async () => {
    await browser?.stop();
    await server?.remove();
  });
}

const axe = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** A phone's width, which is also a wide window's at 400 %. */
const NARROW = { width: 320, height: 640 };

/** Takes pictures of a state as it is and at 320 pixels, and holds both against WCAG 2.2 AA. */
export async function look(page, name) {
  await hold(page, name);
  const size = page.viewportSize();
  if (size.width <= NARROW.width) return;
  await page.setViewportSize(NARROW);
  await hold(page, `${name}-320`);
  await page.setViewportSize(size);
}

async function hold(page, name) {
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  // In a world of its own, since the page's policy lets in no script but its own.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  await session.send("Runtime.evaluate", { expression: axe, contextId });
  const run = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((found) => JSON.stringify(found.violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])))`;
  const { result } = await session.send("Runtime.evaluate", { expression: run, contextId, awaitPromise: true, returnByValue: true });
  await session.detach();
  assert.deepEqual(JSON.parse(result.value), [], `${name}: accessibility`);
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  assert.ok(scrollWidth <= clientWidth, `${name} scrolls sideways: ${scrollWidth} > ${clientWidth}`);
  assert.deepEqual(page.wrong, [], `${name}: errors`);
}
