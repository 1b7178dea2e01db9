"""``derivatives``: who is built on whom in one file, by a rule that the reader chooses."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from analysis import raw, snapshot
from analysis.errors import InputError, one_line
from analysis.measure import bulk, concentration, derivatives
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage
from analysis.snapshot.graph import arrow_texts

if TYPE_CHECKING:
    import numpy.typing as npt

#: Kinds whose rows are relations, or repositories with the bases that they declare.
GRAPH_KINDS: Final = (
    "lineage-edges",
    "hub-tree",
    "hub-snapshot",
    "hub-top30",
    "hub-top25",
    "hub-top15",
    "hub-trending",
)
#: Kinds that give a number a base and do not say which repositories it counts.
COUNT_KINDS: Final = ("derivative-counts", "lineage-roots")

#: Kinds that `inspect` reads for their lineage; the others have counters to show.
INSPECTED: Final = ("lineage-edges", "hub-tree", *COUNT_KINDS)

MEASURES: Final = ("downloads_30d", "downloads_all_time")
_RULES: Final = ("official", "organisation", "with-reuploads")

_DESCRIPTION = """\
Count the repositories that are built on each family: those that declare one of its models as
their base (direct), or also what is built on those, and so on (transitive). Half of the Hub
declares no base, and every file here sees a part of the Hub: numbers compare families inside
one file.

The counts of derivative-counts and lineage-roots are sums that their authors made, so there only
direct counts can be had and only the rule of families can be chosen.
"""

_EPILOG = """\
what is counted:
  a derivative counts by the relation that it declares itself: finetune, adapter, quantized,
  merge, or undeclared where its author states none. On the way from it to the family any
  relation may lie, unless --through chosen asks for the chosen ones alone.

