"""``capture``: a snapshot of the live Hub."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.raw import capturing
from analysis.raw.capturing import store as stores
from analysis.raw.capturing import walking
from analysis.raw.capturing.finishing import SENTENCE
from analysis.raw.capturing.plan import without_secrets
from analysis.snapshot import families as families_module
from analysis.snapshot.values import shown

_DESCRIPTION = """\
Take a snapshot of the live Hub, or go on with one that was broken off.

Pages of the Hub's listing of models are kept as they came, compressed, with a journal. The command
can be killed at any instant; the same command goes on where it stood. At the end it writes
OUT/models.parquet in the layout of hub-stats, with the time of each row (capturedAt), and
OUT/manifest.json. A capture takes hours while counters move: no two rows need be of one moment.
"""

_EPILOG = """\
examples:
  python -m analysis capture today                         all families of data/families.toml
  python -m analysis capture qwen-only --families qwen     one family
  python -m analysis capture whole-hub --all --expect 3000000
  python -m analysis capture whole-hub --status            where it stands, without asking the Hub
  python -m analysis capture whole-hub --all --finish      make the table of what there is so far
  python -m analysis inspect today/models.parquet --kind hub-snapshot

HF_ENDPOINT names another Hub, HF_TOKEN or `hf auth login` give the token (which raises the Hub's
rate limit), as for huggingface_hub. With a token the Hub may list private repositories of its
owner: the table leaves them out, the kept pages do not. OMR_ATTEMPTS and OMR_LONGEST_WAIT change
the patience.
"""


def register(subparsers: Any) -> None:
    """Add the command to a parser.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "capture",
        help="take a snapshot of the live Hub; killed, it goes on where it stood",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("folder", type=Path, metavar="OUT", help="folder of the capture")
    extent = command.add_mutually_exclusive_group()
    extent.add_argument(
        "--families",
        nargs="*",
        metavar="ID",
        help="the official organisations of these families (default: of all), those of the "
        "repositories on the latest tracked list, and the derivatives of each tracked repository",
    )
    extent.add_argument("--all", action="store_true", help="every page of the whole Hub")
    command.add_argument(
        "--page-size",
        type=int,
        default=1000,
        metavar="N",
        help="rows asked for on a page (1 to 1000, default 1000)",
    )
    command.add_argument(
        "--expect",
        type=int,
        metavar="N",
        help="repositories that you expect, so that --all can show the time left",
    )
    command.add_argument(
        "--limit-pages", type=int, metavar="N", help="stop after so many pages of this run"
    )
    command.add_argument(
        "--finish",
        action="store_true",
        help="ask for nothing more; write the table of what is here",
    )
    command.add_argument("--status", action="store_true", help="say where the capture stands")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=capture)


def capture(args: argparse.Namespace) -> int:
    """Run ``capture``."""
    if args.status:
        _print(args, capturing.status(args.folder))
        return 0
    if args.finish:
        stores.read_plan(args.folder)  # complains where there is no capture
    for name, least in (("page_size", 1), ("expect", 1), ("limit_pages", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise InputError(f"--{name.replace('_', '-')} {value}: must be {least} or more")
    if args.page_size > 1000:
        raise InputError(f"--page-size {args.page_size}: the Hub gives no more than 1000")
    from huggingface_hub import constants

    endpoint = without_secrets(constants.ENDPOINT)
    asked = _asked(args, endpoint)
    progress = sys.stderr.isatty()
    with capturing.Store.opened(args.folder, lambda: _plan(args, endpoint, asked), asked) as store:
        walked = args.finish or capturing.walk(
            store,
            capturing.Hub(constants.ENDPOINT, walking.patience()),
            most_pages=args.limit_pages,
            expect=args.expect,
            progress=progress,
        )
        if walked:
            manifest = capturing.finish(args.folder, store.plan, progress=progress)
            _print(args, capturing.status(args.folder) | {"manifest": manifest})
            return 0
    _print(args, capturing.status(args.folder))
    return 0


def _asked(args: argparse.Namespace, endpoint: str) -> dict[str, Any]:
    """Return what decides the pages of a capture, as the plan keeps it."""
    if args.all:
        return {"endpoint": endpoint, "extent": "all", "page_size": args.page_size}
    register = families_module.parse(raw.declared("families"))
    chosen = sorted(set(args.families or ()))
    for name in chosen:
        if name not in register.families:
            raise InputError(
                f"--families {shown(name)}: no such family; there are "
                f"{', '.join(register.families)}"
            )
    return {
        "endpoint": endpoint,
        "extent": "families",
        "families": chosen or "all",
        "page_size": args.page_size,
    }


def _plan(args: argparse.Namespace, endpoint: str, asked: dict[str, Any]) -> capturing.Plan:
    """Decide which listings are asked for.

    The tracked repositories are read by listing their organisations: one page of an organisation
    costs one request, as one repository would, and holds up to a thousand.
    """
    if args.all:
        return capturing.Plan(endpoint, asked, (capturing.Query(),), args.page_size)
    register = families_module.parse(raw.declared("families"))
    chosen = set(args.families or register.families)
    lists = [
        version
        for source, version in raw.load_registry().by_kind("tracked-list")
        if source.id == "tracked"
    ]
    if not lists:
        raise InputError("data/sources/tracked.toml: no tracked list is registered")
    frame = snapshot.read(raw.fetch(lists[-1].name), "tracked-list").frame
    ids = pd.Series(sorted(set(frame["repository_id"])), dtype="string")
    if args.families:
        family = families_module.assign(ids, register, "official")
        ids = ids[family.isin(list(chosen)).astype(bool)]
    tracked = [str(name) for name in ids]
    organisations = [
        entry.organisation
        for name, family in register.families.items()
        if name in chosen
        for entry in family.organisations
    ]
    organisations += [name.partition("/")[0] for name in tracked]
    queries = [capturing.Query("author", name) for name in dict.fromkeys(organisations)]
    queries += [capturing.Query("filter", f"base_model:{name}") for name in tracked]
    return capturing.Plan(endpoint, asked, tuple(queries), args.page_size, tuple(tracked))


def _print(args: argparse.Namespace, found: dict[str, Any]) -> None:
    if args.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    folder = found["folder"]
    done = f"{found['queries_done']:,} of {found['queries']:,} listings"
    print(
        f"{folder}: {found['pages']:,} pages, {found['rows']:,} rows, {done} read to the end, "
        f"{found['bytes']:,} bytes of pages"
    )
    if found["first"]:
        again = f"; {found['restarts']:,} listings begun again" if found["restarts"] else ""
        print(f"read from {found['first']} to {found['last']}{again}")
    manifest = found.get("manifest")
    if manifest is None:
        if found["walked"]:
            print("all pages are here; the same command makes the table if it is not there yet")
        else:
            print(f"next: {shown(found['query'])}; the same command goes on")
        return
    name = Path(folder) / capturing.PARQUET_NAME
    print(
        f"{name}: {manifest['repositories']:,} repositories "
        f"({manifest['repeated_rows']:,} repeated rows left out)"
    )
    if manifest["listings_refused"]:
        print(
            f"{len(manifest['listings_refused']):,} listings the Hub does not have; the manifest "
            "names them"
        )
    elif not manifest["complete"]:
        print("not complete: the capture was not read to the end")
    if manifest["tracked_not_met"]:
        print(
            f"{len(manifest['tracked_not_met']):,} of {manifest['tracked']:,} tracked repositories "
            "were not met (renamed, removed or private); the manifest names them"
        )
    print(SENTENCE)
