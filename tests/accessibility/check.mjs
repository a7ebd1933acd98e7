// Reads pages in a browser, as people use them, and prints what stands in their way.
//
//   echo '["/tmp/index.html"]' | node check.mjs        or        node check.mjs pages.json
//
// Prints a JSON list, one entry a page: { page, faults, unsure, stops, sides }. A fault is { check, rule, target, said }.
// `unsure` is contrast that axe could measure at no width: to be looked at, no fault. `stops` counts those of Tab.
// `sides` counts those of A4 that a page made for paper takes.
// The numbers beside a check are those of WCAG 2.2.
import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 320, height: 800 }; // 1.4.10: 1280 px magnified to 400 %
const MOST_STOPS = 1000;
const FOR_PAPER = /(handout|07_signals_this_wave)\.html$/;
const SHORT = 200; // letters of an element's HTML
const SPACED = `* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }`; // 1.4.12
// No sandbox, because CI runs as root; nothing that would call home.
const QUIET = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const IN_PAGE = fileURLToPath(new URL("in_page.js", import.meta.url));

/** The system's browser: none is downloaded. */
function browserPath() {
  if (process.env.EVALKIT_CHROMIUM) return process.env.EVALKIT_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of folders) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here: look further.
      }
    }
  }
  throw new Error("No chromium on the PATH. Install it (Debian: chromium) or name it in EVALKIT_CHROMIUM.");
}

/** Each thing found, once, under the name of what found it. */
function asFaults(check, found) {
  const told = found.map((fault) => JSON.stringify({ check, ...fault }));
  return [...new Set(told)].map((fault) => JSON.parse(fault));
}

/** Everything about one page. The keyboard comes first, while the details are folded and nothing has focus. */
async function read(page, file) {
  const left = [];
  const heed = (request) => {
    if (!/^(file|data|about|blob):/.test(request.url())) left.push({ target: request.url(), said: "is asked for" });
  };
  page.on("request", heed);
  await page.setViewportSize(WIDE);
  await page.goto(pathToFileURL(file).href);
  const sides = FOR_PAPER.test(file) ? await printed(page) : null;
  const { faults, stops } = await keyboard(page);
  await page.evaluate(() => asked.unfold());
  await page.addScriptTag({ path: AXE });
  const wide = await rules(page, WIDE);
  const narrow = await rules(page, NARROW);
  faults.push(...wide.faults, ...narrow.faults);
  faults.push(...asFaults("reflow", await page.evaluate(() => asked.sideways())));
  faults.push(...(await spacing(page)), ...asFaults("requests", left));
  page.off("request", heed);
  const nowhereSure = wide.unsure.filter(({ target }) => narrow.unsure.some((other) => other.target === target));
  return { page: file, faults, unsure: nowhereSure, stops, sides };
}

/** How many sides of A4 the page takes. */
async function printed(page) {
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  return pdf.toString("latin1").match(/\/Type\s*\/Page(?!s)/g).length;
}

/** axe-core's rules at one width. What passed stays in the page: there is much of it, and nobody reads it. */
async function rules(page, size) {
  await page.setViewportSize(size);
  const found = await page.evaluate(async (runOnly) => {
    const rules = { "target-size": { enabled: true } }; // new in 2.2, and not on by itself
    const { violations, incomplete } = await axe.run({ runOnly, rules, resultTypes: ["violations", "incomplete"] });
    return { violations, unsure: incomplete.filter(({ id }) => id === "color-contrast") };
  }, RULES);
  const told = (results) =>
    results.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target, any, all, none, html }) => ({
        rule: id,
        target: target.flat().join(" "),
        said: `${impact} at ${size.width} px: ${[...any, ...all, ...none][0]?.message}: ${html.slice(0, SHORT)}`,
      })),
    );
  return { faults: asFaults("axe", told(found.violations)), unsure: told(found.unsure) };
}

/** With the spacing a reader may set, nothing is cut off and nothing goes sideways. Leaves the page spaced. */
async function spacing(page) {
  await page.addStyleTag({ content: SPACED });
  const narrow = await page.evaluate(() => [...asked.cutOff(), ...asked.sideways()]);
  await page.setViewportSize(WIDE);
  const wide = await page.evaluate(() => asked.cutOff());
  return asFaults("spacing", [...narrow, ...wide]);
}

