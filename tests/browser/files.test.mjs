// What the pages are made of: words for every problem, vendored files as they were published, their weight, and the headers that
// they are served with.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { Server, browser, root, serve, server } from "./harness.mjs";

serve();

const web = join(root, "web");
globalThis.navigator ??= { language: "en" };
const { WORDS } = await import(join(web, "shared/words.js"));

/** The bytes of an answer as they travel, and its headers. */
const fetched = (url, headers = {}) =>
  new Promise((resolve, reject) => {
    const asked = request(url, { headers }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(parts) });
    });
    asked.on("error", reject).end();
  });

test("every problem of the contract has its words, in English and Korean, with the same members", () => {
  const kinds = readFileSync(join(root, "src/api/shared/kinds.rs"), "utf8");
  const codes = [...kinds.matchAll(/^ {4}[A-Z_]+ [A-Z_]+ "([a-z-]+)"/gm)].map(([, code]) => code);
  assert.ok(codes.length > 50, `${codes.length} codes were found`);
  assert.deepEqual(codes.filter((code) => !(code in WORDS)), []);
  const members = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [name, [english, korean]] of Object.entries(WORDS)) {
    assert.match(korean, /[가-힣]/, `${name} is not said in Korean`);
    assert.deepEqual(members(english), members(korean), `${name} has other members in Korean`);
  }
});

test("vendored files are those that were published", () => {
  const vendor = join(web, "vendor");
  const lines = readFileSync(join(vendor, "CHECKSUMS.sha256"), "utf8").trim().split("\n");
  const expected = Object.fromEntries(lines.map((line) => line.split(/\s+/).reverse()));
  const folders = readdirSync(vendor, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = folders.flatMap((folder) => readdirSync(join(vendor, folder)).map((file) => `${folder}/${file}`));
  const found = files.map((file) => [file, createHash("sha256").update(readFileSync(join(vendor, file))).digest("hex")]);
  assert.deepEqual(Object.fromEntries(found), expected);
  for (const folder of folders) assert.ok(existsSync(join(vendor, folder, "LICENSE")), `${folder} has no licence`);
});

test("each page weighs less than 150 KB as it travels, and a second visit nearly nothing", async (context) => {
  for (const base of [server.url, server.operations]) {
    const page = await browser.page();
    const urls = new Set();
    page.on("request", (asked) => !asked.url().includes("/api/") && !asked.url().includes("/metrics") && urls.add(asked.url()));
    await page.goto(base);
    await page.locator("main a.row, main .card a").first().waitFor();
    let [weight, again] = [0, 0];
    for (const url of urls) {
      const { headers, bytes } = await fetched(url, { "Accept-Encoding": "gzip" });
      assert.ok(headers.etag, `${url} has no ETag`);
      assert.equal(headers["content-encoding"], "gzip", `${url} is not compressed`);
      weight += bytes.length;
      const kept = await fetched(url, { "Accept-Encoding": "gzip", "If-None-Match": headers.etag });
      assert.equal(kept.status, 304, url);
      again += kept.bytes.length;
    }
    context.diagnostic(`${base === server.url ? "the buyer's" : "the operators'"} page: ${urls.size} files, ${weight} bytes compressed`);
    assert.ok(weight < 150_000, `${weight} bytes`);
    assert.equal(again, 0);
  }
});

test("both pages let in their own scripts and styles only", async () => {
  for (const base of [server.url, server.operations]) {
    const { headers, bytes } = await fetched(base);
    const policy = headers["content-security-policy"];
    const parts = Object.fromEntries(policy.split("; ").map((part) => part.split(/ (.*)/)));
    assert.deepEqual(
      [parts["default-src"], parts["script-src"], parts["style-src"], parts["connect-src"], parts["base-uri"]],
      ["'none'", "'self'", "'self'", "'self'", "'none'"],
    );
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.doesNotMatch(String(bytes), /<script(?! type="module" src=)|<style| style=| on\w+=/, "something is inline");
  }
});

test("a server without a page says so, and still has its interface and the operators' page", async () => {
  const plain = await new Server(["--identity", "open", "--no-page"]).start();
  try {
    const { status, bytes } = await fetched(plain.url);
    assert.deepEqual([status, JSON.parse(bytes).code], [404, "route-not-found"]);
    assert.equal((await fetched(`${plain.url}/api/concerts`)).status, 200);
    assert.equal((await fetched(plain.operations)).status, 200);
  } finally {
    await plain.remove();
  }
});
