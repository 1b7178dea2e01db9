"""Licence and release texts: sentences with their lines, and the thresholds in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import builder, commands, raw
from analysis.claims import results
from analysis.errors import InputError
from analysis.measure import licences
from analysis.snapshot import read
from tests.support.worlds import evidence_world

#: Read by eye in the files: licence, licensor, the text's own day, users, line of the sentence, and
#: the line of each condition.
BY_HAND = [
    ("licence-llama-2", "Meta", "2023-07-18", 700_000_000, 65,
     {"acceptable-use": 55, "no-other-models": 61, "at-release": 65}),
    ("licence-llama-3", "Meta", "2024-04-18", 700_000_000, 28,
     {"attribution": 22, "naming": 22, "acceptable-use": 25, "no-other-models": 26,
      "at-release": 28}),
    ("licence-llama-3.1", "Meta", "2024-07-23", 700_000_000, 32,
     {"attribution": 24, "naming": 24, "acceptable-use": 30, "at-release": 32}),
    ("licence-llama-3.2", "Meta", "2024-09-25", 700_000_000, 46,
     {"attribution": 35, "naming": 35, "acceptable-use": 44, "at-release": 46}),
    ("licence-llama-3.3", "Meta", "2024-12-06", 700_000_000, 33,
     {"attribution": 25, "naming": 25, "acceptable-use": 31, "at-release": 33}),
    ("licence-llama-4", "Meta", "2025-04-05", 700_000_000, 46,
     {"attribution": 35, "naming": 35, "acceptable-use": 44, "at-release": 46}),
    ("licence-qwen-apache", "Alibaba Cloud", "2004-01", None, None, {"patent-grant": 73}),
    ("licence-qwen-research", "Alibaba Cloud", "2023-11-30", None, None,
     {"non-commercial": 20, "ask-for-commercial-use": 21, "no-other-models": 32}),
    ("licence-qwen-tongyi", "Alibaba Cloud", "2023-08-03", 100_000_000, 29,
     {"no-other-models": 33}),
]  # fmt: skip


@pytest.fixture(scope="module")
def rules() -> licences.LicenceRules:
    """Return the rules as declared."""
    return licences.parse(raw.declared("licences"))


def text_file(folder: Path, content: str) -> Path:
    file = folder / "TEXT"
    file.write_bytes(content.encode())
    return file


def sentences(folder: Path, content: str, kind: str = "licence-text") -> list[tuple[int, str]]:
    frame = read(text_file(folder, content), kind).frame
    return list(zip(frame["line"].tolist(), frame["passage"].tolist(), strict=True))


# ------------------------------------------------------------------------- the real texts


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case[0])
def test_thresholds_and_conditions_stand_on_these_lines(
    case: tuple[str, str, str, int | None, int | None, dict[str, int]],
    rules: licences.LicenceRules,
    raw_path: Callable[[str], Path],
) -> None:
    name, licensor, day, users, line, conditions = case
    path = raw_path(name)
    reading = licences.read(read(path, "licence-text").frame, rules)
    assert (reading.licensor, reading.dated) == (licensor, day)
    found = reading.threshold
    assert (found and found.users, found and found.place.line) == (users, line)
    assert {key: place.line for key, place in reading.conditions.items()} == conditions
    assert reading.large == (() if users is None else (users,))
    if found is not None:
        # The words stand in the file at that line, as an editor counts.
        lines = path.read_text("utf-8").split("\n")
        around = " ".join(" ".join(lines[found.place.line - 1 : found.place.line + 7]).split())
        assert found.words in around
        assert found.place.text.split()[-1] in around


def test_every_licence_text_is_in_the_table_by_hand(mirror: Path) -> None:
    known = [version.name for _, version in raw.load_registry().by_kind("licence-text")]
    assert sorted(known) == sorted(case[0] for case in BY_HAND)


def test_sentences_over_lines_are_put_together(raw_path: Callable[[str], Path]) -> None:
    frame = read(raw_path("licence-llama-2"), "licence-text").frame
    at = dict(zip(frame["line"], frame["passage"], strict=True))
    assert len(frame) == 38
    assert at[1] == "LLAMA 2 COMMUNITY LICENSE AGREEMENT"
    assert at[2] == "Llama 2 Version Release Date: July 18, 2023"
    assert at[65].startswith("If, on the Llama 2 version release date, the monthly active users")
    assert at[65].endswith("grants you such rights.")
    # A word hyphenated by the line stays one word; the heading before it is a row of its own.
    granted = frame.loc[frame["line"] == 35, "passage"].tolist()
    assert granted[0] == "a. Grant of Rights."
    assert "worldwide, non-transferable and royalty-free" in granted[1]
    attribution = at[50]
    assert attribution.startswith("iii. You must retain")
    assert attribution.endswith('Meta Platforms, Inc. All Rights Reserved."')


def test_statements_of_the_makers_keep_their_lines(raw_path: Callable[[str], Path]) -> None:
    def at(name: str) -> dict[int, str]:
        frame = read(raw_path(name), "release-text").frame
        return dict(zip(frame["line"], frame["passage"], strict=True))

    assert "most of them in English and Chinese" in at("release-qwen-memo-2023-08-03")[39]
    assert "except for the 3B and 72B variants" in at("release-qwen2.5-2024-09-17")[263]
    assert at("release-llama-3.3")[13].startswith("**Supported languages:** English, German")
    assert "201 languages and dialects" in at("release-qwen3.5-2026-03-02")[31]


# --------------------------------------------------------------------- sentences of any text


def test_clauses_and_headings_stay_apart(tmp_path: Path) -> None:
    text = (
        "A TITLE\nSome Licence of May 1, 2025\n\n1. Terms\nYou may use it. You may not\nsell it.\n"
        "  a) first, e.g. this;\n  (b) Acme Inc. and others;\n"
        "## Another heading\n2\\. **Bold**. End"
    )
    assert sentences(tmp_path, text) == [
        (1, "A TITLE"),
        (2, "Some Licence of May 1, 2025"),
        (4, "1. Terms"),
        (5, "You may use it."),
        (5, "You may not sell it."),
        (7, "a) first, e.g. this;"),
        (8, "(b) Acme Inc. and others;"),
        (9, "## Another heading"),
        (10, "2\\. **Bold**."),
        (10, "End"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_count_the_same_whatever_ends_them(end: str, tmp_path: Path) -> None:
    text = end.join(["One sentence.", "", "\ufeff Second.", "\u2028third", "", "Fourth\u00a0one."])
    assert [line for line, _ in sentences(tmp_path, text)] == [1, 3, 4, 6]
    assert sentences(tmp_path, text)[-1] == (6, "Fourth one.")


def test_release_texts_keep_code_and_tables_line_by_line(tmp_path: Path) -> None:
    text = (
        "# Name\n\nEnglish and\nchinese data.\nNext\n\n- one\n  more of one\n- two\n"
        "```\n- code\nlower\n```\n| a | b |\n| c | d |\n<p>x</p>\n---\n"
    )
    assert sentences(tmp_path, text, "release-text") == [
        (1, "# Name"),
        (3, "English and chinese data."),
        (5, "Next"),
        (7, "- one more of one"),
        (9, "- two"),
        (11, "- code"),
        (12, "lower"),
        (14, "| a | b |"),
        (15, "| c | d |"),
        (16, "<p>x</p>"),
    ]


@pytest.mark.parametrize("kind", ["licence-text", "release-text"])
def test_a_file_of_signs_is_an_error(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"TEXT: holds no text, only white space and signs"):
        read(text_file(tmp_path, "---\n\n***\n"), kind)


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=8)


@given(lines=st.lists(st.lists(WORD, max_size=6).map(" ".join), min_size=1, max_size=12))
def test_no_word_is_lost_or_doubled(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the text: the passages hold its letters and digits once, in order, lines rising."""
    content = "\n".join(["Begin.", *lines])
    folder = tmp_path_factory.mktemp("words")
    # The readers take a byte order mark at the beginning off; nothing else.
    kept = "".join(c for c in content if c.isalnum())
    for kind in ("licence-text", "release-text"):
        rows = sentences(folder, content, kind)
        assert "".join(c for _, text in rows for c in text if c.isalnum()) == kept
        numbers = [line for line, _ in rows]
        assert numbers == sorted(numbers)
        assert numbers[0] == 1
        assert numbers[-1] <= len(content.split("\n"))


