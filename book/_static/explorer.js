/* The claim explorer: choose, and see what changes. Every number and every text was written by
   analysis/present/explorer.py; here they are looked up, counted and compared. The choices live in
   the address, after "#"; nothing is stored and nothing leaves the machine. Texts from data enter
   the page as text alone. */
(function () {
  "use strict";

  const ANY = -1;
  const WORDS = ["does not hold", "holds", "left open"];
  const SHAPES = ["▲", "●", "○"];
  const KINDS = ["against", "full", "open"];
  const VERDICTS = {
    robust: ["full", "●"],
    mostly: ["most", "◕"],
    depends: ["half", "◑"],
    fails: ["against", "▲"],
    "not checkable": ["open", "○"],
  };
  const SVG = "http://www.w3.org/2000/svg";
  const claims = new Map();
  const waiting = new Map();
  let root, known, parts, shown, picks, speak;

  /* --- small helpers ------------------------------------------------------------------------ */

  function make(tag, given, ...children) {
    const svg = given && given.svg;
    const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(given || {})) {
      if (name !== "svg" && value !== null && value !== false) {
        node.setAttribute(name, value === true ? "" : String(value));
      }
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  }

  function graded(text, grade) {
    const meaning = grade.charAt(0).toUpperCase() + grade.slice(1) + ": " + known.grades[grade] + ".";
    return make(
      "span",
      { class: "omr-number omr-" + grade, title: meaning },
      text,
      make("span", { class: "omr-mark", "aria-hidden": "true" }, grade.charAt(0)),
      make("span", { class: "omr-hidden" }, " (" + grade + ")")
    );
  }

  function mark(kind, shape, words) {
    return make(
      "span",
      { class: "omr-verdict omr-verdict-" + kind },
      make("span", { "aria-hidden": "true" }, shape + "\u00a0"),
      words
    );
  }

  const answer = (holds) => mark(KINDS[holds], SHAPES[holds], WORDS[holds]);

  /* "37.1 to 44.9 %": as numbers.format_interval writes it. */
  function span(low, high, unit) {
    if (low === high) {
      return low;
    }
    const at = high.lastIndexOf("\u00a0");
    const end = at < 0 || unit === "month" ? "" : high.slice(at);
    return (end && low.endsWith(end) ? low.slice(0, -end.length) : low) + " to " + high;
  }

  /* --- the data of a claim ------------------------------------------------------------------ */

  function unpack(data) {
    const count = data.holds.length;
    const column = (name) => {
      const given = data.rows[name];
      return (i) => (Array.isArray(given) ? given[i] : given);
    };
    const get = {};
    for (const name of Object.keys(data.rows)) {
      get[name] = column(name);
    }
    const rows = [];
    const byCombination = new Map();
    for (let i = 0; i < count; i += 1) {
      const chosen = [];
      let rest = get.combination(i);
      for (let d = data.dimensions.length - 1; d >= 0; d -= 1) {
        const size = data.dimensions[d].choices.length;
        chosen[d] = rest % size;
        rest = Math.floor(rest / size);
      }
      const row = { i, chosen, holds: Number(data.holds.charAt(i)) };
      for (const name of ["value", "lower", "upper", "hard_lower", "hard_upper", "estimate"]) {
        row[name] = get[name](i);
      }
      for (const name of ["interval", "hard", "seen", "note", "why", "grade"]) {
        row[name] = data.texts[get[name](i)];
      }
      row.text = row.value === -2 ? "no bound" : row.value < 0 ? "not known" : data.numbers[row.value];
      rows.push(row);
      byCombination.set(get.combination(i), row);
    }
    return Object.assign({}, data, { rows, own: rows[0].chosen });
  }

  window.omrExplorer = function (data) {
    const claim = unpack(data);
    claims.set(claim.id, claim);
    (waiting.get(claim.id) || []).forEach((done) => done(claim));
    waiting.delete(claim.id);
  };

  function load(id, done) {
    if (claims.has(id)) {
      done(claims.get(id));
      return;
    }
    if (waiting.has(id)) {
      waiting.get(id).push(done);
      return;
    }
    waiting.set(id, [done]);
    // A script, since a page opened from a folder may not fetch.
    const script = make("script", { src: root.dataset.folder + id + ".js", charset: "utf-8" });
    script.onerror = () => {
      waiting.delete(id);
      script.remove();
      if (shown) {
        parts.select.value = shown.id;
      }
      say("The numbers of this claim did not load; the tables below hold its answer.", true);
    };
    document.head.append(script);
  }

  /* --- counting ----------------------------------------------------------------------------- */

  const matching = (claim, wanted) =>
    claim.rows.filter((row) => wanted.every((c, d) => c === ANY || row.chosen[d] === c));

  /* How the register's rule reads a group of specifications (analysis/claims/verdicts.py). */
  function verdict(claim, rows) {
    const count = [0, 0, 0];
    rows.forEach((row) => (count[row.holds] += 1));
    const all = rows.length;
    const [no, yes, open] = count;
    let word = "depends";
    if (yes === all) {
      word = "robust";
    } else if (yes >= claim.mostly * all) {
      word = "mostly";
    } else if (no >= claim.mostly * all) {
      word = "fails";
    } else if (open >= claim.mostly * all || (yes === 0 && open >= all - open)) {
      word = "not checkable";
    } else if (yes === 0) {
      word = "fails";
    }
    return { word, no, yes, open, all };
  }

  function range(claim, rows) {
    const every = rows.map((row) => row.value);
    const values = every.filter((value) => value >= 0);
    if (!values.length) {
      return every.includes(-2) ? "no bound" : "not known";
    }
    const low = claim.numbers[Math.min(...values)];
    if (every.includes(-2)) {
      return "at least " + low;
    }
    return span(low, claim.numbers[Math.max(...values)], claim.unit);
  }

  /* From the lowest lower to the highest upper end of the intervals. */
  function ends(claim, rows, from, to) {
    const lows = rows.map((row) => row[from]);
    const highs = rows.map((row) => row[to]);
    const low = Math.min(...lows.filter((at) => at >= 0));
    const high = Math.max(...highs.filter((at) => at >= 0));
    if (!Number.isFinite(low)) {
      return "";
    }
    if (highs.includes(-2)) {
      return "at least " + claim.numbers[low];
    }
    return span(claim.numbers[low], claim.numbers[high], claim.unit);
  }

  /* Why no specification matches: the reasons of the register that cover the choices. */
  function reasons(claim, wanted) {
    const found = claim.impossible.filter((entry) =>
      claim.dimensions.every((dimension, d) => {
        const out = entry.where[dimension.id];
        return !out || wanted[d] === ANY || out.includes(wanted[d]);
      })
    );
    return [...new Set(found.map((entry) => entry.reason))];
  }

  /* --- the address -------------------------------------------------------------------------- */

  function address() {
    const words = new URLSearchParams({ claim: shown.id });
    shown.dimensions.forEach((dimension, d) => {
      words.set(dimension.id, picks[d] === ANY ? "*" : dimension.choices[picks[d]][0]);
    });
    return "#" + words.toString();
  }

  const cut = (text) => "“" + (text.length > 40 ? text.slice(0, 40) + "…" : text) + "”";

  /* Read the address and show what it holds; what it names and nobody knows is said. */
  function follow(first) {
    const hash = window.location.hash.slice(1);
    if (shown && hash && !hash.includes("=")) {
      return; // a heading of this page
    }
    if (shown && hash === address().slice(1)) {
      return;
    }
    const words = new URLSearchParams(hash.includes("=") ? hash : "");
    const strange = [];
    let id = words.get("claim");
    if (id !== null && !known.ids.has(id)) {
      strange.push("claim " + cut(id));
      id = null;
    }
    words.delete("claim");
    load(id || known.first, (claim) => {
      if (window.location.hash.slice(1) !== hash) {
        return; // it changed while the claim loaded
      }
      const wanted = claim.own.slice();
      for (const [name, choice] of words) {
        const d = claim.dimensions.findIndex((dimension) => dimension.id === name);
        const c = d < 0 ? -1 : claim.dimensions[d].choices.findIndex((each) => each[0] === choice);
        if (d >= 0 && (c >= 0 || choice === "*")) {
          wanted[d] = choice === "*" ? ANY : c;
        } else {
          strange.push(cut(name + "=" + choice));
        }
      }
      show(claim, wanted, !first || strange.length > 0, strange);
    });
  }

  function choose(wanted) {
    picks = wanted;
    window.location.hash = address();
    render();
    announce();
  }

  /* --- the page ----------------------------------------------------------------------------- */

  function say(text, visible) {
    window.clearTimeout(speak);
    // Arrow keys pass many choices: only where they rest is read out.
    speak = window.setTimeout(() => (parts.live.textContent = text), 150);
    if (visible !== undefined) {
      parts.message.textContent = visible ? text : "";
    }
  }

  function build() {
    const select = make("select", { id: "omr-claim" });
    for (const group of known.groups) {
      const inside = group.claims.map(([id, title]) => make("option", { value: id }, title));
      const label = group.name.charAt(0).toUpperCase() + group.name.slice(1);
      select.append(make("optgroup", { label }, ...inside));
    }
    select.addEventListener("change", () => {
      load(select.value, (claim) => {
        // Another may have been picked while this one loaded.
        if (claim.id === select.value) {
          show(claim, claim.own.slice(), true, []);
          window.location.hash = address();
        }
      });
    });
    const button = (words, act) => {
      const made = make("button", { type: "button", class: "omr-button" }, words);
      made.addEventListener("click", act);
      return made;
    };
    parts = {
      select,
      head: make("div", { class: "omr-explorer-claim" }),
      result: make("div", { class: "omr-result" }),
      strip: make("div", { class: "omr-strip" }),
      form: make("form", { class: "omr-choices", "aria-label": "Choices" }),
      key: make("p", { class: "omr-note" }),
      now: make("p", { class: "omr-now", "aria-hidden": "true" }),
      message: make("p", { class: "omr-message" }),
      link: make("input", { class: "omr-link", readonly: true, hidden: true, "aria-label": "Link" }),
      live: make("p", { class: "omr-hidden", role: "status", "aria-live": "polite" }),
    };
    parts.form.addEventListener("submit", (event) => event.preventDefault());
    const buttons = make(
      "div",
      { class: "omr-buttons" },
      button("The article’s own reading", () => choose(shown.own.slice())),
      button("All choices at once", () => choose(shown.own.map(() => ANY))),
      button("Reset", () =>
        load(known.first, (claim) => {
          show(claim, claim.own.slice(), true, []);
          window.location.hash = address();
        })
      ),
      button("Copy link", copy)
    );
    root.replaceChildren(
      make("p", { class: "omr-pick" }, make("label", { for: "omr-claim" }, "Claim"), select),
      parts.message,
      parts.head,
      parts.result,
      parts.strip,
      buttons,
      parts.link,
      parts.form,
      parts.key,
      parts.now,
      parts.live
    );
    let width = 0;
    new ResizeObserver(() => {
      if (shown && parts.strip.clientWidth !== width) {
        width = parts.strip.clientWidth;
        parts.result.style.minHeight = "";
        strip();
      }
    }).observe(parts.strip);
    // The answer in one line, while its box is out of sight.
    new IntersectionObserver(([seen]) => {
      parts.now.classList.toggle("omr-shown", !seen.isIntersecting);
    }).observe(parts.result);
  }

  function copy() {
    const link = window.location.href.split("#")[0] + address();
    const byHand = () => {
      parts.link.hidden = false;
      parts.link.value = link;
      parts.link.focus();
      parts.link.select();
      say("The link stands in the field, selected.", true);
    };
    if (!navigator.clipboard) {
      byHand();
      return;
    }
    navigator.clipboard.writeText(link).then(() => say("Link copied.", true), byHand);
  }

  function show(claim, wanted, aloud, strange) {
    if (shown !== claim) {
      shown = claim;
      form();
    }
    picks = wanted;
    parts.select.value = claim.id;
    render();
    const told = strange.slice(0, 3).join(", ") + (strange.length > 3 ? " and more" : "");
    const ignored = strange.length
      ? "The link names what is not here: " + told + ". The article’s own reading stands in its place."
      : "";
    parts.message.textContent = ignored;
    if (aloud) {
      announce(ignored);
    }
  }

  /* The choices: a group a dimension; each choice beside what it would give if it alone changed. */
  function form() {
    parts.form.replaceChildren();
    parts.rows = [];
    parts.result.style.minHeight = "";
    shown.dimensions.forEach((dimension, d) => {
      if (dimension.choices.length < 2) {
        return;
      }
      const decides = dimension.id === shown.deciding;
      const group = make(
        "fieldset",
        { class: "omr-dimension" },
        make(
          "legend",
          {},
          dimension.name,
          decides ? make("span", { class: "omr-tag" }, "decides most") : ""
        )
      );
      const choices = dimension.choices.map(([, words], c) => [c, words]);
      for (const [c, words] of [...choices, [ANY, "all of these"]]) {
        const id = "omr-choice-" + d + "-" + (c === ANY ? "all" : c);
        const input = make("input", { type: "radio", name: "omr-d" + d, id });
        input.addEventListener("change", () => choose(picks.map((old, e) => (e === d ? c : old))));
        const value = make("span", { class: "omr-would" });
        const holds = make("span", { class: "omr-answer" });
        const own = c === shown.own[d];
        const name = make(
          "span",
          { class: c === ANY ? "omr-choice omr-all" : "omr-choice" },
          words,
          own ? make("span", { class: "omr-tag" }, "article’s") : ""
        );
        group.append(make("label", { class: "omr-row", for: id }, input, name, value, holds));
        parts.rows.push({ d, c, input, value, holds });
      }
      parts.form.append(group);
    });
  }

  function render() {
    const found = matching(shown, picks);
    head();
    result(found);
    for (const row of parts.rows) {
      const wanted = picks.map((old, d) => (d === row.d ? row.c : old));
      const would = matching(shown, wanted);
      row.input.checked = picks[row.d] === row.c;
      row.input.closest("label").classList.toggle("omr-none", !would.length);
      row.input.closest("label").title = would.length ? "" : reasons(shown, wanted).join("; ");
      if (!would.length) {
        row.value.textContent = "";
        row.holds.textContent = "no such data";
      } else if (would.length === 1) {
        row.value.textContent = would[0].text + (would[0].estimate ? "" : "\u00a0†");
        row.holds.replaceChildren(answer(would[0].holds));
      } else {
        const { yes, all } = verdict(shown, would);
        row.value.textContent = range(shown, would);
        row.holds.textContent = yes + " of " + all + " hold";
      }
    }
    parts.key.textContent =
      "Beside each choice: what the answer would be if it alone were changed." +
      (shown.rows.some((row) => !row.estimate)
        ? " † no estimate: nothing bounds one end of its interval."
        : "");
    // It only grows, so that the choices below do not move under the pointer.
    parts.result.style.minHeight = parts.result.offsetHeight + "px";
    strip();
  }

  function head() {
    const stated = graded(shown.stated, "published");
    const page = make("a", { href: shown.page + ".html" }, "its page");
    parts.head.replaceChildren(
      make("p", {}, "“" + shown.statement + "” ", page),
      make(
        "p",
        { class: "omr-note" },
        "The article says ",
        stated,
        ". " + shown.rule + (shown.instrument ? " Read in: " + shown.instrument + "." : "")
      )
    );
  }

  function pairs(list) {
    const box = make("dl", { class: "omr-summary" });
    for (const [name, content] of list) {
      if (content) {
        box.append(make("dt", {}, name), make("dd", {}, content));
      }
    }
    return box;
  }

  function result(found) {
    const out = parts.result;
    if (!found.length) {
      const list = reasons(shown, picks).map((reason) => make("li", {}, reason + "."));
      out.replaceChildren(
        make("p", { class: "omr-headline" }, "This combination cannot be computed."),
        make("ul", {}, ...list),
        make("p", { class: "omr-note" }, "Change one of the choices that show a number below.")
      );
      parts.now.textContent = "cannot be computed";
      return;
    }
    if (found.length === 1) {
      single(found[0]);
    } else {
      several(found);
    }
  }

  function single(row) {
    const lead = row.estimate || !row.interval ? row.text : row.interval;
    const rest = shown.assumption || "assumptions that we tested";
    const sure = row.interval === row.hard;
    const why = row.why
      .replace("{value}", row.text)
      .replace("{interval}", row.interval)
      .replace("{hard}", row.hard);
    parts.result.replaceChildren(
      make("p", { class: "omr-headline" }, graded(lead, row.grade), " ", answer(row.holds)),
      pairs([
        ["Why", why],
        ["Its number", row.estimate ? "" : row.text + ", no estimate: nothing bounds one end"],
        ["Interval", row.interval !== lead ? row.interval : ""],
        ["The interval is", row.interval && shown.meaning],
        ["It rests on", row.hard && !sure ? rest : ""],
        ["Without that", row.hard && !sure ? row.hard : ""],
        ["Seen of it", row.seen],
        ["Note", row.note],
      ])
    );
    parts.now.replaceChildren(lead + " ", answer(row.holds));
  }

  function several(found) {
    const { word, no, yes, open, all } = verdict(shown, found);
    const [kind, shape] = VERDICTS[word];
    const grade = found.some((row) => row.grade === "bounded") ? "bounded" : found[0].grade;
    const part = Math.round(shown.mostly * 100);
    parts.result.replaceChildren(
      make(
        "p",
        { class: "omr-headline" },
        graded(range(shown, found), grade),
        " ",
        mark(kind, shape, word)
      ),
      pairs([
        ["Holds in", yes + " of " + all + " specifications"],
        ["Does not in", String(no)],
        ["Left open", String(open)],
        ["Intervals", ends(shown, found, "lower", "upper")],
        ["Hard intervals", ends(shown, found, "hard_lower", "hard_upper")],
        [
          "The rule",
          "robust: holds in all; mostly: in at least " + part + " %; fails: does not in at least " +
            part + " %, or holds in none; not checkable: the data leave nearly all open; " +
            "else it depends.",
        ],
      ])
    );
    parts.now.replaceChildren(range(shown, found) + ": " + yes + " of " + all + " hold");
  }

  function sentence() {
    const found = matching(shown, picks);
    if (!found.length) {
      return "This combination cannot be computed: " + reasons(shown, picks).join("; ") + ".";
    }
    if (found.length > 1) {
      const { word, yes, all } = verdict(shown, found);
      return range(shown, found) + ": it holds in " + yes + " of " + all + ", " + word + ".";
    }
    const row = found[0];
    const extra = row.interval && row.interval !== row.text ? ", interval " + row.interval : "";
    return row.text + extra + ": " + WORDS[row.holds] + ".";
  }

  function announce(before) {
    parts.link.hidden = true;
    if (!before) {
      parts.message.textContent = "";
    }
    say((before ? before + " " : "") + sentence());
  }

  /* --- the strip: where the choice stands among all specifications --------------------------- */

  function strip() {
    const width = parts.strip.clientWidth;
    if (!width) {
      return;
    }
    const found = new Set(matching(shown, picks));
    const left = 8;
    const at = (place) => left + (place / 1000) * (width - 2 * left);
    const place = (n) => (n === -2 ? 1000 : shown.places[n]);
    const node = (tag, given, ...children) =>
      make(tag, Object.assign({ svg: true }, given), ...children);
    const lanes = [1, 2, 0];
    const top = 46;
    const step = 38;
    const bottom = top + lanes.length * step + 4;
    const drawn = [];
    const { line, band, ticks } = shown.axis;
    if (band) {
      drawn.push(
        node("rect", {
          class: "omr-strip-band", x: at(band[0]), y: 16,
          width: Math.max(2, at(band[1]) - at(band[0])), height: bottom - 16,
        })
      );
    }
    if (line !== null) {
      drawn.push(
        node("path", { class: "omr-strip-line", d: "M" + at(line) + " 16V" + bottom })
      );
    }
    const middle = line !== null ? line : (band[0] + band[1]) / 2;
    const side = middle > 600 ? "end" : middle < 400 ? "start" : "middle";
    drawn.push(
      node("text", { class: "omr-strip-stated", x: at(middle), y: 11, "text-anchor": side }, "stated")
    );
    // Ticks of other specifications first, so that the chosen ones lie on top.
    for (const chosen of [false, true]) {
      lanes.forEach((holds, lane) => {
        const y = top + lane * step + 16;
        const d = shown.rows
          .filter((row) => row.holds === holds && row.value >= 0 && found.has(row) === chosen)
          .map((row) => "M" + at(place(row.value)).toFixed(1) + " " + y + "v14")
          .join("");
        if (d) {
          drawn.push(node("path", { class: chosen ? "omr-strip-own" : "omr-strip-other", d }));
        }
      });
    }
    lanes.forEach((holds, lane) => {
      const all = shown.rows.filter((row) => row.holds === holds).length;
      const words = SHAPES[holds] + " " + WORDS[holds] + ": " + all;
      drawn.push(node("text", { class: "omr-strip-lane", x: left, y: top + lane * step + 11 }, words));
    });
    const rows = [...found];
    const lows = (from) => rows.map((row) => row[from]).filter((n) => n >= 0);
    const highs = (to) => rows.map((row) => row[to]).filter((n) => n !== -1);
    for (const [from, to, kind] of [
      ["hard_lower", "hard_upper", "omr-strip-hard"],
      ["lower", "upper", "omr-strip-interval"],
    ]) {
      if (lows(from).length && highs(to).length) {
        const a = at(Math.min(...lows(from).map(place)));
        const b = at(Math.max(...highs(to).map(place)));
        drawn.push(node("path", { class: kind, d: "M" + a + " 30H" + Math.max(b, a + 1) }));
      }
    }
    const values = lows("value").map(place);
    if (values.length === 1) {
      drawn.push(node("circle", { class: "omr-strip-point", cx: at(values[0]), cy: 30, r: 5.5 }));
    }
    drawn.push(node("path", { class: "omr-strip-axis", d: "M" + left + " " + bottom + "H" + (width - left) }));
    const gap = width < 480 ? 90 : 60;
    let last = -Infinity;
    for (const [where, words] of ticks) {
      const x = at(where);
      if (x - last < gap) {
        continue;
      }
      last = x;
      const anchor = x < 30 ? "start" : x > width - 30 ? "end" : "middle";
      drawn.push(node("path", { class: "omr-strip-axis", d: "M" + x + " " + bottom + "v4" }));
      drawn.push(
        node("text", { class: "omr-strip-tick", x, y: bottom + 17, "text-anchor": anchor }, words)
      );
    }
    const label =
      "The choice among all " + shown.rows.length + " specifications against the stated line. " + sentence();
    parts.strip.replaceChildren(
      node(
        "svg",
        { width, height: bottom + 22, viewBox: "0 0 " + width + " " + (bottom + 22), role: "img", "aria-label": label },
        ...drawn
      ),
      make(
        "p",
        { class: "omr-note" },
        "Above: the choice, with its interval (thick) and what the data alone allow (thin). Below: " +
          "every declared specification by its number; those chosen are dark."
      )
    );
  }

  function start() {
    root = document.getElementById("omr-explorer");
    if (!root) {
      return;
    }
    known = JSON.parse(document.getElementById("omr-explorer-claims").textContent);
    known.ids = new Set();
    known.groups.forEach((group) => group.claims.forEach(([id]) => known.ids.add(id)));
    build();
    window.addEventListener("hashchange", () => follow(false));
    follow(true);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
