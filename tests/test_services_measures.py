"""Readers, measures, claims and tables of clouds and routers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import pages, raw
from analysis.builder.chapters import services as chapter
from analysis.claims import checks, register, results
from analysis.claims import services as claims
from analysis.errors import InputError
from analysis.measure import routers, services
from analysis.pages import services as page
from analysis.snapshot import read
from tests.support.worlds import evidence_world

SERVICES = services.parse(raw.declared("services"))
ROUTERS = routers.parse(raw.declared("routers"))
REGISTER = register.parse(raw.declared("claims"))


# ------------------------------------------------------------------------------------ readers

CATALOGUE: dict[str, Any] = {
    "sample_spec": {"litellm_provider": "one of many"},
    "azure_ai/a": {
        "litellm_provider": "azure_ai",
        "mode": "chat",
        "input_cost_per_token": 1e-6,
        "deprecation_date": "2026-06-13",
    },
    "b": {"mode": 5, "output_cost_per_token": -1},
}


def entry(maker: str, share: float, tokens: float = 100.0, **more: Any) -> dict[str, Any]:
    return {"rank": 1, "author": maker, "tokens": tokens, "share_pct": share, **more}


def ranking(models: list[Any], makers: list[Any], **more: Any) -> dict[str, Any]:
    meta = {"fetched_at": "2026-04-11T06:56:38+00:00"}
    return {"meta": meta, "models": models, "market_share": makers, **more}


@pytest.fixture
def reading(tmp_path: Path) -> Callable[[object, str], Any]:
    """Return a function that reads a value, written as JSON, as a kind."""

    def go(content: object, kind: str) -> Any:
        file = tmp_path / "file.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        return read(file, kind)

    return go


def test_a_price_table_is_read_and_its_template_left_out(
    reading: Callable[[object, str], Any],
) -> None:
    found = reading(CATALOGUE, "service-catalogue")
    assert found.frame["service_key"].tolist() == ["azure_ai/a", "b"]
    assert found.frame["retires_on"].tolist()[0] == pd.Timestamp("2026-06-13")
    # A negative price and a mode that is no text are gone, and said to be.
    assert "price_out" not in found.frame
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected an object"),
        ({}, "holds no entry"),
        ({"a": 5, "b": None}, "no entry is an object"),
    ],
)
def test_other_files_are_no_price_table(
    content: object, message: str, reading: Callable[[object, str], Any]
) -> None:
    with pytest.raises(InputError, match=message):
        reading(content, "service-catalogue")


def test_an_empty_ranking_is_content_and_gives_no_number(
    reading: Callable[[object, str], Any],
) -> None:
    found = reading(ranking([], []), "router-ranking")
    assert len(found.frame) == 0
    assert found.taken == datetime(2026, 4, 11, 6, 56, 38, tzinfo=UTC)
    assert "every section is an empty list" in found.problems[0]
    assert math.isnan(routers.whole(found.frame, routers.MODELS, 0.05)[0])
    day = date(2026, 4, 11)
    assert math.isnan(routers.openness(found.frame, routers.MODELS, day, ROUTERS)[0])
    # One empty section says so, and the others are read.
    found = reading(ranking([], [entry("qwen", 5)]), "router-ranking")
    assert (len(found.frame), "models:" in found.problems[0]) == (1, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected an object"),
        ({"models": [], "market_share": []}, "does not say when"),
        ({"meta": {"fetched_at": "2026-04-11"}, "models": []}, "no section 'market_share'"),
        (ranking([], [5]), "row 1 is int"),
        ({**ranking([], []), "models": {}}, "models is dict"),
        (ranking([], [entry("qwen", 120)]), "no row has a share"),
        (ranking([], [{"share_pct": 5}]), "no row names a maker"),
    ],
)
def test_other_files_are_no_ranking(
    content: object, message: str, reading: Callable[[object, str], Any]
) -> None:
    with pytest.raises(InputError, match=message):
        reading(content, "router-ranking")


def test_odd_rows_of_a_ranking_are_dropped_and_counted(
    reading: Callable[[object, str], Any],
) -> None:
    rows = [
        entry("a", 10, model_id="a/x", change={"value": 20, "direction": "down"}),
        entry("a", 9, model_id="a/x"),
        entry("b", -3, model_id="b/y", tokens=-5.0, change={"new": True}),
        {"share_pct": 4},
    ]
    found = reading(ranking(rows, []), "router-ranking")
    frame = found.frame
    assert frame["router_model"].tolist() == ["a/x", "b/y"]
    assert frame["change_pct"].tolist()[0] == -20
    assert frame.loc[1, ["tokens", "share_pct", "change_pct"]].isna().all()
    assert len(found.problems) == 5


def test_the_empty_file_of_the_router_is_survived(raw_path: Callable[[str], Path]) -> None:
    found = read(raw_path("router-2026-05-17"), "router-ranking")
    assert (len(found.frame), found.taken.day if found.taken else None) == (0, 17)


# ----------------------------------------------------------------------------------- measures


def offered(*rows: tuple[str, str, str, float | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(
        rows, columns=["service_key", "provider", "mode", "price_in", "retires_on"]
    )
    frame["retires_on"] = pd.to_datetime(frame["retires_on"])
    return services.offers(frame, date(2026, 8, 21), SERVICES)


def test_one_model_with_many_keys_counts_once() -> None:
    table = offered(
        ("meta.llama3-8b-instruct-v1:0", "bedrock", "chat", 1e-6, None),
        ("bedrock/us-east-1/meta.llama3-8b-instruct-v1:0", "bedrock", "chat", None, None),
        ("us.meta.llama3-1-8b-instruct-v1:0", "bedrock", "chat", 0.0, None),
        ("meta.llama3-embed", "bedrock", "embedding", 1e-6, None),
        ("azure_ai/Llama-3.3-70B-Instruct", "azure_ai", "chat", 1e-6, "2026-06-13"),
        ("azure_ai/Meta-Llama-3-70B-Instruct", "azure_ai", "chat", 1e-6, "2026-08-22"),
    )
    counts = services.on_offer(table, SERVICES).set_index(["cloud", "family"])
    assert counts.loc[("bedrock", "llama")].to_dict() == {
        "models": 2, "priced": 1, "retired": 0, "keys": 3
    }  # fmt: skip
    # On its day of retirement a model is gone, the day before it is not.
    assert counts.loc[("azure", "llama"), ["models", "retired"]].tolist() == [1, 1]
    assert counts["models"].sum() == 3


DAYS = st.dictionaries(
    st.integers(0, 20).map(lambda n: date(2025, 1, 1) + timedelta(days=n)),
    st.sets(st.sampled_from("abc")),
    min_size=1,
)


@given(DAYS)
def test_a_first_day_lies_after_a_version_without_it(days: dict[date, set[str]]) -> None:
    found = services.seen(
        {day: pd.DataFrame({"x": sorted(names)}, dtype="object") for day, names in days.items()},
        ("x",),
    )
    assert set(found) == {(name,) for names in days.values() for name in names}
    for (name,), seen in found.items():
        assert name in days[seen.first]
        assert name in days[seen.last]
        assert not any(name in names for day, names in days.items() if day < seen.first)
        assert (seen.after is None) == (seen.first == min(days))
        assert (seen.gone is None) == (seen.last == max(days))


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(MOMENTS, st.integers(0, 6))
def test_a_week_holds_its_moment_and_begins_on_its_weekday(moment: datetime, starts: int) -> None:
    begins = routers.week_of(moment, starts)
    assert begins.weekday() == starts
    assert begins <= moment < begins + routers.WEEK
    assert 0 <= routers.into_week(moment, starts) < 1


def frame_of(shares: list[float], section: str, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "section": section,
            "rank": range(1, len(shares) + 1),
            "maker": [name.partition("/")[0] for name in names],
            "router_model": names if section == routers.MODELS else [None] * len(names),
            "tokens": [1e9 * share for share in shares],
            "share_pct": [round(share, 1) for share in shares],
        }
    )


NAMES = [
    "deepseek/deepseek-v3.2-x", "anthropic/claude", "google/gemini-3", "who/knows",
    "minimax/minimax-m2.7-x", "openai/gpt-oss-120b",
]  # fmt: skip


@given(st.lists(st.floats(1, 16), min_size=6, max_size=6), st.lists(st.booleans(), min_size=3))
def test_the_truth_lies_inside_the_bounds(shares: list[float], hidden: list[bool]) -> None:
    frame = frame_of(sorted(shares, reverse=True), routers.MODELS, NAMES)
    frame = frame.sort_values("rank")
    true = dict(zip(NAMES, sorted(shares, reverse=True), strict=True))
    low, high = routers.openness(frame, routers.MODELS, date(2026, 4, 1), ROUTERS)
    # Whatever the unknown are, and whatever the rest is.
    unknown = sum(true[name] for name in NAMES[3:5])
    rest = 100 - sum(true.values())
    for part in (0.0, 1.0):
        some = true["deepseek/deepseek-v3.2-x"] + part * (unknown + rest + true[NAMES[5]])
        assert low - 1e-9 <= some / 100 <= high + 1e-9
    below, above = routers.whole(frame, routers.MODELS, ROUTERS.rounding)
    assert below <= 1e11 * (1 + 1e-9)
    assert above >= 1e11 * (1 - 1e-9)
    assert routers.unlisted(frame, routers.MODELS, 0.05) <= min(shares) / 100 + 0.0011


def test_weights_count_from_the_day_they_were_public() -> None:
    name = "minimax/minimax-m2.7-20260318"
    assert ROUTERS.model_weights(name, date(2026, 3, 28)) == "unknown"
    assert ROUTERS.model_weights(name, date(2026, 4, 11)) == "open"
    assert ROUTERS.model_weights("openai/gpt-5.4", date(2026, 4, 11)) == "closed"
    assert ROUTERS.model_weights("openai/gpt-oss-120b", date(2026, 4, 11)) == "unknown"
    assert ROUTERS.maker_weights("google") == "unknown"


def test_contradicting_entries_give_no_whole() -> None:
    frame = frame_of([10.0, 5.0], routers.MAKERS, ["a", "b"])
    frame.loc[1, "tokens"] = 1e12
    assert math.isnan(routers.whole(frame, routers.MAKERS, 0.05)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"week_starts": 7}, "week_starts"),
        ({"model": [{"names": "x", "weights": "open", "reason": "some"}]}, "need the repository"),
        ({"model": [{"names": "(", "weights": "closed", "reason": "some"}]}, "regular expression"),
    ],
)
def test_a_wrong_rule_of_the_router_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        routers.parse({**raw.declared("routers"), **change})
    assert "data/routers.toml" in str(caught.value)


# ------------------------------------------------------------------------- on the real files


def test_open_weights_stand_on_the_hub_in_a_file_of_ours(raw_path: Callable[[str], Path]) -> None:
    frames = [
        read(raw_path(name), kind).frame
        for name, kind in (
            ("trending-2026-04-30", "hub-trending"),
            ("trending-2026-05-04", "hub-trending"),
        )
    ]
    known = pd.concat(frames).drop_duplicates("repository_id").set_index("repository_id")
    for model in ROUTERS.model:
        if model.repository is not None:
            assert known["created_at"][model.repository].date() == model.since


def test_first_days_on_the_clouds_are_those_found_by_hand(mirror: Path) -> None:
    found = {
        (f.cloud, f.family): (f.after, f.day)
        for f in claims.firsts(evidence_world(), ("llama", "qwen"))
    }
    assert found == {
        ("bedrock", "llama"): (None, date(2024, 1, 30)),
        ("azure", "llama"): (date(2024, 3, 25), date(2024, 7, 25)),
        ("vertex", "llama"): (date(2024, 3, 25), date(2024, 7, 25)),
        ("bedrock", "qwen"): (date(2025, 8, 20), date(2025, 9, 24)),
        ("azure", "qwen"): (None, None),
        ("vertex", "qwen"): (date(2025, 8, 10), date(2025, 8, 20)),
    }


def test_models_on_offer(mirror: Path) -> None:
    frame = chapter.offers_table(evidence_world()).set_index(["day", "cloud", "family"])
    wanted = {
        ("2024-01-30", "bedrock", "llama"): (2, 0),
        ("2024-07-25", "azure", "llama"): (4, 0),
        ("2024-07-25", "vertex", "llama"): (1, 0),
        ("2026-05-01", "bedrock", "llama"): (14, 0),
        ("2026-05-01", "bedrock", "qwen"): (7, 0),
        ("2026-05-01", "vertex", "qwen"): (4, 0),
        ("2026-05-01", "azure", "llama"): (9, 0),
        ("2026-08-21", "azure", "llama"): (5, 4),
        ("2026-08-21", "azure", "qwen"): (0, 0),
    }
    for place, (models, retired) in wanted.items():
        assert frame.loc[place, ["models", "retired"]].tolist() == [models, retired], place
    assert (frame["priced"] <= frame["models"]).all()
    assert (frame["models"] + frame["retired"] <= frame["keys"]).all()


def test_llama_is_on_all_three_clouds(mirror: Path) -> None:
    record, table = results.evaluate(
        evidence_world(), REGISTER.find("llama-managed-services"), REGISTER
    )
    assert record["recreated"]["verdict"] == "matches"
    assert "the data alone allow 0 to 3" in record["recreated"]["reason"]
    assert (record["holds"], record["fails"], record["undetermined"]) == (34, 0, 14)
    assert record["later"]["verdict"] == "still holds"
    assert record["grade"] == "bounded"
    # What a late table lacks refutes nothing: every choice can leave the answer open.
    for choice in ("day", "models", "at_least", "price"):
        answers = table.groupby(choice)["holds"].agg(lambda part: (part == "yes").mean())
        assert answers.nunique() > 1, choice
    assert "in all 6 ways to ask of the article's day" in record["finding"]
    said = "not listed for a cloud in 1 of 8 versions of the table (with a price above zero in 3)"
    assert said in record["finding"]
    # Whatever is open is of a day long before the article.
    opened = table[table["holds"] != "yes"]
    assert (opened["day"].min(), opened["day"].max()) == ("2024-07-25", "2025-07-18")


def test_the_table_was_not_read_on_every_day(mirror: Path) -> None:
    entry_ = REGISTER.find("llama-managed-services")
    with pytest.raises(InputError, match="price table was not read on 2024-05-01"):
        checks.evaluate(evidence_world(), entry_, {**entry_.article, "day": "2024-05-01"})


def test_the_newest_generation_is_asked_for_after_two_months(mirror: Path) -> None:
    world = evidence_world()
    assert claims.newest(world, date(2025, 5, 7)) == {"Llama 3.3", "Llama 4"}
    assert claims.newest(world, date(2025, 7, 18)) == {"Llama 4"}
    with pytest.raises(InputError, match="no generation of Llama"):
        claims.newest(world, date(2023, 8, 1))


def test_the_week_of_the_router_begins_on_monday(mirror: Path) -> None:
    table = chapter.reset_table(evidence_world()).set_index("week_starts")
    assert table["models"].unique().tolist() == [6]
    assert table.loc["Monday", ["by_clock", "lower", "upper"]].round(3).tolist() == [
        0.756, 0.742, 0.808
    ]  # fmt: skip
    # No other weekday comes as near, and none lies in what the models give.
    inside = table[(table["lower"] <= table["by_clock"]) & (table["by_clock"] <= table["upper"])]
    assert inside.index.tolist() == ["Monday"]
    assert table["distance"].idxmin() == "Monday"
    # Six models, and no one part of the week fits all: a spread, and no bounds.
    assert not table["agree"].any()
    # Sunday 3 May holds more than a Saturday: the week began neither on it nor the day before.
    weeks = chapter.weeks_table(evidence_world()).set_index("day")
    assert weeks.loc["2026-05-03", "models_tokens_low"] > weeks.loc[
        "2026-04-18", "models_tokens_high"
    ]  # fmt: skip


def test_bounds_of_the_router(mirror: Path) -> None:
    weeks = chapter.weeks_table(evidence_world()).set_index("day")
    assert weeks["into_week"].round(2).tolist() == [0.82, 0.76, 0.76, 0.90, 0.76, 0.91]
    assert weeks["compared"].tolist() == [True] * 5 + [False]
    ends = weeks.loc[weeks["compared"], ["models_open_low", "models_open_high"]].round(3)
    assert ends.to_numpy().tolist() == [
        [0.158, 0.660], [0.192, 0.712], [0.156, 0.703], [0.325, 0.864], [0.300, 0.836]
    ]  # fmt: skip
    # By the makers listed the survey's open part is allowed in four of five files.
    low = weeks.loc[weeks["compared"], "makers_open_low"]
    assert (low <= 0.11).tolist() == [True, True, True, True, False]
    assert weeks.loc[weeks["compared"], "makers_unlisted"].max() == pytest.approx(0.0435)
    # The published bounds of the same months lie across ours: nobody contradicts anybody.
    published = pd.read_csv("data/reference/openrouter-open-share-monthly.csv").set_index("date")
    for day, row in weeks[weeks["compared"]].iterrows():
        month = published.loc[str(day)[:7]]
        assert row["models_open_low"] <= month["open_share_high"]
        assert row["models_open_high"] >= month["open_share_low"]


def test_the_arithmetic_comes_from_published_parts(mirror: Path) -> None:
    world = evidence_world()
    assert claims.three_vendors(world) == (88, {"Anthropic": 40, "OpenAI": 27, "Google": 21})
    assert claims.llama_of_open(world) == (9 / 13, 9, 13)
    table = chapter.arithmetic_table(world)
    assert table["sum"].tolist() == [
        "40 + 27 + 21 = 88", "88 + 11 = 99", "100 - 11 = 89", "9 / 13 = 69 %"
    ]  # fmt: skip
    assert set(table["grade"]) == {"inferred"}
    for name in ("enterprise-closed-88", "llama-70-of-open"):
        record, none = results.evaluate(world, REGISTER.find(name), REGISTER)
        assert none.empty
        assert record["recreated"]["verdict"] == "not checkable"
        assert record["finding"].startswith("Not checkable: ")
        assert record["finding"].endswith(", as far as we could read it, at second hand")
    record, _ = results.evaluate(world, REGISTER.find("enterprise-closed-88"), REGISTER)
    assert "firms in the United States, leaves about 89 % closed beside 11 % open" in record[
        "finding"
    ]  # fmt: skip
    assert claims.apart(world) == 131


def test_what_is_said_of_a_document_says_how_it_was_read(mirror: Path) -> None:
    world = evidence_world()
    rows = world.evidence.published
    for name, read_ in (("menlo-open-2025-end", "primary"), ("menlo-open-2025-end", "heard")):
        changed = rows.assign(read=rows["read"].mask(rows["id"] == name, read_))
        other: Any = SimpleNamespace(evidence=SimpleNamespace(published=changed))
        if read_ == "primary":
            assert claims.figure(other, name).as_read == ""
            assert claims._say_llama(other).endswith("gives Llama no number")
        else:
            with pytest.raises(InputError, match="read is 'heard'"):
                claims.figure(other, name)


def test_llama_stands_once_in_the_lists_by_use_and_never_in_those_of_tokens(mirror: Path) -> None:
    world = evidence_world()
    uses = chapter.uses_table(world)
    own = uses[uses["family"] == "llama"]
    assert own[["day", "section", "rank", "model"]].to_numpy().tolist() == [
        ["2026-03-28", "context_length", 8, "meta-llama/llama-3.1-8b-instruct"]
    ]
    assert own["share"].tolist() == pytest.approx([0.029])
    listed = chapter.listed_table(world)
    assert not listed["maker"].isin(["meta-llama", "mistralai"]).any()
    assert set(uses["family"]) == {"llama", "qwen", "deepseek"}
    assert not uses["section"].isin([routers.MODELS, routers.MAKERS]).any()


def test_witnesses_are_whole_rows_of_one_shape(mirror: Path) -> None:
    frame = chapter.witnesses(evidence_world())
    assert len(frame) == 260
    assert set(frame["grade"]) == {"computed", "bounded"}
    assert set(frame["source"]) == {"services-tokencost", "services-litellm", "router"}
    assert not frame.duplicated(["version", "instrument", "family", "measure"]).any()
    assert (frame["lower"] <= frame["upper"]).all()
    known = frame.dropna(subset=["value"])
    assert ((known["lower"] <= known["value"]) & (known["value"] <= known["upper"])).all()
    assert "2026-05-17" not in set(frame["day"])
    llama = frame[(frame["family"] == "llama") & (frame["source"] == "router")]
    assert llama["value"].isna().all()
    assert llama["upper"].max() == pytest.approx(0.0435)


def test_vanished_models_are_named(mirror: Path) -> None:
    table = chapter.changes_table(evidence_world())
    assert (table["gone_models"] == 0).all()
    assert table["gone_entries"].sum() == 98
    models = chapter.models_table(evidence_world())
    qwen = models[models["family"] == "qwen"]
    assert qwen.groupby("cloud").size().to_dict() == {"bedrock": 7, "vertex": 4}
    # Entries as a whole are forgotten by the dozen, which no sentence may deny.
    gone = table.set_index(["cloud", "day"])["gone_entries"]
    assert gone[("vertex", "2026-05-01")] == 69


# ----------------------------------------------------------------------------------- the pages


def shown(html: object) -> str:
    return unescape(re.sub(r"<[^>]*>", "", str(html))).replace("\u00a0", " ")


@pytest.fixture
def month_table(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], str]:
    """Return a function that gives the figure of the months with other lower bounds."""

    def go(lower: list[float]) -> str:
        days = [f"2026-0{n}" for n in range(1, len(lower) + 1)]
        frame = pd.DataFrame({"day": days, "lower": lower, "upper": [x + 0.1 for x in lower]})
        monkeypatch.setattr(page, "_months", lambda: frame)
        return shown(page.open_by_month())

    return go


@pytest.mark.parametrize(
    ("lower", "said"),
    [
        ([0.4, 0.55, 0.6], "for certain from February 2026 on"),
        ([0.55, 0.4, 0.6], "for certain from March 2026 on"),
        ([0.55, 0.6, 0.6], "for certain from January 2026 on"),
    ],
)
def test_above_one_half_on_means_in_every_later_month(
    lower: list[float], said: str, month_table: Callable[[list[float]], str]
) -> None:
    assert said in month_table(lower)


def test_no_last_month_above_one_half_is_no_crossing(
    month_table: Callable[[list[float]], str],
) -> None:
    assert "for certain" not in month_table([0.6, 0.7, 0.45])


def test_the_chapter_lists_each_of_its_claims_once() -> None:
    text = str(page.leads())
    for item in pages.checked("D"):
        assert text.count(f'href="{item.id}.html"') == 1, item.id
    unobserved = next(p for p in text.split("<p") if "nothing of ours measures" in p)
    assert "enterprise-closed-88" in unobserved
    assert "qwen4" not in unobserved
    waiting = next(p for p in text.split("<p") if "only later months" in p)
    assert "qwen4-second-half-2026" in waiting


def test_neighbours_are_worded_by_what_the_bounds_allow() -> None:
    title = shown(page._files_title(0.16, 0.86, 0.11))
    assert "by them no file allows the survey's 11 %, by the makers listed 4 of 5 do" in title
    assert "5 of 5 files allow the survey's 40 %" in shown(page._files_title(0.16, 0.86, 0.4))
    text = shown(page.neighbour())
    assert "All published months lie above the survey's 11 %" in text
    assert "the two differ does not refute" in text