# ------------------------------------------------------------------------------- thresholds


@pytest.mark.parametrize(
    ("sentence", "users"),
    [
        ("is greater than 700 million monthly active users in the month", [700_000_000]),
        ("more than 100,000,000 monthly active users", [100_000_000]),
        ("one hundred million monthly active users", [100_000_000]),
        ("more than one hundred (100) million monthly active users", [100_000_000]),
        ("one hundred million (100,000,000) monthly active users", [100_000_000]),
        ("two hundred and fifty thousand monthly users", [250_000]),
        ("a million monthly active users", [1_000_000]),
        ("1.5 billion MAUs", [1_500_000_000]),
        ("100M MAU or more than 20 million US dollars a month", [100_000_000]),
        ("100 million or more monthly active users", [100_000_000]),
        ("if its **monthly active users** exceed seven hundred million", [700_000_000]),
        ("if monthly active users in any of the 30 days before exceed 5 million", [5_000_000]),
        ("above 700 million, or 100 million active users per month", [100_000_000]),
        # No number of users:
        ("if monthly active users pay more than 20 million dollars", []),
        ("on the Llama 2 version release date, the monthly active users of the products", []),
        ("more than 100 million daily visits", []),
        ("monthly active users of more than 12 products", []),
        ("millions of monthly active users", []),
    ],
)
def test_thresholds_in_any_wording(
    sentence: str, users: list[int], rules: licences.LicenceRules, tmp_path: Path
) -> None:
    frame = read(text_file(tmp_path, f"TITLE\n\n{sentence}."), "licence-text").frame
    reading = licences.read(frame, rules)
    assert [one.users for one in reading.thresholds] == users
    assert (reading.licensor, reading.dated) == (None, None)


