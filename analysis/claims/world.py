"""Everything the checks look at, in one place: readings, lists, families, calibrated assumptions.

A :class:`World` is made from tables by :func:`assemble` and never reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pandas as pd

from analysis.claims.evidence import Evidence
from analysis.claims.settings import Days, Populations
from analysis.errors import InputError
from analysis.measure import assume, bounds, outliers, shares
from analysis.measure import head as heads_module
from analysis.measure import readings as readings_module
from analysis.snapshot import families as families_module

RULES = ("official", "organisation", "with-reuploads")
QWEN = "qwen"
LLAMA = "llama"


@dataclass(frozen=True)
class HeadList:
    """A complete list of the most downloaded repositories of the Hub on one day."""

    version: str
    day: date
    frame: pd.DataFrame


@dataclass(frozen=True)
class HubTotal:
    """What one snapshot of every public repository sums to (30-day downloads).

    Attributes
    ----------
    version, day
        The snapshot, whose rows that matter by name stand among the frames.
    downloads
        Sum over all repositories.
    by_task
        The same by pipeline tag.
    """

    version: str
    day: date
    downloads: float
    by_task: Mapping[str, float]


@dataclass(frozen=True)
class Inputs:
    """Tables that :func:`assemble` needs.

    Attributes
    ----------
    frames, days
        Canonical frames with counters by version name, and the day of each (a
        frame with its own column ``day`` needs none).
    heads
        Complete lists of the most downloaded.
    lists
        Tracked lists: version name to its repositories.
    panel
        The panel with countries (kind hub-panel).
    evidence
        What the claims of groups B and C look at besides counters.
    totals
        Sums of snapshots of the whole Hub; without one its rest is known from below only.
    """

    frames: Mapping[str, pd.DataFrame]
    days: Mapping[str, date]
    heads: tuple[HeadList, ...]
    lists: Mapping[str, frozenset[str]]
    panel: pd.DataFrame
    families: families_module.Families
    assumptions: assume.Assumptions
    bursts: outliers.BurstRule
    anchors: Days
    populations: Populations
    evidence: Evidence | None = None
    totals: tuple[HubTotal, ...] = ()


@dataclass(frozen=True)
class World:
    """What is known, and what the assumptions are worth; see the module."""

    inputs: Inputs
    readings: pd.DataFrame
    created: Mapping[str, date]
    first_seen: Mapping[str, int]
    tasks: Mapping[str, str]
    family: Mapping[str, Mapping[str, str]]
    maker: Mapping[str, str]
    all_time: pd.Series
    histories: Mapping[str, Mapping[str, bounds.History]]
    trials: pd.DataFrame
    calibrated: assume.Calibrated
    calibration: pd.DataFrame
    pooling: shares.Pooling
    pooling_report: pd.DataFrame
    bursts: pd.DataFrame
    _estimates: dict[tuple[str, str, date], pd.DataFrame] = field(default_factory=dict)
    _bounds: dict[tuple[str, str, str], dict[date, bounds.Interval]] = field(default_factory=dict)
    _views: dict[tuple[str, str, date, frozenset[str]], pd.DataFrame] = field(default_factory=dict)
    _shares: dict[tuple[str, date, str, str, str, str], shares.Share] = field(default_factory=dict)
    _members: dict[tuple[str, date, str], frozenset[str]] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        """Lineage, licences, releases and sizes; InputError when none was given."""
        if self.inputs.evidence is None:
            raise InputError("this world was assembled without evidence on lineage and releases")
        return self.inputs.evidence

    def within(self, day: date) -> int:
        """How far off a reading may lie to count as seen on `day`."""
        return self.inputs.anchors.near(day).within

    def estimate(
        self,
        repositories: Iterable[str],
        day: date,
        outlier: str = "in",
        measure: str = "downloads_30d",
    ) -> pd.DataFrame:
        """Intervals of the counters of `repositories` on `day` (see :func:`shares.estimate`).

        `outlier` is ``in`` (counters as read) or ``out`` (bursts put back to level).
        Estimates are kept, so a repository is worked out once a day.
        """
        key = (outlier, measure, day)
        if key not in self._estimates:
            self._estimates[key] = self._fill(outlier, measure, day)
        if isinstance(repositories, frozenset):
            view = (outlier, measure, day, repositories)
            if view not in self._views:
                self._views[view] = self._select(key, sorted(repositories))
            return self._views[view]
        return self._select(key, sorted(set(repositories)))

    def _select(self, key: tuple[str, str, date], wanted: list[str]) -> pd.DataFrame:
        outlier, measure, day = key
        known = self._estimates[key]
        asked = pd.Index(wanted, dtype="object")
        fresh = list(asked[~asked.isin(known.index)])
        if fresh:
            if outlier == "out":
                same = [name for name in fresh if self._same(name)]
                if same:
                    known = pd.concat([known, self.estimate(same, day, "in", measure)])
                    fresh = [name for name in fresh if not self._same(name)]
            if fresh:
                known = pd.concat([known, self._work_out(fresh, outlier, measure, day)])
            self._estimates[key] = known
        return known.loc[wanted]

    def _same(self, name: str) -> bool:
        """Whether no burst of a repository was put back: then both of its histories are one."""
        return self.histories["out"].get(name) is self.histories["in"].get(name)

    def _work_out(self, names: list[str], outlier: str, measure: str, day: date) -> pd.DataFrame:
        return shares.estimate(
            names,
            day,
            self.histories[outlier],
            self.calibrated,
            measure,
            self.within(day),
            {name: self._hard(name, outlier, measure, day) for name in names},
        )

    def _fill(self, outlier: str, measure: str, day: date) -> pd.DataFrame:
        """Work out every repository that a population may ask for, on the declared days."""
        if measure != "downloads_30d" or day not in {a.day for a in self.inputs.anchors.anchor}:
            return self._work_out([], outlier, measure, day)
        if outlier == "out":
            self.estimate((), day, "in", measure)
            table = self._estimates[("in", measure, day)].copy()
            changed = sorted(self.burst_repositories() & set(table.index))
            if changed:
                fresh = self._work_out(changed, outlier, measure, day)
                table = pd.concat([table.drop(index=changed), fresh]).sort_index()
            return table
        return self._work_out(sorted(self._relevant()), outlier, measure, day)

    def _relevant(self) -> set[str]:
        wanted = self._listed()
        for rule in RULES:
            wanted |= set(self.family[rule])
        tasks = {t for p in self.inputs.populations.population for t in p.tasks}
        return wanted | {name for name, task in self.tasks.items() if task in tasks}

    def _hard(self, name: str, outlier: str, measure: str, day: date) -> bounds.Interval:
        """Hard bounds of one repository; worked out for all declared days at once."""
        key = (name, outlier, measure)
        kept = self._bounds.setdefault(key, {})
        if day not in kept:
            history = self.histories[outlier].get(name, bounds.History())
            declared = {anchor.day for anchor in self.inputs.anchors.anchor}
            days = sorted(({day} | declared | set(self.inputs.anchors.also)) - set(kept))
            found = bounds.hard_bounds(
                history,
                [d.toordinal() for d in days],
                measure,
                self.inputs.anchors.corrections,
            )
            kept.update(zip(days, found, strict=True))
        return kept[day]

    def existed(self, repositories: Iterable[str], day: date) -> set[str]:
        """Leave out what was first seen a month or more after `day` and has no day of creation.

        Such a repository may not have existed; those with a day of creation are
        bounded by it.
        """
        limit = day.toordinal() + bounds.WINDOW
        return {
            name
            for name in repositories
            if name in self.created or self.first_seen.get(name, 0) <= limit
        }

    def population(self, name: str, day: date, rule: str) -> frozenset[str]:
        """Repositories of a population on a day, under one reading of 'family'.

        Under ``organisation`` and ``with-reuploads`` the population also holds what
        the rule adds: all repositories of the makers, or the named re-uploads.
        """
        key = (name, day, rule)
        if key not in self._members:
            self._members[key] = frozenset(self._population(name, day, rule))
        return self._members[key]

    def _population(self, name: str, day: date, rule: str) -> set[str]:
        if name.startswith("tracked-"):
            base, makers = set(self._list(name)), None
        else:
            kind = self.inputs.populations.find(name)
            if kind.kind == "hub":
                return self._near(day) | set(self.family[rule])
            if kind.kind == "tasks":
                base = {r for r, task in self.tasks.items() if task in kind.tasks}
                base |= self._listed() & set(self.family["official"])
                makers = None
            else:
                base = set(self._list(self.inputs.anchors.near(day).list_name))
                makers = set(kind.makers) if kind.kind == "makers" else None
        if makers is not None:
            base = {r for r in base if self.maker.get(r) in makers}
        if rule != "official":
            on_list = {self.maker[r] for r in base if r in self.maker} if makers is None else makers
            owner = {f: entry.maker for f, entry in self.inputs.families.families.items()}
            base |= {r for r, own in self.family[rule].items() if owner.get(own) in on_list}
        return self.existed(base, day)

    def _near(self, day: date) -> set[str]:
        """Repositories read within a window of `day`; of the others nothing is known from below."""
        gap = (self.readings["day"] - day.toordinal()).abs()
        return set(self.readings.loc[gap <= bounds.WINDOW, "repository_id"])

    def _list(self, name: str) -> frozenset[str]:
        if name not in self.inputs.lists:
            known = ", ".join(sorted(self.inputs.lists))
            raise InputError(f"no tracked list is called {name!r}; there are: {known}")
        return self.inputs.lists[name]

    def _listed(self) -> set[str]:
        return set().union(*self.inputs.lists.values())

    def share(
        self, population: str, day: date, rule: str, outlier: str, treatment: str, own: str = QWEN
    ) -> shares.Share:
        """Share of family `own` in a population on a day under one treatment of the missing.

        Of populations that our files see only in part (kinds ``hub`` and ``tasks``)
        the rest is known from below only: its upper bound is infinite, the lower
        bound of the share is 0, and the centre is the observed share. Where a snapshot of the
        whole Hub was read near the day, the rest is its sum: exact on its own day, and off it
        under the assumption that fits the gap (for ``hard`` then still from below).
        """
        key = (population, day, rule, outlier, treatment, own)
        if key not in self._shares:
            self._shares[key] = self._share(population, day, rule, outlier, treatment, own)
        return self._shares[key]

    def _share(
        self, population: str, day: date, rule: str, outlier: str, treatment: str, own: str
    ) -> shares.Share:
        family = self.family[rule]
        members = self.population(population, day, rule)
        open_ended = not population.startswith("tracked-") and self.inputs.populations.find(
            population
        ).kind in ("hub", "tasks")
        if not open_ended:
            table = self.estimate(members, day, outlier)
            return shares.share(table, family, own, treatment, self.pooling)
        mine = frozenset(name for name in members if family.get(name) == own)
        part_table = self.estimate(mine, day, outlier)
        rest_table = self.estimate(members - mine, day, outlier)
        part = shares.total(part_table, treatment, self.pooling)
        floor = shares.total(rest_table, "hard" if treatment == "hard" else "absent").lower
        if treatment != "absent":
            floor = max(floor, shares.total(rest_table, "hard").lower)
        rest = shares.Total(floor, floor, float("inf"))
        total = self._total_near(day)
        if total is not None:
            rest = self._rest_of(total, population, day, mine, treatment, outlier, rest)
        value, lower, upper = shares.fraction(part, rest)
        seen = int(part_table["seen"].notna().sum() + rest_table["seen"].notna().sum())
        return shares.Share(value, lower, upper, part, rest, seen, len(members))

    def _total_near(self, day: date) -> HubTotal | None:
        """Return the snapshot of the whole Hub read nearest to a day, near enough to be seen."""
        near = [t for t in self.inputs.totals if abs((t.day - day).days) <= self.within(day)]
        return min(near, key=lambda t: (abs((t.day - day).days), t.day, t.version), default=None)

    def _rest_of(
        self,
        total: HubTotal,
        population: str,
        day: date,
        mine: frozenset[str],
        treatment: str,
        outlier: str,
        known: shares.Total,
    ) -> shares.Total:
        """Return what a population has besides the family, by the sum of a whole snapshot."""
        entry = self.inputs.populations.find(population)
        frame = self.inputs.frames[total.version]
        own = frame["repository_id"].isin(mine)
        every = total.downloads
        if entry.kind == "tasks":
            every = sum(total.by_task.get(task, 0.0) for task in entry.tasks)
            own &= frame["pipeline_tag"].isin(entry.tasks).fillna(False)
        value = every - float(frame.loc[own.fillna(False), "downloads_30d"].fillna(0).sum())
        if outlier == "out":
            # Bursts of others are put back to level as the family's are.
            others = frozenset(self.burst_repositories() - mine)
            value -= sum(
                (one if change == "in" else -one)
                for change in ("in", "out")
                for one in self.estimate(others, day, change)["seen"].fillna(0)
            )
        gap = abs((total.day - day).days)
        if gap == 0 or treatment == "absent":
            return shares.Total(value, value, value)
        if treatment == "hard":
            return shares.Total(value, known.lower, float("inf"))
        near = assume.Nearest(before=(value, gap), after=None)
        bound = self.calibrated.interval(near)
        factor = self.pooling.factors.get(bound.how)
        low, high = (
            (bound.lower, bound.upper) if factor is None else (value / factor, value * factor)
        )
        # What is known of single repositories holds against a sum that says less.
        low = max(low, known.lower)
        return shares.Total(max(value, low), low, max(high, low))

    def coverage(self, table: pd.DataFrame) -> float:
        """Part of the all-time downloads of a population that its repositories seen hold.

        Over the repositories whose all-time counter is known (last reading);
        NaN where none is.
        """
        known = self.all_time.reindex(table.index)
        total = float(known.sum())
        return float(known[table["seen"].notna()].sum()) / total if total else float("nan")

    def excess(self, repositories: Iterable[str], day: date) -> float:
        """Sum the requests above level in the named bursts of `repositories` up to `day`.

        An episode counts with the excess of its peak window (30 days), or, for one
        before the first reading, with all of its excess: a lower estimate of what
        a longer burst added.
        """
        wanted = set(repositories)
        total = 0.0
        for row in self._episodes.itertuples():
            if row.repository_id in wanted and date.fromisoformat(str(row.first)) <= day:
                total += float(str(row.excess))
        return total

    @cached_property
    def _episodes(self) -> pd.DataFrame:
        return outliers.episodes(self.bursts)

    def burst_repositories(self) -> frozenset[str]:
        """Repositories that the burst rule names."""
        return frozenset(str(name) for name in self.bursts["repository_id"])

    def without_generation(
        self, population: str, day: date, outlier: str, prefix: str
    ) -> dict[str, tuple[float, float, float]]:
        """Qwen's share if the repositories of one generation did not exist.

        Parameters
        ----------
        prefix
            Beginning of the repository's name, lower case (``qwen3.5``).

        Returns
        -------
        dict
            Treatment to (value, lower, upper).
        """
        family = self.family["official"]
        members = self.population(population, day, "official")
        kept = frozenset(
            name
            for name in members
            if not (family.get(name) == QWEN and name.split("/", 1)[-1].lower().startswith(prefix))
        )
        table = self.estimate(kept, day, outlier)
        out = {}
        for treatment in ("absent", "pooled"):
            got = shares.share(table, family, QWEN, treatment, self.pooling)
            out[treatment] = (got.value, got.lower, got.upper)
        return out


def assemble(inputs: Inputs) -> World:
    """Put the tables together, calibrate the assumptions, name the bursts."""
    table = readings_module.assemble(inputs.frames, inputs.days)
    created: dict[str, date] = {}
    tasks: dict[str, str] = {}
    first_seen: dict[str, int] = {}
    for name in sorted(inputs.frames):
        frame = inputs.frames[name]
        if "created_at" in frame.columns:
            made = frame.dropna(subset=["created_at"])
            for repository, stamp in zip(made["repository_id"], made["created_at"], strict=True):
                day = stamp.date()
                created[repository] = min(day, created.get(repository, day))
        if "pipeline_tag" in frame.columns:
            tagged = frame.dropna(subset=["pipeline_tag"])
            tasks.update(zip(tagged["repository_id"], tagged["pipeline_tag"], strict=True))
    for repository, seen in table.groupby("repository_id")["day"].min().to_dict().items():
        first_seen[str(repository)] = int(seen)
    # The day of a list version is in its name; being on it is being seen.
    for name, members in sorted(inputs.lists.items()):
        day = date.fromisoformat(name[-10:]).toordinal()
        for repository in members:
            first_seen[repository] = min(day, first_seen.get(repository, day))
    everything = pd.Series(sorted(first_seen), dtype="string")
    family = {
        rule: _mapping(everything, families_module.assign(everything, inputs.families, rule))
        for rule in RULES
    }
    maker = _mapping(everything, families_module.makers(everything, inputs.families))
    heads: dict[int, tuple[int, frozenset[str]]] = {}
    for entry in inputs.heads:
        counters = entry.frame.dropna(subset=["downloads_30d"])
        day = entry.day.toordinal()
        members = frozenset(counters["repository_id"])
        deeper = heads.get(day)
        if deeper is None or len(members) > len(deeper[1]):
            heads[day] = (int(counters["downloads_30d"].min()), members)
    plain = bounds.histories(table, created, heads, first_seen)
    found = outliers.bursts(plain, family["with-reuploads"], inputs.bursts)
    quiet = outliers.without(table, found)
    changed = set(found.loc[found["kind"] == "reading", "repository_id"])
    without = dict(plain)
    without.update(bounds.histories(quiet, created, heads, changed))
    # Bursts put back to level contradict the all-time counter, which still holds them.
    for name in changed:
        without[name] = bounds.History(
            without[name].rolling, (), without[name].ceilings, without[name].created
        )
    rules = inputs.assumptions
    rolling_rows = table[table["measure"] == "downloads_30d"]
    wide = sorted(
        int(str(day))
        for day, size in rolling_rows.groupby("day").size().to_dict().items()
        if size >= rules.wide_day
    )
    rolling = {name: history.rolling for name, history in plain.items() if history.rolling}
    trials = assume.trials(rolling, rules, wide)
    calibrated, calibration = assume.calibrate(trials, rules)
    pooled, pooling = shares.calibrate_sums(trials, calibrated, rules.minimum_groups)
    listed = set().union(*inputs.lists.values())
    calibrated, unread_mean, capping = assume.calibrate_cap(
        trials[trials["repository_id"].isin(listed)], calibrated
    )
    return World(
        inputs=inputs,
        readings=table,
        created=created,
        first_seen=first_seen,
        tasks=tasks,
        family=family,
        maker=maker,
        all_time=_last_all_time(table),
        histories={"in": plain, "out": without},
        trials=trials,
        calibrated=calibrated,
        calibration=pd.concat([calibration, capping], ignore_index=True),
        pooling=shares.Pooling(pooled, unread_mean, rules.large_set),
        pooling_report=pooling,
        bursts=found,
    )


def _last_all_time(table: pd.DataFrame) -> pd.Series:
    """Last reading of the all-time counter by repository."""
    rows = table[table["measure"] == "downloads_all_time"].sort_values("day", kind="stable")
    return rows.drop_duplicates("repository_id", keep="last").set_index("repository_id")["value"]


def _mapping(ids: pd.Series, values: pd.Series) -> dict[str, str]:
    known = values.notna().to_numpy()
    return dict(zip(ids[known].astype("str"), values[known].astype("str"), strict=True))


def head_of(world: World, entry: HeadList, rule: str = "official") -> heads_module.Head:
    """Summarise one head list for Qwen."""
    own = entry.frame["repository_id"].map(world.family[rule])
    return heads_module.read(entry.frame, own.astype("string"), QWEN)
