"use strict";
/* Notes on terms, and light paper. A note shows when its term is pointed at or has the focus, stays
   while the pointer is on the note itself, and goes with Escape. Without this script a term is a link
   to the glossary. */
(() => {
  const start = () => {
    const terms = document.querySelectorAll("a.omr-term");
    if (!terms.length) return;
    const note = document.createElement("div");
    note.className = "omr-term-note";
    note.setAttribute("role", "tooltip");
    note.hidden = true;
    document.body.append(note);
    let shown = null;
    let leaving = 0;

    const hide = () => {
      clearTimeout(leaving);
      note.hidden = true;
      shown = null;
    };
    const hideSoon = () => {
      clearTimeout(leaving);
      leaving = setTimeout(hide, 250);
    };
    const show = (term) => {
      clearTimeout(leaving);
      const source = document.getElementById(term.getAttribute("aria-describedby"));
      if (!source || shown === term) return;
      shown = term;
      note.textContent = source.textContent;
      note.hidden = false;
      const box = term.getClientRects()[0];
      const width = document.documentElement.clientWidth;
      const left = Math.max(8, Math.min(box.left, width - note.offsetWidth - 8));
      const below = box.bottom + note.offsetHeight + 8 < window.innerHeight;
      const top = below ? box.bottom : box.top - note.offsetHeight;
      note.style.left = `${left + window.scrollX}px`;
      note.style.top = `${top + window.scrollY}px`;
    };

    terms.forEach((term) => {
      term.setAttribute("aria-describedby", term.hash.replace("#term-", "note-"));
      term.addEventListener("pointerenter", (event) => {
        if (event.pointerType !== "touch") show(term);
      });
      term.addEventListener("pointerleave", hideSoon);
      term.addEventListener("focus", () => show(term));
      term.addEventListener("blur", hide);
    });
    note.addEventListener("pointerenter", () => clearTimeout(leaving));
    note.addEventListener("pointerleave", hideSoon);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && shown) hide();
    });
    window.addEventListener("resize", hide);
  };
  /* Paper is light, whatever the screen is. */
  const paper = window.matchMedia("print");
  const root = document.documentElement;
  let theme = null;
  paper.addEventListener("change", () => {
    if (paper.matches && theme === null) {
      theme = root.dataset.theme;
      root.dataset.theme = "light";
    } else if (!paper.matches && theme !== null) {
      root.dataset.theme = theme;
      theme = null;
    }
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