def test_the_smallest_threshold_binds(rules: licences.LicenceRules, tmp_path: Path) -> None:
    text = "Free to 700 million monthly active users.\n\nAsk above 100 million monthly users."
    reading = licences.read(read(text_file(tmp_path, text), "licence-text").frame, rules)
    assert [(t.users, t.place.line) for t in reading.thresholds] == [
        (100_000_000, 3),
        (700_000_000, 1),
    ]
    assert reading.threshold is reading.thresholds[0]


@given(st.integers(1, 999), st.sampled_from(["thousand", "million", "billion"]))
def test_numbers_are_read_back(number: int, scale: str) -> None:
    value = number * {"thousand": 10**3, "million": 10**6, "billion": 10**9}[scale]
    assert licences.numbers(f"it is {number} {scale} now") == [(value, f"{number} {scale}")]
    assert licences.numbers(f"it is {value:,}.") == [(value, f"{value:,}")]
    assert licences.numbers(f"it is {_spelt(number)} {scale}") == [
        (value, f"{_spelt(number)} {scale}")
    ]


ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def _spelt(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{ONES[hundreds]} hundred"] if hundreds else []
    if 0 < rest < 20:
        words.append(ONES[rest])
    elif rest:
        words.append(TENS[rest // 10] + (f"-{ONES[rest % 10]}" if rest % 10 else ""))
    return " and ".join(words)


def test_a_day_that_is_none_is_not_read(rules: licences.LicenceRules, tmp_path: Path) -> None:
    text = "TITLE\n\nVersion Release Date: Brumaire 18, 2023\n\nRelease Date: May 1, 2024"
    reading = licences.read(read(text_file(tmp_path, text), "licence-text").frame, rules)
    assert reading.dated == "2024-05-01"


# ------------------------------------------------------------------------------- rule file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": {"users": ["("]}}, r"threshold\.users: .*no regular expression"),
        ({"dated": {"pattern": "x", "reason": "long enough"}}, "needs the groups 'day' and"),
        ({"threshold": {"reach": 9}}, r"threshold\.reach: "),
        ({"surprise": 1}, r"surprise: .*Extra inputs"),
        ({"sizes": {"edges": [5e9, 2e9]}}, "the edges must rise"),
        ({"families": {"shown": ["qwen"]}}, r"families\.shown: "),
    ],
)
def test_rules_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    content = raw.declared("licences")
    for key, value in change.items():
        old = content.get(key)
        content = content | {
            key: {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        }
    with pytest.raises(InputError, match=rf"data/licences\.toml: .*{message}"):
        licences.parse(content)


@pytest.mark.parametrize(
    ("table", "entry", "message"),
    [
        ("group", {"ids": ["mit"]}, "id named twice: mit"),
        ("group", {"names": ["qwen"]}, "name named twice: qwen"),
        ("group", {"kind": "unnamed"}, "one group, and no more, must be of the kind 'unnamed'"),
        ("stated", {"group": "nobody"}, "stated: no group is called 'nobody'"),
        ("statement", {"pattern": "["}, r"statement\.\d+\.pattern: .*no regular expression"),
    ],
)
def test_entries_that_cannot_be_are_refused(
    table: str, entry: dict[str, object], message: str
) -> None:
    content = raw.declared("licences")
    whole = {**content[table][-1], "id": "new", "ids": [], "names": []}
    fresh = {name: whole[name] for name in whole if name in content[table][0]} | entry
    with pytest.raises(InputError, match=rf"data/licences\.toml: .*{message}"):
        licences.parse(content | {table: [*content[table], fresh]})


def test_a_condition_named_twice_is_refused() -> None:
    content = raw.declared("licences")
    doubled = content | {"condition": [*content["condition"], content["condition"][0]]}
    with pytest.raises(InputError, match="condition named twice: attribution"):
        licences.parse(doubled)


# ------------------------------------------------------------------------------ command line


def test_licences_for_machines(mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["licences", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [
        (row["name"], row["licensor"], row["threshold_monthly_active_users"], row["line"])
        for row in rows
    ] == [(case[0], case[1], case[3], case[4]) for case in BY_HAND]
    for row in rows:
        assert (row["sentence"] is None) == (row["threshold_monthly_active_users"] is None)
        assert len(row["sha256"]) == 64


def test_licences_by_name_and_by_source(mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["licences", "licence-qwen", "licence-qwen-tongyi"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out if not line.startswith("    ")] == [
        "licence",
        "licence-qwen-apache",
        "licence-qwen-research",
        "licence-qwen-tongyi",
    ]
    assert "100,000,000  29" in "\n".join(out)
    assert "    line 20: no commercial use without a licence" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [("makers-2025-10-12", "is no licence text; there are: licence-llama-2"), ("x", "called 'x'")],
)
def test_licences_of_something_else(
    name: str, message: str, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["licences", name]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_inspect_reads_a_licence_that_nobody_registered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = text_file(tmp_path, "T\x1b[2J\n\nAsk Meta Platforms above 5 million monthly users.")
    assert commands.main(["inspect", str(file), "--kind", "licence-text", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["licensor"], found["threshold_monthly_active_users"], found["line"]) == (
        "Meta",
        5_000_000,
        3,
    )
    assert commands.main(["inspect", str(file), "--kind", "licence-text"]) == 0
    out = capsys.readouterr().out
    assert "above 5,000,000 monthly active users, line 3" in out
    assert "\x1b" not in out


# ------------------------------------------------------------------------------------ claim


def test_the_claim_names_whose_number_it_is(mirror: Path) -> None:
    register = builder.load_rules().register
    record, table = results.evaluate(
        evidence_world(), register.find("llama-100m-threshold"), register
    )
    assert (record["value"], record["grade"]) == (700_000_000, "computed")
    assert (record["holds"], record["specifications"]) == (0, 12)
    assert record["recreated"]["verdict"] == "differs"
    assert record["robust"]["verdict"] == "fails"
    assert "all 6 Llama licences say 700 million" in record["finding"]
    assert "100 million is the number of Alibaba Cloud's first licence" in record["finding"]
    assert table["value"].eq(700_000_000).all()
