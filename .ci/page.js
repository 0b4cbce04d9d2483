// page.js FILE checks the HTML page FILE in chromium: that it needs no request, fits
// the window, has no violation that axe finds, and that layers, folders, packages, the
// address, the keyboard and the copy buttons work. The page marks itself as ready when its
// script has finished. Needs puppeteer-core and axe-core in NODE_PATH.
"use strict";
const assert = require("assert");
const fs = require("fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core"), "utf8");
const url = "file://" + process.argv[2];

(async () => {
  const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on("pageerror", (e) => problems.push(e.message));
    page.on("console", (m) => problems.push(m.text()));
    page.on("request", (r) => { if (r.url().split("#")[0] !== url) problems.push("it requests " + r.url()); });
    const open = async () => {
      await page.goto(url);
      await page.waitForSelector("html[data-ready]");
    };

    for (const scheme of ["light", "dark"]) for (const width of [375, 900, 1600]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height: 900 });
      await open();
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `at ${width} pixels it is too wide`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes[0].html}`));
      assert.deepStrictEqual(found, [], `${scheme}, ${width} pixels`);
    }

    // The address follows every selection, and Back returns to the one before.
    const hash = () => page.evaluate(() => decodeURIComponent(location.hash));
    const settled = (h) => page.waitForFunction((h) => decodeURIComponent(location.hash) === h, {}, h);
    const tree = () => page.$eval("#rows", (e) => e.innerText);
    await open();
    const whole = await tree();
    const stores = await page.$$eval(".layers li", (all) => all.findIndex((li) => !li.querySelector(".num").textContent.startsWith("0 ")));
    await page.click(`.layers li[data-layer="${stores}"] > a.layer`);
    await settled(`#layer=${stores}`);
    await page.waitForSelector("#filter:not([hidden])");
    assert.notStrictEqual(await tree(), whole, "a layer doesn't filter the tree");
    assert.strictEqual(await page.$$eval(".whole g:not(.off)", (all) => all.length), 1, "a layer doesn't filter the bar");
    assert(await page.$$eval(".finding:not([hidden])", (all, layer) => all.every((f) => f.dataset.layers.split(" ").includes(layer)), String(stores)), "a layer doesn't filter the findings");
    await page.goBack();
    await settled("");
    await page.waitForSelector("#filter[hidden]");
    assert.strictEqual(await tree(), whole, "Back doesn't return to the whole tree");

    // Keys: down to the first folder, open it on the map, and back in the map.
    await page.focus("#rows tr");
    await page.keyboard.press("ArrowDown");
    const path = await page.evaluate(() => document.activeElement.dataset.path);
    await page.keyboard.press("Enter");
    await settled("#path=" + path);
    await page.waitForFunction((path) => document.getElementById("map-said").textContent.startsWith(path), {}, path);
    await page.focus("#treemap button");
    await page.keyboard.press("Backspace");
    await settled("");
    await page.focus("#search");
    await page.keyboard.type(path);
    await settled("#search=" + path);
    assert((await tree()).includes(path), "the search doesn't find " + path);

    const copy = await page.$(".label button");
    if (copy) {
      await browser.defaultBrowserContext().overridePermissions("file://", ["clipboard-read", "clipboard-sanitized-write"]).catch(() => {});
      await page.evaluate(() => document.querySelectorAll(".finding").forEach((d) => { d.open = true; }));
      await copy.click();
      await page.waitForFunction((b) => b.textContent === "Copied", {}, copy);
    }

    // From a layer to its lines, from these to a finding, and to the layer.
    if (await page.$("#dockerfile")) {
      await open();
      const line = await page.$eval(".layers a.source", (e) => { e.click(); return e.hash; });
      await settled(line);
      await page.waitForFunction((line) => { const r = document.querySelector(line).getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; }, {}, line);
      const finding = await page.$eval(".costs a[href^='#finding']", (e) => { document.querySelector(e.hash).open = false; e.click(); return e.hash; });
      await settled(finding);
      await page.waitForFunction((finding) => { const e = document.querySelector(finding); return e.open && e.getBoundingClientRect().top < innerHeight; }, {}, finding);
      const layer = await page.$eval(".costs a.layer", (e) => { e.click(); return e.textContent; });
      await settled(`#layer=${layer}`);
      await page.waitForSelector(".block[aria-current]");
    }

    // A type on the map of packages filters the map and the table, and so does a layer.
    if (await page.$("#packages-section")) {
      await open();
      const packages = () => page.$eval("#package-rows", (e) => e.innerText);
      const all = await packages();
      await page.focus("#package-map button");
      const type = await page.$eval("#package-map .folder button", (e) => { e.focus(); return e.getAttribute("aria-label").split(":")[0]; });
      await page.keyboard.press("Enter");
      await settled("#type=" + type);
      await page.waitForFunction((type) => document.getElementById("package-map-said").textContent.startsWith(type + ": "), {}, type);
      assert(await page.$$eval("#package-rows td:nth-child(2)", (all, type) => all.length > 0 && all.every((td) => td.textContent === type), type), "a type doesn't filter the packages");
      await page.focus("#package-map button");
      await page.keyboard.press("Backspace");
      await settled("");
      await page.waitForFunction((all) => document.getElementById("package-rows").innerText === all, {}, all);
      const layer = await page.$eval("#package-rows td:nth-child(5) a.layer", (e) => { e.click(); return e.textContent; });
      await settled("#layer=" + layer);
      await page.waitForFunction((layer) => document.getElementById("package-map-said").textContent.includes(`stored by layer ${layer}, which brought `), {}, layer);
      await page.evaluate(() => { for (let more; (more = document.querySelector("#package-rows button")); ) more.click(); });
      const filtered = await page.$$eval("#package-rows tr:has(a.layer)", (all, layer) => all.every((tr) => tr.textContent.includes("removed by layer " + layer) || [...tr.querySelectorAll("a.layer")].some((a) => a.textContent === layer)), layer);
      assert(filtered, "a layer doesn't filter the packages");
    }
    assert.deepStrictEqual(problems, []);
  } finally {
    await browser.close();
  }
})().catch((e) => {
  console.error("page.js:", e.message);
  process.exit(1);
});
