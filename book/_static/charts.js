/* Charts that answer to mouse, finger and keyboard.

   Each chart is in the page as a drawing. When a reader nears one, the shared Vega (vega.js) and
   its specification (figures/<figure>.<wide|narrow>.js) are loaded, both from this site and as
   scripts, because a page opened from disk may fetch nothing else. The live chart lies exactly over
   the drawing, which stays: it keeps the place, it is what is printed, and it comes back when
   anything fails. Colours are CSS variables, so the theme needs no redrawing. */
(() => {
  "use strict";

  const here = document.currentScript && document.currentScript.src;
  if (!here || !window.IntersectionObserver) return;
  const base = here.slice(0, here.lastIndexOf("/") + 1);
  /* how far from a mark, in pixels, a pointer still means it */
  const NEAR = 14;
  const KEYS =
    "Arrow keys step through the values, Page Up and Page Down by ten, Escape closes.";

  /* --- loading ------------------------------------------------------------------------------- */

  const loads = new Map();
  const specs = new Map();
  window.omrChart = (name, spec) => specs.set(name, spec);

  function load(path) {
    if (!loads.has(path)) {
      loads.set(
        path,
        new Promise((done, failed) => {
          const script = document.createElement("script");
          script.src = base + path;
          script.onload = done;
          script.onerror = () => failed(new Error(path));
          document.head.append(script);
        })
      );
    }
    return loads.get(path);
  }

  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        /* A drawing says all there is to say; whatever goes wrong, it stays. */
        enliven(entry.target).catch(() => {});
      }
    },
    { rootMargin: "250px 0px" }
  );

  async function enliven(box) {
    const kind = box.classList.contains("omr-wide") ? "wide" : "narrow";
    const figure = box.closest(".omr-figure");
    const name = `${figure.id.slice(4)}.${kind}`;
    await Promise.all([load("vega.js"), load(`figures/${name}.js`)]);
    const still = box.querySelector("svg");
    const live = document.createElement("div");
    live.className = "omr-live";
    const place = document.createElement("div");
    live.append(place);
    box.append(live);
    try {
      const { view } = await window.vegaEmbed(place, specs.get(name), {
        mode: "vega",
        renderer: "svg",
        actions: false,
        defaultStyle: false,
        hover: false,
        tooltip: false,
        logLevel: 0,
      });
      const drawn = place.querySelector("svg");
      if (!drawn || !drawn.querySelector("path, text")) throw new Error(name);
      const [, , width, height] = (drawn.getAttribute("viewBox") || "").split(" ").map(Number);
      if (!width || !height) throw new Error(name);
      drawn.setAttribute("aria-hidden", "true");
      drawn.setAttribute("preserveAspectRatio", "xMinYMin meet");
      specs.delete(name);
      answer(figure, box, live, still, drawn, marks(view, { width, height }));
      box.classList.add("omr-alive");
    } catch (error) {
      live.remove();
      throw error;
    }
  }

  /* --- what the marks say -------------------------------------------------------------------- */

  /* Every mark with a tip: its place in the picture, in the order drawn. */
  function marks(view, size) {
    const found = [];
    const [left, top] = view.origin();
    const padding = view.padding();
    const walk = (mark, x, y) => {
      for (const item of mark.items || []) {
        if (mark.marktype === "group") {
          for (const inner of item.items || []) {
            walk(inner, x + (item.x || 0), y + (item.y || 0));
          }
        } else if (item.tooltip && item.bounds && item.opacity !== 0) {
          let b = item.bounds;
          /* The points of a line share its bounds; each says something of its own place. */
          if (mark.marktype === "line" || mark.marktype === "area") {
            b = { x1: item.x - 3, x2: item.x + 3, y1: item.y - 3, y2: item.y + 3 };
          }
          const at = { x1: b.x1 + x, x2: b.x2 + x, y1: b.y1 + y, y2: b.y2 + y };
          if (Object.values(at).every(Number.isFinite)) {
            found.push({ ...at, tip: String(item.tooltip) });
          }
        }
      }
    };
    walk(view.scenegraph().root, left + padding.left, top + padding.top);
    return { found, size };
  }

  /* Bar, interval and point of one row say the same: one stop for the keyboard, the last drawn. */
  function stops(found) {
    const byTip = new Map();
    for (const mark of found) byTip.set(mark.tip, mark);
    return [...byTip.values()];
  }

  function nearest(found, x, y, near) {
    let best = null;
    let least = near * near;
    let closest = Infinity;
    for (const mark of found) {
      const dx = Math.max(mark.x1 - x, 0, x - mark.x2);
      const dy = Math.max(mark.y1 - y, 0, y - mark.y2);
      const gap = dx * dx + dy * dy;
      if (gap > least) continue;
      const cx = (mark.x1 + mark.x2) / 2 - x;
      const cy = (mark.y1 + mark.y2) / 2 - y;
      const middle = cx * cx + cy * cy;
      if (gap < least || middle <= closest) {
        best = mark;
        least = gap;
        closest = middle;
      }
    }
    return best;
  }

  /* --- mouse, finger, keyboard --------------------------------------------------------------- */

  function answer(figure, box, live, still, drawn, { found, size }) {
    const steps = stops(found);
    const title = figure.querySelector(".omr-title");
    live.tabIndex = 0;
    live.setAttribute("role", "application");
    live.setAttribute("aria-roledescription", "chart");
    live.setAttribute("aria-label", `${title ? title.textContent : "Chart"}. ${KEYS}`);
    const desc = still && still.querySelector("desc");
    if (desc && desc.id) live.setAttribute("aria-describedby", desc.id);

    const make = (kind, hidden) => {
      const made = document.createElement("div");
      made.className = kind;
      if (hidden) made.setAttribute("aria-hidden", "true");
      live.append(made);
      return made;
    };
    const ring = make("omr-ring", true);
    const tip = make("omr-tip", true);
    const keys = make("omr-keys", true);
    keys.textContent = KEYS;
    const said = make("omr-hidden", false);
    said.setAttribute("aria-live", "polite");
    let step = -1;
    let shown = null;

    const scale = () => {
      const frame = drawn.getBoundingClientRect();
      return { frame, by: Math.min(frame.width / size.width, frame.height / size.height) || 1 };
    };

    function hide() {
      shown = null;
      live.classList.remove("omr-told");
    }

    function show(mark) {
      if (shown !== mark) {
        tip.textContent = "";
        mark.tip.split("\n").forEach((line, number) => {
          const part = document.createElement(number ? "div" : "strong");
          part.textContent = line;
          tip.append(part);
        });
      }
      shown = mark;
      live.classList.add("omr-told");
      const { frame, by } = scale();
      const left = frame.left + mark.x1 * by;
      const right = frame.left + mark.x2 * by;
      const top = frame.top + mark.y1 * by;
      const bottom = frame.top + mark.y2 * by;
      ring.style.left = `${left - frame.left - 4}px`;
      ring.style.top = `${top - frame.top - 4}px`;
      ring.style.width = `${right - left + 8}px`;
      ring.style.height = `${bottom - top + 8}px`;
      /* Above the mark, or below it where there is no room; never out of the window. */
      const own = tip.getBoundingClientRect();
      const room = document.documentElement.clientWidth;
      const x = Math.max(4, Math.min((left + right - own.width) / 2, room - own.width - 4));
      const above = top - own.height - 10;
      const y = above > 4 ? above : Math.min(bottom + 10, window.innerHeight - own.height - 4);
      tip.style.left = `${x}px`;
      tip.style.top = `${Math.max(4, y)}px`;
    }

    function point(event) {
      const { frame, by } = scale();
      const x = (event.clientX - frame.left) / by;
      const y = (event.clientY - frame.top) / by;
      const mark = nearest(found, x, y, (event.pointerType === "touch" ? 2 : 1) * NEAR / by);
      if (mark) show(mark);
      else hide();
    }

    live.addEventListener("pointermove", point);
    live.addEventListener("pointerdown", point);
    live.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") hide();
    });
    live.addEventListener("blur", hide);
    live.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        step = -1;
        said.textContent = "";
        hide();
        return;
      }
      const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1,
        PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
      if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!steps.length) return;
      event.preventDefault();
      const last = steps.length - 1;
      step = step < 0 && moves[event.key] < 0 && event.key !== "Home" ? last
        : Math.max(0, Math.min(last, step + moves[event.key]));
      const mark = steps[step];
      show(mark);
      const { top, bottom } = tip.getBoundingClientRect();
      if (top < 0 || bottom > window.innerHeight) live.scrollIntoView({ block: "nearest" });
      said.textContent = `${step + 1} of ${steps.length}: ${mark.tip.split("\n").join(", ")}`;
    });
    window.addEventListener("scroll", () => shown && show(shown), { passive: true });
    window.addEventListener("resize", hide);
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  /* --- the words to cite ---------------------------------------------------------------------- */

  function offerCopies() {
    if (!navigator.clipboard) return;
    for (const words of document.querySelectorAll(".omr-cite > p")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "omr-copy";
      button.textContent = "Copy";
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(words.textContent).then(
          () => {
            button.textContent = "Copied";
          },
          () => {
            button.textContent = "Select the text to copy it";
          }
        );
      });
      words.after(button);
    }
  }

  function start() {
    offerCopies();
    /* Who asked the browser to save data keeps the drawings. */
    if (navigator.connection && navigator.connection.saveData) return;
    /* A page that nobody touches stays as light as it came: the first sign of a reader starts it. */
    const signs = ["scroll", "pointermove", "pointerdown", "keydown", "focusin"];
    const begin = () => {
      for (const sign of signs) window.removeEventListener(sign, begin);
      const boxes = ".omr-figure[data-live] > .omr-wide, .omr-figure[data-live] > .omr-narrow";
      for (const box of document.querySelectorAll(boxes)) observer.observe(box);
    };
    for (const sign of signs) window.addEventListener(sign, begin, { passive: true });
  }

  /* The page loads this in its head. */
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
