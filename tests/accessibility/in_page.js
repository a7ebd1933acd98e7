// What is asked inside a page. Loaded into it before it is read; defines one name, `asked`.
globalThis.asked = (() => {
  const SLACK = 1; // pixels by which a browser may round
  const WORDS = 60; // letters of an element's text that are enough to find it by
  const NAMED = (name) => `.scroll[role=region][tabindex="0"][${name}]`;
  const SCROLLER = `${NAMED("aria-label")}, ${NAMED("aria-labelledby")}, pre`;
  const FOCUSABLE = `a[href], area[href], button, input, select, textarea, summary, iframe, audio[controls],
    video[controls], [tabindex], [contenteditable]`;

  const everything = () => [...document.querySelectorAll("body, body *")];

  /** An element as a person would look for it: its tag, id and classes, and its first words. */
  function named(element) {
    const id = element.id ? `#${element.id}` : "";
    const classes = [...element.classList].map((name) => `.${name}`).join("");
    const text = (element.textContent || element.alt || "").replace(/\s+/g, " ").trim().slice(0, WORDS);
    return `${element.localName}${id}${classes}${text ? ` “${text}”` : ""}`;
  }

  /** Hidden from eyes on purpose and kept for screen readers: nothing of it can be seen to be cut off. */
  function forEarsOnly(element) {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.clipPath === "inset(50%)" && style.position === "absolute") return true;
    }
    return false;
  }

  /** Unfold everything, as a reader may. */
  function unfold() {
    for (const details of document.querySelectorAll("details")) details.open = true;
  }

  /** Why the page would have to be scrolled sideways: what sticks out, widest first, and scrollers without a name. */
  function sideways() {
    const { clientWidth: room, scrollWidth: wide } = document.scrollingElement;
    const edge = (element) => Math.round(element.getBoundingClientRect().right);
    const out = everything()
      .filter((one) => edge(one) > room + SLACK && !one.parentElement.closest(SCROLLER) && !forEarsOnly(one))
      .sort((one, other) => edge(other) - edge(one))
      .slice(0, 3)
      .map((one) => ({ target: named(one), said: `reaches to ${edge(one)} px where there are ${room}` }));
    const unnamed = everything()
      .filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + SLACK)
      .filter((one) => !one.matches(SCROLLER))
      .map((one) => ({ target: named(one), said: "scrolls sideways, but is no focusable region with a name" }));
    const captions = [...document.querySelectorAll("caption")]
      .filter((one) => one.getBoundingClientRect().width > room && !forEarsOnly(one))
      .map((one) => ({ target: named(one), said: "is wider than the window: words go sideways with their table" }));
    const page = { target: "the page", said: `is ${wide} px wide where there are ${room}` };
    return [...(wide > room ? [page] : []), ...out, ...unnamed, ...captions];
  }

  /** What is cut off: its box hides what does not fit. */
  function cutOff() {
    const cuts = (overflow) => overflow === "hidden" || overflow === "clip";
    return everything()
      .filter((one) => {
        const { overflowX, overflowY } = getComputedStyle(one);
        const across = cuts(overflowX) && one.scrollWidth > one.clientWidth + SLACK;
        const down = cuts(overflowY) && one.scrollHeight > one.clientHeight + SLACK;
        return (across || down) && !forEarsOnly(one);
      })
      .map((one) => ({ target: named(one), said: "hides some of its text" }));
  }

  /** The place in the page, counted in elements, of each that the Tab key should stop at. */
  function toBeMet() {
    const all = everything();
    return [...document.querySelectorAll(FOCUSABLE)]
      .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }))
      .map((one) => ({ at: all.indexOf(one), target: named(one), tabIndex: one.tabIndex }));
  }

  /** Where the keyboard is now, and whether that can be seen; null where it has left the page. */
  function stop() {
    const here = document.activeElement;
    if (!here || here === document.body || here === document.documentElement) return null;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(here);
    const clear = /^rgba\(.*, 0\)$/.test(outlineColor);
    const { top, bottom, left, right } = here.getBoundingClientRect();
    return {
      at: everything().indexOf(here),
      target: named(here),
      outlined: outlineStyle !== "none" && parseFloat(outlineWidth) > 0 && !clear,
      inView: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
      skipsTo: here.localName === "a" ? here.getAttribute("href") : null,
    };
  }

  /** The place of `<main>`, and whether the address now points at it. */
  function main() {
    const found = document.querySelector("main");
    return found && { at: everything().indexOf(found), link: `#${found.id}`, arrived: found.matches(":target") };
  }

  return { unfold, sideways, cutOff, toBeMet, stop, main };
})();