examples:
  python -m analysis derivatives --snapshot lineage-2025-06
  python -m analysis derivatives --snapshot lineage-2025-06 --count transitive --without-quantized
  python -m analysis derivatives --snapshot lineage-2025-06 --relation adapter merge --json
  python -m analysis derivatives --snapshot hub-stats-2026-05 --without-own --min-downloads 100
  python -m analysis derivatives --snapshot lineage-2025-06 --min-downloads 1000 \\
      --downloads-from hub-stats-2026-05
  python -m analysis derivatives --snapshot lineage-2025-06 --resolve-reuploads --one-per-author
  python -m analysis derivatives --snapshot derivative-counts    all four makers, on how few bases
  python -m analysis inspect edges.csv --kind lineage-edges      the same for a file of yours
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "derivatives",
        help="how many repositories are built on each family, by a chosen rule",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--snapshot",
        required=True,
        metavar="NAME",
        help=(
            "version name, such as lineage-2025-06; or a source whose versions are parts of one "
            "reading, such as derivative-counts"
        ),
    )
    add_rule_options(command)
    command.add_argument(
        "--family-rule",
        choices=_RULES,
        default=_RULES[0],
        help="which repositories make a family (default official)",
    )
    command.add_argument(
        "--measure",
        choices=MEASURES,
        default=MEASURES[0],
        help="the counter that --min-downloads looks at (default the one of 30 days)",
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def add_rule_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what counts as a derivative."""
    rule = parser.add_argument_group("what counts as a derivative")
    rule.add_argument(
        "--count",
        choices=("direct", "transitive"),
        default="direct",
        help="those that declare a model of the family (default), or all that descend from one",
    )
    rule.add_argument(
        "--relation",
        nargs="+",
        choices=derivatives.WORDS,
        default=None,
        metavar="R",
        help=f"only these relations: {', '.join(derivatives.WORDS)} (default all)",
    )
    rule.add_argument(
        "--without-quantized",
        action="store_true",
        help="leave out quantised copies, and keep all other relations",
    )
    rule.add_argument(
        "--through",
        choices=("any", "chosen"),
        default="any",
        help="relations that may lie between the family and a derivative's base (default any)",
    )
    rule.add_argument(
        "--without-own",
        action="store_true",
        help="leave out repositories of the family's own organisations",
    )
    rule.add_argument(
        "--one-per-author", action="store_true", help="count all of one author as one"
    )
    rule.add_argument(
        "--min-downloads",
        type=_whole_number,
        default=0,
        metavar="N",
        help="only those with so many downloads; an unknown counter makes an interval",
    )
    rule.add_argument(
        "--downloads-from",
        metavar="NAME",
        help="version whose counters --min-downloads looks at (default the file's own)",
    )
    rule.add_argument(
        "--merges",
        choices=("whole", "fractional"),
        default="whole",
        help="a repository with q of its p bases in the family counts 1 (default) or q/p",
    )
    rule.add_argument(
        "--resolve-reuploads",
        action="store_true",
        help="take a re-upload of a model for the model itself (named in data/families.toml)",
    )


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    if len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text[:20]!r}… is more than any counter holds")
    return int(text)


# ----------------------------------------------------------------------------------- running


def run(args: argparse.Namespace) -> int:
    """Run ``derivatives``."""
    names = _versions(args.snapshot)
    registry = raw.load_registry()
    kind = registry.find(names[0])[0].kind
    if kind not in GRAPH_KINDS + COUNT_KINDS:
        raise InputError(
            f"{args.snapshot}: kind {kind} declares no bases; "
            "`sources --kind lineage-edges` lists a kind that does"
        )
    got = []
    for name in _progress(names):
        got.append((name, read(raw.fetch(name), kind)))
    result = count(args, args.snapshot, kind, [one for _, one in got])
    return show(args, result)


def inspect(args: argparse.Namespace, description: dict[str, Any], got: snapshot.Snapshot) -> int:
    """Print what ``derivatives`` prints for a file, with what its reader found in it."""
    result = count(args, str(args.file), got.kind, [got])
    return show(args, {**description, **result})


def read(path: Path, kind: str) -> snapshot.Snapshot:
    """Read a file with the columns that lineage needs, and no more."""
    known = snapshot.KIND_COLUMNS[kind]
    if kind in COUNT_KINDS or "base_id" in known:
        return snapshot.read(path, kind)
    counters = [name for name in MEASURES if name in known]
    field = [name for name in ("base_models", "base_relation") if name in known]
    if kind == "hub-tree":
        columns = ["repository_id", *field, *counters, *(["tags"] if "tags" in known else [])]
        return snapshot.read(path, kind, columns=columns)
    if field:
        got = snapshot.read(path, kind, columns=["repository_id", *field, *counters])
        if got.frame["base_models"].notna().any():
            return got
    # Tags say the same as the field, at many times its size: only where there is no field.
    return snapshot.read(path, kind, columns=["repository_id", *counters, "tags"])


def _versions(name: str) -> list[str]:
    """Names of the versions that a name stands for."""
    registry = raw.load_registry()
    source = next((one for one in registry.sources if one.id == name), None)
    if source is None:
        registry.find(name)
        return [name]
    versions = source.versions
    if not versions:
        raise InputError(f"--snapshot {name}: {source.state}: no file of it is registered")
    if len({version.as_of_first for version in versions}) > 1:
        few = ", ".join(version.name for version in versions[:3])
        raise InputError(
            f"--snapshot {name}: {len(versions)} versions of different days; name one, "
            f"such as {few}"
        )
    return [version.name for version in versions]


def _progress(names: Sequence[str]) -> Iterable[str]:
    return tqdm(names, unit=" file", leave=False, disable=not sys.stderr.isatty())


def count(
    args: argparse.Namespace, name: str, kind: str, read: Sequence[snapshot.Snapshot]
) -> dict[str, Any]:
    """Count the derivatives in what was read, as the record that ``--json`` prints."""
    families = families_module.parse(raw.declared("families"))
    rule = _rule(args)
    problems = [text for one in read for text in one.problems]
    # One file may be a whole Hub, which is not copied.
    frames = [one.frame for one in read]
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    result: dict[str, Any] = {
        "snapshot": name,
        "count": rule.count,
        "relations": list(rule.relations),
        "rule": {
            "family_rule": rule.family_rule,
            "through": rule.through,
            "own": rule.own,
            "one_per_author": rule.one_per_author,
            "minimum_downloads": rule.minimum_downloads,
            "measure": args.measure if rule.minimum_downloads else None,
            "downloads_from": args.downloads_from,
            "merges": rule.merges,
            "reuploads_resolved": rule.resolve_copies,
        },
    }
    if kind in COUNT_KINDS:
        _refuse(args, name, kind)
        return result | _of_counts(frame, kind, families, rule, problems)
    return result | _of_relations(args, name, kind, frame, families, rule, problems)


def _rule(args: argparse.Namespace) -> derivatives.Rule:
    chosen = args.relation or derivatives.WORDS
    if args.without_quantized:
        chosen = [word for word in chosen if word != "quantized"]
        if not chosen:
            raise InputError(
                "--without-quantized leaves nothing of --relation quantized: drop one of the two"
            )
    if args.downloads_from and not args.min_downloads:
        raise InputError("--downloads-from is only of use with --min-downloads N")
    return derivatives.Rule(
        count=args.count,
        relations=tuple(word for word in derivatives.WORDS if word in chosen),
        own=not args.without_own,
        one_per_author=args.one_per_author,
        minimum_downloads=args.min_downloads,
        merges=args.merges,
        resolve_copies=args.resolve_reuploads,
        family_rule=args.family_rule,
        through=args.through,
    )


# ------------------------------------------------------------------------------ from relations


def _of_relations(
    args: argparse.Namespace,
    name: str,
    kind: str,
    frame: pd.DataFrame,
    families: families_module.Families,
    rule: derivatives.Rule,
    problems: list[str],
) -> dict[str, Any]:
    if "list" in frame.columns:
        # A file of several rankings holds a repository once in each.
        frame = frame.drop_duplicates("repository_id", ignore_index=True)
    related = None
    if kind == "hub-snapshot":
        found, related = _of_whole(frame, families)
    else:
        found = lineage.of(frame, families)
    if not found.report.stated:
        raise InputError(f"{name}: no repository in it declares a base: nothing to count")
    downloads = _downloads(args, frame) if rule.minimum_downloads else None
    if downloads is not None and related is not None and not args.downloads_from:
        # Most of a whole Hub has no relation, and its counters are not asked for.
        downloads = downloads[related]
    counted = derivatives.count(found.graph, families, rule, downloads=downloads)
    report = found.report
    notes = [*problems, *report.notes()]
    if rule.minimum_downloads and downloads is None:
        notes.append(
            "the file holds no counter of downloads: all derivatives may or may not have so many; "
            "--downloads-from names another file"
        )
    if counted.copies:
        notes.append(
            f"{counted.copies:,} re-uploads declare no official repository here and stand for "
            "bases of their family themselves"
        )
    whole = rule.merges == "whole"
    result = {
        "stated_relations": report.stated,
        "distinct_relations": report.relations,
        "declared_derivatives": report.derivatives,
        "unknown_base_share": _rounded(report.unknown_base_share),
        "problems": notes,
        "families": _by_title(counted.families, families, whole),
        "organisations": {
            organisation: _part(group, whole)
            for organisation, group in counted.organisations.items()
        },
    }
    if rule.count == "direct":
        bases = derivatives.by_base(found.graph, families, rule, downloads=downloads)
        bases = bases[bases["derivatives"] > 0]
        counts = pd.Series(bases["derivatives"].to_numpy(), index=bases["base_id"].astype("object"))
        titles = bases["family"].map(families.titles).astype("object")
        titles.index = counts.index
        result["concentration"] = _concentration(counts, titles, None)
    return result


def _of_whole(
    frame: pd.DataFrame, families: families_module.Families
) -> tuple[lineage.Lineage, npt.NDArray[np.bool_]]:
    """Read the relations of what may be a whole Hub, and flag the rows that have one.

    Its reader leaves each id once.
    """
    ids = arrow_texts(frame["repository_id"]).combine_chunks()
    if "base_models" in frame.columns:
        parts = lineage.parts_of_field(frame)
    else:
        parts = lineage.parts_of_tags(frame["tags"])
    found, node = lineage.of_parts(ids, parts, families)
    return found, node >= 0


def _downloads(args: argparse.Namespace, frame: pd.DataFrame) -> pd.Series[Any] | None:
    """Counters by repository, of the file or of the one that was asked for."""
    if args.downloads_from:
        source, _ = raw.load_registry().find(args.downloads_from)
        if args.measure not in snapshot.KIND_COLUMNS.get(source.kind, ()):
            raise InputError(
                f"--downloads-from {args.downloads_from}: kind {source.kind} holds no counter "
                f"{args.measure}"
            )
        path = raw.fetch(args.downloads_from)
        frame = snapshot.read(path, source.kind, columns=["repository_id", args.measure]).frame
    if args.measure not in frame.columns or frame[args.measure].isna().all():
        if args.downloads_from:
            raise InputError(f"--downloads-from {args.downloads_from}: no counter {args.measure}")
        return None
    counters: pd.Series[Any] = frame.set_index("repository_id")[args.measure]
    return counters


def _by_title(
    groups: Mapping[str, derivatives.Group], families: families_module.Families, whole: bool
) -> dict[str, dict[str, Any]]:
    """Families by the name that readers know, the largest first."""
    order = sorted(groups, key=lambda f: (-groups[f].derivatives, families.titles[f]))
    return {families.titles[family]: _part(groups[family], whole) for family in order}


def _part(group: derivatives.Group, whole: bool) -> dict[str, Any]:
    def number(value: float) -> float:
        return int(value) if whole else round(value, 10)

    return {
        "derivatives": number(group.derivatives),
        "lower": number(group.lower),
        "upper": number(group.upper),
        "bases": group.bases,
        "relations": {word: number(value) for word, value in group.relations.items()},
    }


# -------------------------------------------------------------------------------- from counts


def _refuse(args: argparse.Namespace, name: str, kind: str) -> None:
    """Say which choice a table of counts cannot answer."""
    asked = [
        ("--count transitive", args.count != "direct"),
        ("--relation", bool(args.relation)),
        ("--without-quantized", args.without_quantized),
        ("--through chosen", args.through != "any"),
        ("--without-own", args.without_own),
        ("--one-per-author", args.one_per_author),
        ("--min-downloads", bool(args.min_downloads)),
        ("--merges fractional", args.merges != "whole"),
        ("--resolve-reuploads", args.resolve_reuploads),
    ]
    for option, given in asked:
        if given:
            raise InputError(
                f"{name}: {option} cannot be answered: kind {kind} gives one number a base, the "
                "direct derivatives of all relations, and does not name them; drop the option or "
                "take a list of relations, such as lineage-2025-06"
            )


def _of_counts(
    frame: pd.DataFrame,
    kind: str,
    families: families_module.Families,
    rule: derivatives.Rule,
    problems: list[str],
) -> dict[str, Any]:
    ids = families_module.canonical(frame["repository_id"], families)
    frame = frame.assign(repository_id=ids)
    counts = concentration.totals(frame)
    bases = pd.Series(counts.index, index=counts.index, dtype="string")
    assigned = families_module.assign(bases, families, rule.family_rule)
    titles = assigned.map(families.titles).astype("object")
    organisations = pd.Series(
        [text.split("/", 1)[0] if "/" in text else None for text in map(str, counts.index)],
        index=counts.index,
        dtype="object",
    )
    notes = list(problems)
    upper = kind == "derivative-counts"
    notes.append(
        "counts are the source's own: how derivatives were found is not stated, and one that "
        "declares two bases stands under both, so a sum is an upper bound of what was found"
        if upper
        else "only repositories without a base of their own are listed, so a family's number is a "
        "lower bound of its direct derivatives; one that declares two of them stands under both"
    )
    named = None
    if "month" in frame.columns:
        rule_of_bulk = bulk.parse(raw.declared("bulk"))
        months = frame[frame["derivatives"].notna()]
        months = months.drop_duplicates(["repository_id", "month"])
        named = bulk.named(months, rule_of_bulk)
    return {
        "problems": notes,
        "families": _sums(counts, titles, upper),
        "organisations": _sums(counts, organisations, upper),
        "concentration": _concentration(counts, titles, named),
    }


def _sums(counts: pd.Series[Any], groups: pd.Series[Any], upper: bool) -> dict[str, dict[str, Any]]:
    """Add up the bases of each group that has one, the largest group first."""
    out: dict[str, dict[str, Any]] = {}
    for group in groups.dropna().unique():
        own = counts[(groups == group).to_numpy(dtype=bool)]
        total = int(own.sum())
        out[str(group)] = {
            "derivatives": total,
            "lower": None if upper else total,
            "upper": total if upper else None,
            "bases": int((own > 0).sum()),
        }
    return dict(sorted(out.items(), key=lambda p: (-p[1]["derivatives"], p[0])))


def _concentration(
    counts: pd.Series[Any], groups: pd.Series[Any], named: frozenset[str] | None
) -> dict[str, dict[str, Any]]:
    """On how few bases the derivatives of each group hang."""
    table = concentration.summary(counts, groups, named or ())
    out: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        own = counts[(groups == row["group"]).to_numpy(dtype=bool)]
        top = concentration.from_the_top(own).iloc[1:11]
        shares = top["derivatives"] / max(int(own.sum()), 1)
        out[str(row["group"])] = {
            "bases": int(row["bases"]),
            "derivatives": int(row["derivatives"]),
            "gini": _rounded(row["gini"]),
            "bases_that_carry_half": int(row["half"]),
            "top_1_share": _rounded(row["top1"]),
            "top_3_share": _rounded(row["top3"]),
            "top_10_share": _rounded(row["top10"]),
            "top": [
                {"repository_id": name, "derivatives": int(number), "share": _rounded(share)}
                for name, number, share in zip(
                    top["repository_id"], top["derivatives"], shares, strict=True
                )
            ],
        }
        if named is not None:
            out[str(row["group"])] |= {
                "bulk_uploads": sorted(named & set(map(str, own.index))),
                "derivatives_without_bulk": int(row["derivatives_without"]),
            }
    return out


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 10)


# ----------------------------------------------------------------------------------- printing


def show(args: argparse.Namespace, result: dict[str, Any]) -> int:
    """Print the record, for machines or for people."""
    if args.json:
        print(json.dumps(result, indent=1, allow_nan=False))
        return 0
    if "file" in result:
        print(
            f"{result['file']}: kind {result['kind']}, layout {result['layout']}, "
            f"{result['rows']:,} rows"
        )
        print("columns: " + ", ".join(result["columns"]))
    rule = result["rule"]
    chosen = result["relations"]
    words = "all relations" if len(chosen) == len(derivatives.WORDS) else ", ".join(chosen)
    choices = [
        f"family rule {rule['family_rule']}",
        *(["without own repositories"] if not rule["own"] else []),
        *(["one an author"] if rule["one_per_author"] else []),
        *(["merges in parts"] if rule["merges"] == "fractional" else []),
        *(["re-uploads resolved"] if rule["reuploads_resolved"] else []),
        *(["through chosen relations"] if rule["through"] == "chosen" else []),
    ]
    if rule["minimum_downloads"]:
        choices.append(f"at least {rule['minimum_downloads']:,} {rule['measure']}")
    print(one_line(f"{result['snapshot']}, {result['count']}, {words}, {', '.join(choices)}"))
    carried = result.get("concentration", {})
    # How much hangs on a family's three largest bases, where derivatives are counted by base.
    last = f"{'on three':>10}" if carried else ""
    print(f"{'family':<14}{'derivatives':>13}{'interval':>20}{'bases':>8}{last}")
    for family, part in result["families"].items():
        if not (part["derivatives"] or part["upper"]):
            continue
        three = carried.get(family, {}).get("top_3_share")
        share = "" if three is None else f"{100 * three:.1f} %"
        print(
            f"{family:<14}{_written(part['derivatives']):>13}{_interval(part):>20}"
            f"{part['bases']:>8,}{share:>10}".rstrip()
        )
    for family, part in carried.items():
        for base in part.get("bulk_uploads", ()):
            print(f"bulk upload by the declared rule: {base} ({family})")
    for text in result["problems"]:
        print(f"note: {one_line(text)}")
    return 0


def _written(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


def _interval(part: Mapping[str, Any]) -> str:
    if part["lower"] is None:
        return f"up to {_written(part['upper'])}"
    if part["upper"] is None:
        return f"at least {_written(part['lower'])}"
    if part["lower"] == part["upper"]:
        return ""
    return f"{_written(part['lower'])} to {_written(part['upper'])}"