/** Tab through the page, then back to the top to try the skip link and a fold. */
async function keyboard(page) {
  const wanted = await page.evaluate(() => asked.toBeMet());
  const { met, trap } = await stopsOf(page);
  const found = wanted
    .filter(({ tabIndex }) => tabIndex > 0)
    .map(({ target, tabIndex }) => ({ target, said: `has tabindex ${tabIndex}: it is met out of its order` }));
  if (trap) found.push({ target: trap.target, said: "holds the keyboard: Tab does not get past it" });
  met.forEach((stop, place) => {
    if (place && stop.at < met[place - 1].at) found.push({ target: stop.target, said: "is met after what follows it" });
    if (!stop.outlined) found.push({ target: stop.target, said: "has no outline when the keyboard is on it" });
    if (!stop.inView) found.push({ target: stop.target, said: "is out of sight when the keyboard is on it" });
  });
  const reached = new Set(met.map(({ at }) => at));
  const missed = wanted.filter(({ at }) => !reached.has(at));
  found.push(...missed.map(({ target }) => ({ target, said: "is not met by Tab" })));
  found.push(...(await skipping(page, met[0], wanted)), ...(await folding(page)));
  return { faults: asFaults("keyboard", found), stops: met.length };
}

/** Where Tab stops, from the top until it leaves the page or begins again. */
async function stopsOf(page) {
  const met = [];
  while (met.length < MOST_STOPS) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => asked.stop());
    if (stop === null || stop.at === met[0]?.at) return { met };
    if (met.some(({ at }) => at === stop.at)) return { met, trap: stop };
    met.push(stop);
  }
  return { met, trap: met.at(-1) };
}

/** The first stop skips to the answers, and from there Tab goes on among them. */
async function skipping(page, first, wanted) {
  const main = await page.evaluate(() => asked.main());
  if (!first || !main || first.skipsTo !== main.link) {
    return [{ target: first?.target ?? "the page", said: "comes first by Tab, and is no link to <main>" }];
  }
  await page.focus(`a[href="${main.link}"]`);
  await page.keyboard.press("Enter");
  const { arrived } = await page.evaluate(() => asked.main());
  await page.keyboard.press("Tab");
  const next = await page.evaluate(() => asked.stop());
  const onwards = !wanted.some(({ at }) => at > main.at) || next?.at > main.at;
  return arrived && onwards ? [] : [{ target: first.target, said: "does not take the keyboard to <main>" }];
}

/** Enter unfolds what is folded, and Space folds it again. */
async function folding(page) {
  const summary = await page.$("details:not([open]) > summary");
  if (!summary) return [];
  const found = [];
  await summary.focus();
  for (const [key, open] of [["Enter", true], ["Space", false]]) {
    await page.keyboard.press(key);
    if ((await summary.evaluate(({ parentElement }) => parentElement.open)) !== open) {
      found.push({ target: "summary", said: `${key} does not ${open ? "unfold" : "fold"} it` });
    }
  }
  return found;
}

/** All pages, in order: one browser, and in it a window for each processor, for a hidden tab is served last. */
async function readAll(files) {
  const browser = await chromium.launch({ executablePath: browserPath(), args: QUIET });
  const report = new Array(files.length);
  const waiting = [...files.entries()];
  const reader = async () => {
    // axe cannot be put into a page whose policy allows no script. Offline, what a page asks for is not sent.
    const window = await browser.newContext({ bypassCSP: true, offline: true });
    await window.addInitScript({ path: IN_PAGE });
    const page = await window.newPage();
    for (let next = waiting.shift(); next; next = waiting.shift()) report[next[0]] = await read(page, next[1]);
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, reader));
    return report;
  } finally {
    await browser.close();
  }
}

const files = JSON.parse(readFileSync(process.argv[2] ?? 0, "utf8"));
process.stdout.write(`${JSON.stringify(await readAll(files), null, 1)}\n`);
