"""Ollama's library: its reader, whose the names are, new pulls, bursts, and two claims."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.claims import pulls as claims
from analysis.errors import InputError
from analysis.measure import outliers, pulls
from analysis.pages import pulls as pages
from analysis.snapshot import families as families_module
from analysis.snapshot import read
from analysis.snapshot.pulls import pulls_of, unit_of

KIND = "ollama-library"
DATA = Path(__file__).resolve().parents[1] / "data"
RULES = pulls.parse(tomllib.loads((DATA / "pulls.toml").read_text(encoding="utf-8")))
BURSTS = outliers.parse(tomllib.loads((DATA / "outliers.toml").read_text(encoding="utf-8")))
FAMILIES = families_module.parse(
    tomllib.loads((DATA / "families.toml").read_text(encoding="utf-8"))
)


@pytest.fixture(scope="module")
def shelf(mirror: Path) -> pulls.Library:
    frames, days = {}, {}
    for source, version in raw.load_registry().by_kind(KIND):
        frames[version.name] = read(raw.fetch(version.name), source.kind).frame
        days[version.name] = version.as_of_last
    return pulls.library(frames, days)


def sums(shelf: pulls.Library, amounts: pd.DataFrame, names: str = "own") -> pd.DataFrame:
    owner = pulls.owner_of(pulls.owners(shelf.pulls.index, RULES), names, "maker", RULES)
    return pulls.by_family(amounts, owner)


def library(*readings: tuple[str, dict[str, str]]) -> pulls.Library:
    """Make a library of texts as its page shows them."""
    frames, days = {}, {}
    for day, texts in readings:
        got = {name: pulls_of(text) for name, text in texts.items()}
        frames[day] = pd.DataFrame(
            {
                "library_model": list(got),
                "pulls": [g[0] if g else None for g in got.values()],
                "pulls_unit": [g[1] if g else None for g in got.values()],
            }
        )
        days[day] = date.fromisoformat(day)
    return pulls.library(frames, days)


# ---------------------------------------------------------------------------------- the reader


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("118.7M", (118_700_000, 100_000)),
        ("17M", (17_000_000, 100_000)),
        ("409K", (409_000, 100)),
        ("20.8K", (20_800, 100)),
        ("9,342", (9_342, 1)),
        ("21", (21, 1)),
        ("1.25B", (1_250_000_000, 10_000_000)),
        (" 3m ", (3_000_000, 100_000)),
        (409_000, (409_000, 100)),
        (1_550, (1_550, 1)),
    ],
)
def test_counters_as_the_page_shows_them(text: object, expected: tuple[int, int]) -> None:
    assert pulls_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "many", "-5", "1,23", "1.5", "M", "12.3.4M", "9" * 30, "99999999999B"),
        *(None, True, -1, 2**70, 1.5, "1e6", "\N{FULLWIDTH DIGIT ONE}2M", "=1+1"),
    ],
)
def test_what_is_no_counter(text: object) -> None:
    assert pulls_of(text) is None


@given(st.integers(0, 10**12))
def test_a_number_lies_in_the_interval_of_its_text(number: int) -> None:
    unit = unit_of(number)
    shown = number // unit * unit
    letter, scale = next(
        ((w, s) for w, s in (("B", 10**9), ("M", 10**6)) if shown >= s),
        ("K", 10**3) if shown >= 10**4 else ("", 1),
    )
    text = f"{shown}" if not letter else f"{shown / scale:.1f}".removesuffix(".0") + letter
    assert pulls_of(text) == (shown, unit)
    assert shown <= number < shown + unit


@pytest.mark.parametrize(
    ("name", "layout", "rows", "whole"),
    [
        ("ollama-2025-02-17", "list", 154, 140_116_428),
        ("ollama-2026-02-28", "gallery", 214, 663_865_200),
        ("ollama-2026-08-21", "registry", 235, 1_013_548_900),
    ],
)
def test_three_layouts(
    name: str, layout: str, rows: int, whole: int, raw_path: Callable[[str], Path]
) -> None:
    found = read(raw_path(name), KIND)
    assert (found.layout, len(found.frame), found.problems) == (layout, rows, ())
    assert found.frame["pulls"].sum() == whole
    assert (found.taken is not None) == (layout == "registry")
    r1 = found.frame.set_index("library_model").loc["deepseek-r1"]
    assert list(r1["sizes"]) == ["1.5b", "7b", "8b", "14b", "32b", "70b", "671b"]
    if layout == "registry":
        assert r1["default_size"] == "8b"


def written(folder: Path, content: Any) -> Path:
    path = folder / "models.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_odd_rows_are_told(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"name": "a", "pullCount": "2M"},
        {"name": "a", "pullCount": "3M"},
        {"name": None, "pullCount": "3M"},
        {"name": "=cmd|<b>", "pullCount": "-5"},
    ]
    found = read(written(tmp_path, rows), KIND)
    assert dict(
        zip(found.frame["library_model"], found.frame["pulls"].fillna(-1), strict=True)
    ) == {
        "a": 3_000_000,
        "=cmd|<b>": -1,
    }
    assert len(found.problems) == 3


def test_the_text_holds_against_the_number(tmp_path: Path) -> None:
    found = read(written(tmp_path, {"a": {"pull_str": "2M", "pull": 5}}), KIND)
    assert list(found.frame["pulls"]) == [2_000_000]
    assert "the text holds" in found.problems[0]


@pytest.mark.parametrize(
    "content",
    [{}, [], 5, [{"name": "a"}], {"models": {}}, {"a": 5}, [{"name": None, "pullCount": "5"}]],
)
def test_files_of_another_shape(content: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(written(tmp_path, content), KIND)
    assert "\n" not in str(caught.value)
    assert "models.json" in str(caught.value)


# ----------------------------------------------------------------------------------- whose


def test_every_name_of_every_day_has_a_rule(shelf: pulls.Library) -> None:
    table = pulls.owners(shelf.pulls.index, RULES)
    assert len(table) == 247
    assert list(table.index[table["rule"] == 0]) == []
    known = {*FAMILIES.families, pulls.OTHER}
    assert set(table["family"]) | set(table["wide"]) <= known
    # Every rule names something: one that does not would hide a typing error.
    assert set(table["rule"]) == set(range(1, len(RULES.rule) + 1))


@pytest.mark.parametrize(
    ("name", "family", "wide"),
    [
        ("llama3.2-vision", "llama", "llama"),
        ("codellama", "llama", "llama"),
        ("llama2-uncensored", "other", "llama"),
        ("tinyllama", "other", "llama"),
        ("llava", "other", "mistral"),
        ("llava-llama3", "other", "llama"),
        ("qwq", "qwen", "qwen"),
        ("codeqwen", "qwen", "qwen"),
        ("qwen3-embedding", "qwen", "qwen"),
        ("nomic-embed-text", "other", "other"),
        ("minicpm-v", "minicpm", "qwen"),
        ("nemotron", "nemotron", "llama"),
        ("deepseek-r1", "deepseek", "deepseek"),
        ("gemini-3-pro-preview", "other", "other"),
        ("qwen99-<b>", "other", "other"),
    ],
)
def test_whose_a_name_is(name: str, family: str, wide: str) -> None:
    row = pulls.owners([name], RULES).loc[name]
    assert (row["family"], row["wide"]) == (family, wide)


def test_treatments_of_a_shared_name() -> None:
    table = pulls.owners(["deepseek-r1", "qwen3"], RULES)
    for shared, expected in (("maker", "deepseek"), ("default", "qwen")):
        assert pulls.owner_of(table, "own", shared, RULES)["deepseek-r1"] == expected
    for shared in ("left-out", "bounds"):
        assert pulls.owner_of(table, "own", shared, RULES)["deepseek-r1"] is None


# ----------------------------------------------------------------------------------- how many


def test_pulls_of_august_2026(shelf: pulls.Library) -> None:
    got = sums(shelf, shelf.stock(date(2026, 8, 21))) / 1e6
    # By hand: Llama about 250, Qwen about 160 million.
    assert got.loc["llama"].round(1).tolist() == [250.0, 249.6, 250.9]
    assert got.loc["qwen"].round(1).tolist() == [160.3, 159.6, 161.8]


def test_new_pulls_cross_in_march_2026(shelf: pulls.Library) -> None:
    months = [m for m in shelf.months("2025-03") if shelf.certain(m)]
    assert (months[0], months[-1], len(months)) == ("2025-10", "2026-06", 9)
    answers = {}
    for month in months:
        got = pulls.ratio(sums(shelf, shelf.month(month)), "qwen", ("llama",))
        answers[month] = "yes" if got.lower > 1 else "no" if got.upper <= 1 else "open"
    assert answers == {
        "2025-10": "no",
        "2025-11": "no",
        "2025-12": "open",
        "2026-01": "open",
        "2026-02": "open",
        "2026-03": "yes",
        "2026-04": "yes",
        "2026-05": "yes",
        "2026-06": "yes",
    }
    march = sums(shelf, shelf.month("2026-03"))["value"] / 1e6
    # By hand 20.3 against 15.8: all names that begin with qwen or llama, tuned copies included.
    assert (round(march["qwen"], 1), round(march["llama"], 1)) == (20.6, 14.1)
    names = shelf.month("2026-03")["value"] / 1e6
    assert round(names[names.index.str.startswith("qwen")].sum(), 1) == 20.2
    assert round(names[names.index.str.startswith("llama")].sum(), 1) == 15.5


def test_the_burst_of_llama31(shelf: pulls.Library) -> None:
    family = pulls.owners(shelf.pulls.index, RULES)["family"]
    known = {n: None if f == pulls.OTHER else str(f) for n, f in family.items()}
    for times in BURSTS.sensitivity:
        found = pulls.bursts(shelf, known, BURSTS, RULES.near, "increments", times)
        assert list(found["repository_id"]) == ["llama3.1"]
        assert date.fromordinal(int(found["day"].iloc[0])) == date(2025, 4, 8)
        assert round(found["gained_excess"].iloc[0] / 1e6, 1) == 59.2
    # No pair of readings a month apart ends in it: the rule as it stands cannot see it.
    assert pulls.bursts(shelf, known, BURSTS, RULES.near, "as-it-stands").empty
    quiet = pulls.without(shelf, found)
    assert round(quiet.stock(date(2026, 8, 21))["value"]["llama3.1"] / 1e6, 1) == 59.5
    assert (quiet.pulls.iloc[:, :2].fillna(0) == shelf.pulls.iloc[:, :2].fillna(0)).all().all()


def test_only_one_counter_ever_fell(shelf: pulls.Library) -> None:
    moved = pulls.moves(shelf)
    assert moved.loc[moved["what"] == "fell", "library_model"].tolist() == ["lfm2"]
    assert (moved["what"] == "gone").sum() == 12


TRUE = st.lists(st.integers(0, 3_000_000), min_size=4, max_size=4)
SHOWN = st.sampled_from(["nearest", "down"])


def as_page(number: int, how: str) -> str:
    unit = unit_of(number)
    shown = (number + unit // 2) // unit * unit if how == "nearest" else number // unit * unit
    if shown >= 10**6:
        return f"{shown / 10**6:.1f}M"
    return f"{shown / 1000:.1f}K" if shown >= 10**4 else f"{shown:,}"


@settings(max_examples=60, deadline=None)
@given(gains=TRUE, start=st.integers(0, 3_000_000), how=SHOWN)
def test_the_truth_lies_inside_whatever_way_the_page_rounds(
    gains: list[int], start: int, how: str
) -> None:
    days = ["2025-02-17", "2025-03-17", "2025-04-30", "2025-05-31", "2025-07-04"]
    true = np.cumsum([start, *gains])
    made = library(*((d, {"a": as_page(int(t), how)}) for d, t in zip(days, true, strict=True)))
    stock = made.stock(date(2025, 5, 31)).loc["a"]
    assert stock["lower"] <= true[3] <= stock["upper"]
    for place, gain in enumerate(made.gains):
        row = gain.loc["a"]
        assert row["lower"] <= true[place + 1] - true[place] <= row["upper"]
    may = made.month("2025-05").loc["a"]
    assert may["lower"] <= gains[2] <= may["upper"]
    # April began between two readings: anything from nothing to both spans may be its own.
    april = made.month("2025-04").loc["a"]
    assert april["lower"] <= 0 < gains[1] + 100_001
    assert gains[1] <= april["upper"]
    assert april["lower"] <= april["value"] <= april["upper"]


@settings(max_examples=40, deadline=None)
@given(
    qwen=st.integers(1, 50),
    llama=st.integers(1, 50),
    part=st.integers(0, 40),
    cut=st.floats(0, 1),
)
def test_bounds_hold_for_every_way_to_share_a_name(
    qwen: int, llama: int, part: int, cut: float
) -> None:
    table = pd.DataFrame(
        {c: {"qwen": float(qwen), "llama": float(llama)} for c in ("value", "lower", "upper")}
    )
    got = pulls.ratio(table, "qwen", ("llama",), (part, part), ("qwen", "llama", "deepseek"))
    mixed = (qwen + cut * part) / (llama + (1 - cut) * part)
    assert got.lower <= mixed + 1e-9
    assert mixed <= got.upper + 1e-9


def test_names_that_come_and_go() -> None:
    made = library(
        ("2025-03-31", {"a": "2M", "b": "5K"}),
        ("2025-04-30", {"a": "1.5M", "c": "30K"}),
    )
    gain = made.month("2025-04")
    assert gain.loc["c"].tolist() == [30_000, 29_950, 30_100]
    assert gain.loc["b"].tolist() == [0, 0, 0]
    # A fall is shown as one, not cut off at zero.
    assert gain.loc["a", "value"] == -500_000
    assert gain.loc["a", "lower"] < gain.loc["a", "upper"] < 0
    assert set(pulls.moves(made)["what"]) == {"fell", "gone", "new"}


def test_what_the_readings_do_not_reach() -> None:
    made = library(("2025-03-31", {"a": "2M"}), ("2025-04-30", {"a": "3M"}))
    with pytest.raises(InputError, match="do not reach over 2025-05"):
        made.month("2025-05")
    with pytest.raises(InputError, match="was not read on 2025-04-01"):
        made.stock(date(2025, 4, 1))
    with pytest.raises(InputError, match="is not a month"):
        made.month("2025-13")
    with pytest.raises(InputError, match="does not come after"):
        made.new(date(2025, 4, 30), date(2025, 3, 31))
    with pytest.raises(InputError, match="no reading"):
        pulls.library({}, {})
    assert made.months("2025-03") == ["2025-04"]


def test_rules_that_are_wrong_are_named() -> None:
    broken = RULES.model_dump()
    broken["rule"][0]["names"] = "("
    with pytest.raises(InputError, match=r"data/pulls.toml: rule.0.names"):
        pulls.parse(broken)


# ------------------------------------------------------------------------------- the claims


def test_the_second_instrument_answers() -> None:
    table = tables.specifications("qwen-passes-llama-elsewhere")
    assert table["holds"].value_counts().to_dict() == {"no": 78, "undetermined": 34, "yes": 14}
    plain = table[
        (table["names"] == "own") & (table["r1"] == "maker") & (table["outliers"] == "in")
    ]
    new = plain[plain["count"] == "new"].set_index("month")["holds"].to_dict()
    assert new == {
        "2025-10": "no",
        "2025-11": "no",
        "2025-12": "undetermined",
        "2026-01": "undetermined",
        "2026-02": "undetermined",
        "2026-03": "yes",
        "2026-04": "yes",
    }
    assert set(plain.loc[plain["count"] == "cumulative", "holds"]) == {"no"}
    # The verdict follows the interval: nothing is decided where it lies on both sides.
    inside = (table["lower"] <= 1) & (table["upper"] > 1)
    assert (table["holds"] == "undetermined").equals(inside)


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [
        ("qwen-passes-llama-elsewhere", ["month", "count", "names", "r1"]),
        ("llama-led-two-years-elsewhere", ["day", "count", "names", "r1"]),
    ],
)
def test_no_answer_of_the_library_counts_twice_for_a_burst(
    name: str, dimensions: list[str]
) -> None:
    table = tables.specifications(name)
    for _, part in table.groupby(dimensions):
        assert part["value"].nunique() == len(part)


def test_llama_led_by_some_meanings_only() -> None:
    table = tables.specifications("llama-led-two-years")
    assert table["holds"].value_counts().to_dict() == {"undetermined": 12, "yes": 4, "no": 4}
    by = table.groupby("measure")["holds"].agg(lambda holds: set(holds))
    assert by["downloads_all_time"] == {"undetermined"}
    assert by["derivatives-2025-06"] == {"no"}
    assert by["descendants-2025-06"] == {"yes"}
    counted = table[(table["measure"] == "new-derivatives") & (table["rivals"] == "all")]
    # Mistral was not counted: against every family Llama's lead can be refuted, never shown.
    assert "yes" not in set(counted["holds"])
    record = next(r for r in tables.claims() if r["id"] == "llama-led-two-years")
    assert record["recreated"]["verdict"] == "not checkable"
    assert "before the last four months of those years" in record["finding"]
    second = record["elsewhere"]
    assert second["recreated"]["verdict"] == "matches"
    assert [second[n] for n in ("holds", "fails", "undetermined")] == [35, 7, 6]
    assert "about 1.4 times without the burst" in second["finding"]


def test_what_rounding_leaves_is_bounded_and_no_sample() -> None:
    for record in tables.claims():
        if record["id"] in ("qwen-passes-llama", "llama-led-two-years"):
            assert record["elsewhere"]["grade"] == "bounded"


def test_the_slices_do_not_ask_qwen_twice() -> None:
    table = tables.specifications("llama-led-two-years")
    slices = table[table["measure"].isin(["derivatives-2025-06", "descendants-2025-06"])]
    # Against every family Qwen is the largest: rows against it alone would be the same ones.
    assert set(slices["rivals"]) == {"all"}
    assert set(slices["rival"]) == {"qwen"}


@pytest.mark.parametrize(
    ("year", "wide", "said"),
    [
        (
            ["yes", "undetermined", "yes"],
            "no",
            "put Qwen ahead for certain in January and March and leave February open",
        ),
        (["no", "no", "no"], "no", "in none and put Llama ahead in January, February and March"),
        (["yes", "yes", "yes"], "yes", "ahead for certain in January; in pulls of all time"),
    ],
)
def test_the_finding_tells_the_months_apart(year: list[str], wide: str, said: str) -> None:
    rows: list[dict[str, Any]] = [
        {"month": f"2026-0{i + 1}", "names": "own", "count": "new", "holds": answer}
        for i, answer in enumerate(year)
    ]
    rows += [
        {"month": "2026-01", "names": "derivatives", "count": "new", "holds": wide},
        {"month": "2025-12", "names": "own", "count": "new", "holds": "yes"},
        {"month": "2026-01", "names": "own", "count": "cumulative", "holds": "no"},
    ]
    amounts = {"r1": "maker", "outliers": "in", "own_pulls": 1e6, "rival_pulls": 2e6}
    text = claims._find_passes({}, pd.DataFrame(rows).assign(**amounts))
    assert said in text
    assert "December" not in text


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["no", "open", "yes", "yes"], ("2026-01", "2026-03")),
        (["no", "yes", "open", "yes"], ("2026-01", "2026-04")),
        (["yes", "yes", "yes", "open"], ("", "")),
        (["yes", "yes", "no", "no"], ("2026-04", "")),
    ],
)
def test_a_crossing_holds_in_all_months_that_follow(
    answers: list[str], expected: tuple[str, str]
) -> None:
    months = [f"2026-0{n + 1}" for n in range(len(answers))]
    assert pages._crossed(pd.DataFrame({"month": months, "ahead": answers})) == expected


def test_what_stands_beside_decides_nothing_but_is_told() -> None:
    frame = tables.load("pulls_crossing")
    own = frame[(frame["names"] == "own") & (frame["r1"] == "maker") & frame["both_ends_read"]]
    one = own.set_index("month").loc["2026-02"]
    assert (round(one["value"], 3), round(one["without_embedding"], 3)) == (1.026, 0.949)
    # With a day's pulls at each end March and after stay Qwen's.
    assert set(own.loc[own["month"] >= "2026-03", "hour_ahead"]) == {"yes"}
    assert (own["hour_lower"] < own["lower"]).all()
    assert (own["hour_upper"] > own["upper"]).all()


def test_the_last_weeks_of_the_counts_are_told() -> None:
    frame = tables.load("led_quarters")
    rest = frame[~frame["whole_quarter"].astype(bool) & (frame["bulk"] == "out")]
    one = rest.set_index("family")
    # By hand: Qwen 7,705, Llama 5,797, and the intervals overlap.
    assert one["value"].round().loc[["qwen", "llama"]].tolist() == [7705, 5797]
    assert one["upper"].loc[["qwen", "llama"]].tolist() == [9363, 7789]
    assert set(rest["llama_first"]) == {"open"}
    assert set(rest["until"].astype("str")) == {"2025-02-18"}


def test_the_panel_beside_the_two_years() -> None:
    frame = tables.load("led_panel")
    frame = frame.assign(first=frame["first"].astype("str")).set_index(["first", "family"])
    got = [
        (int(frame.loc[key, "repositories"]), round(float(frame.loc[key, "value"]) / 1e6, 1))
        for key in (
            *(("2025-02-26", family) for family in ("llama", "qwen")),
            *(("2025-04-30", family) for family in ("llama", "qwen")),
        )
    ]
    # As the audit counted by hand.
    assert got == [(5, 28.4), (11, 25.1), (5, 12.3), (17, 16.9)]
    assert str(frame.loc[("2025-04-30", "llama"), "moved"]) == "2025-05-28"


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 1000)), max_size=20
    )
)
@settings(max_examples=40, deadline=None)
def test_only_what_was_read_on_both_days_is_differenced(
    readings: list[tuple[str, int, int]],
) -> None:
    days = [date(2025, 3, 1 + n) for n in range(4)]
    frame = pd.DataFrame(
        [(days[d], name, float(v)) for name, d, v in readings],
        columns=["day", "repository_id", "downloads_all_time"],
    )
    got = pulls.kept_gains(frame, {"a": "x", "b": "x"}, (days[0], days[3]))
    known: dict[tuple[str, int], int] = {}
    for name, place, value in readings:
        known[name, place] = max(known.get((name, place), 0), value)
    both = [n for n in "ab" if (n, 0) in known and (n, 3) in known]
    assert len(got) == min(len(both), 1)
    if both:
        gained = sum(known[n, 3] - known[n, 0] for n in both)
        assert got.loc[0, ["repositories", "value"]].tolist() == [len(both), gained]


@settings(max_examples=60, deadline=None)
@given(
    value=st.integers(-10, 10**6),
    half=st.integers(0, 10),
    part=st.floats(0, 0.2),
    more=st.floats(0, 0.2),
)
def test_a_wider_hour_never_narrows(value: int, half: int, part: float, more: float) -> None:
    sums = pd.DataFrame(
        {"value": [float(value)], "lower": [float(value - half)], "upper": [float(value + half)]}
    )
    narrow, wide = pulls.slack(sums, part), pulls.slack(sums, part + more)
    assert wide["lower"].iloc[0] <= narrow["lower"].iloc[0] <= sums["lower"].iloc[0]
    assert sums["upper"].iloc[0] <= narrow["upper"].iloc[0] <= wide["upper"].iloc[0]
    # A counter that only rose cannot have lost pulls for the hour.
    assert sums["lower"].iloc[0] < 0 or narrow["lower"].iloc[0] >= 0
