"""What the pages of the book call, on the derived tables of the project."""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable
from html import escape

import pytest

from analysis import pages, tables
from analysis.claims.outcome import outward
from analysis.errors import InputError
from analysis.present.markup import Html
from analysis.present.numbers import GRADES

CLAIMS = pages.checked()
#: Those with specifications; the others say why there are none.
COMPUTED = [claim for claim in CLAIMS if claim.record["specifications"]]
#: Functions of the facade and of its chapters that a cell calls without an argument.
BLOCKS = sorted(
    f"{module.__name__}.{name}".removeprefix("analysis.pages").lstrip(".")
    for module in (pages, *(getattr(pages, chapter) for chapter in pages.CHAPTERS))
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__
    and not name.startswith("_")
    and name not in ("claim", "checked", "coverage_words", "listing", "version_address")
)


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_finished_html(name: str) -> None:
    function: Callable[[], Html] = operator.attrgetter(name)(pages)
    made = function()
    assert isinstance(made, Html)
    # Nothing is escaped twice.
    assert not re.search(r"&amp;(?:#x?\d+|amp|lt|gt|quot);", made)
    assert "nan" not in re.sub(r"<[^>]*>", " ", made).lower().split()
    for figure in re.findall(r'<figure class="omr-figure".*?</figure>', made, re.DOTALL):
        assert figure.count("<svg") == 2
        assert "data:text/csv" in figure


@pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.id)
def test_a_claim_shows_what_the_register_holds(claim: pages.Claim) -> None:
    record = claim.record
    summary = claim.summary()
    assert f"{record['holds']} of {record['specifications']} specifications" in summary
    assert not re.search(r"&amp;(?:#x?\d+|amp|lt|gt|quot);", summary)
    for axis in ("recreated", "robust", "later"):
        assert record[axis]["verdict"] in summary
    # Every share there can be is no finding, and has no grade.
    assert f"({record['grade']})" in summary or str(claim.found()) == "not known"
    assert "(published)" in summary  # the article's own figure
    for part in ("said", "stated", "value", "interval", "deciding", "settle", "coverage"):
        assert getattr(claim, part)


def test_a_claim_that_nothing_measures_says_so() -> None:
    unobserved = [claim for claim in CLAIMS if claim.record["status"] == "unobserved"]
    assert unobserved
    for claim in unobserved:
        summary = claim.summary()
        assert "not known" in summary
        assert "(published)" in summary
        assert claim.record["recreated"]["reason"] in summary.replace("&#x27;", "'")
        assert claim.settle


def test_a_second_instruments_answer_stands_in_the_summary() -> None:
    for claim in CLAIMS:
        second = claim.elsewhere
        assert (second is not None) == ("Elsewhere:" in claim.summary())
        if second is not None:
            assert escape(second.record["instrument"]) in claim.summary()
            assert f"It holds in {second.record['holds']} of" in second.curve()


@pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.id)
def test_a_curve_counts_what_the_table_holds(claim: pages.Claim) -> None:
    own = tables.specifications(claim.id)
    made = claim.curve()
    assert f"It holds in {(own['holds'] == 'yes').sum()} of {len(own)} declared ways" in made
    known = own[["value", "lower", "upper"]].notna().any(axis=None)
    assert (f"{len(own)} specifications against" in made) == known
    assert ("<svg" in made) == known
    assert own["is_article"].sum() == 1


def test_a_claim_without_any_value_shows_its_readings_and_no_chart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = pages.claim("qwen4-second-half-2026")
    own = tables.specifications(claim.id)
    none = own.assign(value=None, lower=None, upper=None)
    monkeypatch.setattr(tables, "specifications", lambda _: none)
    made = claim.curve()
    assert "<svg" not in made
    assert "Jan 1900" not in made
    assert made.count("<tr") == len(own) + 1
    for text in claim.record["words"].values():
        assert escape(text) in made
    # One value is enough for a chart.
    one = none.assign(value=["2026-09"] + [None] * (len(own) - 1))
    monkeypatch.setattr(tables, "specifications", lambda _: one)
    assert "<svg" in claim.curve()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_names_every_raw_file_with_its_hash(claim: pages.Claim) -> None:
    made = claim.inputs()
    versions = {
        "versions.html": pages.data_versions(),
        "versions-elsewhere.html": pages.data_versions_elsewhere(),
    }
    for item in claim.record["inputs"]:
        assert item["sha256"] in made
        # Its address stands in the row of the version, where the name leads.
        page, _, place = pages.version_address(item["name"]).partition("#")
        assert f'href="{page}#{place}"' in made
        row = versions[page].partition(f'id="{place}"')[2].partition("</tr>")[0]
        assert item["url"] in row


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_each_published_figure_is_cited_with_its_address(claim: pages.Claim) -> None:
    known = tables.load("reference/published-figures").set_index("id")
    made = claim.published()
    for name in claim.record["published"]:
        # A repository at a commit becomes an address that leads there.
        url = re.sub(r" \(commit (\w+)\)$", r"/tree/\1", str(known.loc[name, "url"]))
        assert url in made.replace("&amp;", "&")


@pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.id)
def test_the_numbers_of_a_finding_are_those_of_its_result(claim: pages.Claim) -> None:
    # The finding is the page's title. Each of its numbers has to be found, at the rounding it
    # shows, among the numbers of the claim's entry and of its specifications.
    own = tables.specifications(claim.id).select_dtypes("number")
    record = {k: v for k, v in claim.record.items() if k not in ("finding", "inputs")}
    values = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", str(record))]
    values += own.to_numpy().ravel().tolist()
    named = re.sub(
        r"\b20\d\d(-\d\d)?\b|\bQwen \d(\.\d)?|\bApache 2\.0|\b8 GB", "", claim.record["finding"]
    )
    for number in numbers_in(re.sub(r"(?<=\d),(?=\d{3})", "", named)):
        places = len(number.partition(".")[2])
        forms = (
            value * scale for value in values if value == value for scale in (1, 100, 1e-6, 1e-9)
        )
        # To the nearest, or outward where it is the end of an interval.
        assert any(
            number
            in (f"{form:.{places}f}", *(f"{x:.{places}f}" for x in outward(form, form, places)))
            for form in forms
        ), number


def test_the_first_figure_has_every_rung_with_its_grade() -> None:
    frame = tables.load("ladder")
    rungs = frame[frame["month"] == pages.MONTH]
    made = pages.ladder()
    assert len(rungs) >= 5
    assert set(rungs["grade"]) <= set(GRADES)
    for record in rungs.to_dict("records"):
        assert str(record["label"]).partition(",")[0] in made
    # From the smallest population to the largest.
    assert list(rungs["order"]) == sorted(rungs["order"])


def test_published_figures_stay_published() -> None:
    frame = tables.load("ladder")
    published = frame[frame["rung"].str.endswith("-published")]
    assert set(published["grade"]) == {"published"}
    assert set(frame[~frame["rung"].str.endswith("-published")]["grade"]) <= {"computed", "bounded"}


def test_the_verdicts_in_short_count_the_table() -> None:
    made = pages.in_short()
    words = pages._COUNTS
    for start, phrase in (("matches", "out of raw data"), ("differs", "not come out as stated")):
        count = sum(c.record["recreated"]["verdict"].startswith(start) for c in CLAIMS)
        assert (f"{words[count]} " in made and phrase in made) or count == 0


def test_the_verdict_table_links_to_every_claim() -> None:
    made = pages.verdicts()
    for claim in CLAIMS:
        assert f'href="{claim.id}.html"' in made
        assert claim.record["title"] in made.replace("&#x27;", "'")


def test_a_claim_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no claim 'nothing'; it has share-above-half"):
        pages.claim("nothing")


def test_coverage_in_words() -> None:
    assert pages.coverage_words(None) == "does not apply"
    assert pages.coverage_words("all of it") == "all of it"
    words = pages.coverage_words(
        {"covered_repositories": 1200, "population_repositories": 1500, "download_share": 0.931,
         "days": 1200, "note": "x", "none": None}
    )  # fmt: skip
    assert words == (
        "1,200 of 1,500 repositories read; download share: 93.1\u00a0%; days: 1,200; note: x"
    )


def test_a_claim_without_files_or_figures_says_so() -> None:
    # Synthetic: an entry as the register has it before its check is written.
    bare = pages.Claim(
        {"id": "x", "inputs": [], "published": [], "value": None, "interval": None,
         "deciding_choice": None}
    )  # fmt: skip
    assert "No raw file" in bare.inputs()
    assert "know of none" in bare.published()
    assert bare.found() == "not known"
    assert bare.deciding == "no single choice"
    assert pages._reasoned("open") == pages._reasoned({"verdict": "open", "reason": ""})


def test_long_tables_are_folded() -> None:
    assert pages.listing("calibration", "All").startswith("<details>")
    short = pages.listing("calibration", "Some", keep=lambda frame: frame.head(3))
    assert short.count("<tr>") == 4


def test_verdicts_counted_in_short_are_all_of_them() -> None:
    words = {name: index for index, name in enumerate(pages._COUNTS)} | {"one": 1, "none": 0}
    for group in ("", *pages.GROUPS):
        text = re.sub(r"<[^>]*>", "", pages.in_short(group))
        _, recreated, robust = re.split(r"gives them, |ways to compute them, ", text)
        for part in (recreated, robust):
            counted = sum(words.get(word, 0) for word in re.findall(r"[a-z]+", part))
            assert counted == len(pages.checked(group)), text
