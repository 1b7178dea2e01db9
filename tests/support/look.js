// What the browser tests ask of a page. One object; nothing of it changes the page.
({
  // Whether the page takes on a theme within two seconds of being asked by the system.
  async shows(theme) {
    for (let i = 0; i < 100 && document.documentElement.dataset.theme !== theme; i++) {
      await new Promise((done) => setTimeout(done, 20));
    }
    return document.documentElement.dataset.theme === theme;
  },

  // Colour of each text that is seen, and of the ground it stands on.
  colours() {
    const ground = (e) => {
      for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (!/rgba\(.*, 0\)$/.test(c) && c !== "transparent") return c;
      }
      return "rgb(0,0,0)";
    };
    const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const seen = [...document.body.querySelectorAll("*:not(svg *)")].filter(
      (e) => own(e) && e.getBoundingClientRect().height > 2 && e.checkVisibility()
    );
    return [...new Set(seen.map((e) => getComputedStyle(e).color + "|" + ground(e)))];
  },

  // For each figure, the drawings that are seen: where, how tall the smallest text, how many marks
  // (marks of one look share a path: steps of the pen are counted, not of axes and grid).
  drawn() {
    const style = getComputedStyle(document.documentElement);
    const bare = ["rule", "grid", "page"].map((n) => style.getPropertyValue(`--omr-${n}`).trim());
    const probe = document.createElement("canvas").getContext("2d");
    const hex = (colour) => ((probe.fillStyle = colour), probe.fillStyle);
    const idle = new Set(["none", ...bare.map(hex)]);
    const inked = (e) => {
      const { stroke, fill, markerMid } = getComputedStyle(e);
      // Points are corners of a path that is not drawn itself.
      if (markerMid !== "none") return true;
      return [stroke, fill].some((c) => !idle.has(c === "none" ? c : hex(c)));
    };
    const steps = (e) => (e.getAttribute("d") || "L").match(/[a-y]/gi)?.length || 0;
    return [...document.querySelectorAll(".omr-figure")].map((figure) => ({
      id: figure.id,
      seen: [...figure.querySelectorAll(".omr-wide > svg, .omr-narrow > svg")]
        .filter((s) => s.getBoundingClientRect().width > 100)
        .map((s) => ({
          kind: s.parentElement.className,
          text: Math.min(
            ...[...s.querySelectorAll("text")].map((t) => t.getBoundingClientRect().height)
          ),
          marks: [...s.querySelectorAll("path, rect, line, circle, use, image")]
            .filter((m) => {
              const box = m.getBoundingClientRect();
              return box.width + box.height > 0 && !m.closest("marker, clipPath, defs") && inked(m);
            })
            .reduce((sum, m) => sum + steps(m), 0),
        })),
    }));
  },

  // How far the page reaches to the right, and what scrolls sideways without a way in by key.
  reach() {
    const closed = [...document.querySelectorAll("main *")].filter(
      (e) =>
        e.scrollWidth > e.clientWidth + 1 &&
        ["auto", "scroll"].includes(getComputedStyle(e).overflowX) &&
        e.tabIndex < 0 &&
        !e.querySelector("a[href], button, [tabindex]")
    );
    return {
      width: document.documentElement.scrollWidth,
      closed: closed.map((e) => e.tagName + "." + e.className),
    };
  },

  // Note what the keyboard reaches; `reached` tells it.
  listen() {
    this.focused = [];
    document.addEventListener(
      "focusin",
      (event) => {
        // The ring may be drawn around what is inside, for instance an arrow.
        const ring = [event.target, ...event.target.children].some((e) => {
          const style = getComputedStyle(e);
          const line = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
          return line || style.boxShadow !== "none";
        });
        this.focused.push([event.target, ring]);
      },
      true
    );
    return this.reachable().length;
  },

  reachable() {
    const all = document.querySelectorAll(
      "a[href], button, input, select, textarea, summary, iframe, [contenteditable], [tabindex]"
    );
    // Of a group of radio buttons the keyboard stops at one.
    const chosen = (e) => e.type !== "radio" || e.checked;
    return [...all].filter(
      (e) =>
        e.tabIndex >= 0 && !e.disabled && chosen(e) &&
        e.checkVisibility({ visibilityProperty: true })
    );
  },

  named(e) {
    return e.outerHTML.replace(/\s+/g, " ").slice(0, 90);
  },

  // Whether focus has come back to the first thing that had it.
  isBack() {
    return this.focused.length > 1 && document.activeElement === this.focused[0][0];
  },

  reached() {
    const order = this.focused.map(([e]) => e);
    return {
      first: order[0].textContent.trim(),
      // A chart may come alive after the walk has passed it; its own tests walk there.
      missed: this.reachable()
        .filter((e) => !order.includes(e) && !e.matches(".omr-live"))
        .map(this.named),
      ringless: this.focused.filter(([, ring]) => !ring).map(([e]) => this.named(e)),
    };
  },

  inMain() {
    const e = document.activeElement;
    return location.hash === "#main-content" && e !== document.body && !!e.closest("main");
  },

  folds() {
    return [...document.querySelectorAll("main details:not([open]) > summary")].filter((e) =>
      e.checkVisibility()
    ).length;
  },

  // Focus a closed fold, to be opened by a key.
  atFold() {
    const fold = document.querySelector("main details:not([open]) > summary");
    fold.focus();
    this.fold = fold.parentElement;
  },

  axe() {
    return axe.run(document, { resultTypes: ["violations"], preload: false }).then((r) =>
      r.violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].target} ${v.nodes[0].html}`)
    );
  },
})
