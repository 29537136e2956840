"""A stack as the engine treats it, without the engine: thousands of runs in the time that one takes there.

A refresh reads everything; then every declared resource is checked, compared, and created or replaced (the new one
before the old one is deleted, unless the old one must go first), and what is not declared any more is deleted at the
end. A create that raises records nothing. A killed run loses the record of its last operation, whose effect may be
there. Every run has a process of its own, and so has the preview before it.

A protected resource is not replaced, which ends the run when it is planned; and not deleted, which ends it there. One
that is retained on delete only leaves the state. A run with targets or excludes checks and deletes nothing else.
"""

from __future__ import annotations

import itertools

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from doors import NativeProvider, seen
from pulumi_cbr_sharing.errors import CbrSharingError, Refused
from pulumi_cbr_sharing.resources.dynamic import PLANNING, PROVIDER


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from inprocess import Run


class Killed(Exception):
    """The process is gone."""


class Protected(Exception):
    """The engine's refusal to replace or delete what is protected."""


@dataclass
class Resource:
    """One resource in the state."""

    name: str
    kind: str
    id: str
    inputs: dict[str, Any]
    outs: dict[str, Any]
    protect: bool = False
    retain: bool = False
    after: frozenset[str] = frozenset()
    half_done: bool = False


@dataclass(frozen=True)
class Options:
    """Options of `pulumi up`, and how the run goes.

    Attributes:
        refresh: whether the state is compared with the cloud first.
        kill_at: the operation after which the process is gone.
        replace: the resource that `--replace` names.
        target, exclude: the resources that `--target` and `--exclude` name.
        dependents: `--target-dependents`: whether those that wait for a target are targets, too.
        continue_on_error: whether the others go on after one has failed.
        planned_first: whether every resource is checked and compared before the first one is made, as where none
            waits for another and the cloud is slow; else each after the one before it is made.
    """

    refresh: bool = False
    kill_at: int = 10_000
    replace: str = ""
    target: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    dependents: bool = False
    continue_on_error: bool = False
    planned_first: bool = False

    def chosen(self, waiting: Mapping[str, Collection[str]]) -> set[str]:
        """The resources that the run has to do with, of some, each with those for which it waits."""
        targets = set(self.target or waiting)
        while self.dependents and (more := {one for one in waiting if targets & {*waiting[one]}} - targets):
            targets |= more
        return (targets & waiting.keys()) - self.exclude


@dataclass
class Stack:
    """A program and a state, as the engine has them.

    Attributes:
        program: kind and inputs by name.
        protected, retained, deleted_first: the resources of the program that have `protect`, `retain_on_delete`, or
            `delete_before_replace`.
        aliases: former names of resources of the program.
        waits: pairs of resources of the program, of which the first waits for the second.
        state: the resources, older ones first.
        tried: shares that a create or an update may have made without being recorded.
        left: shares that were retained when their resources left the state.
    """

    program: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    retained: set[str] = field(default_factory=set)
    deleted_first: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    waits: set[tuple[str, str]] = field(default_factory=set)
    state: list[Resource] = field(default_factory=list)
    tried: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)

    def up(self, run: Run, options: Options) -> None:
        """One `pulumi up`; it ends with the first error, and a killed one forgets what it was doing."""
        steps = itertools.count()

        def survive() -> None:
            if next(steps) == options.kill_at:
                raise Killed

        if options.refresh:
            self.refresh(run, options)
        chosen = self.chosen(options)
        names = [name for name in self.order() if name in chosen]
        plans = (self._plan(run, name, survive, anew=name == options.replace) for name in names)
        errors = _carried_out(list(plans) if options.planned_first else plans, options)
        chosen = options.chosen({one.name: one.after for one in self.state})
        leaving = [partial(self._delete, run, old, survive) for old in self._leftovers() if old.name in chosen]
        for error in (*errors, *_carried_out(leaving, options)):
            raise error

    def order(self) -> list[str]:
        """The resources as the program makes them: those that accept come after those that share."""
        return sorted(self.program, key=lambda name: (kind_of(self.program[name][0]) == "accepter", name))

    def chosen(self, options: Options) -> set[str]:
        """The resources of the program that a run has to do with."""
        return options.chosen({name: self._after(name) for name in self.program})

    def _after(self, name: str) -> frozenset[str]:
        """Those that a resource waits for: an accepter for those that share its backup, another one as it is told."""
        kind, inputs = self.program[name]
        if kind_of(kind) != "accepter":
            return frozenset(other for one, other in self.waits if one == name and other < name)
        backup = inputs["backup_id"]
        others = {other: given for other, (what, given) in self.program.items() if kind_of(what) != "accepter"}
        return frozenset(other for other, given in others.items() if given["backup_id"] == backup)

    def preview(self, run: Run, *, refresh: bool) -> None:
        """One `pulumi preview`; its process is not that of the update.

        Raises:
            Refused, Protected: the plan fails, so that `pulumi up` ends here.
        """
        plan = replace(self, state=[replace(one) for one in self.state])
        if refresh:
            plan.refresh(run)
        for name in plan.order():
            plan._plan(run, name, lambda: None, anew=False, planning=True)
        for old in plan._leftovers():
            plan._raise_if_protected(old)

    def refresh(self, run: Run, options: Options | None = None) -> None:
        """One `pulumi refresh`."""
        chosen = (options or Options()).chosen({one.name: one.after for one in self.state})
        for old in [one for one in self.state if one.name in chosen]:
            provider = run.provider(old.kind)
            live = provider.read(old.id, old.outs)
            if live.id:
                old.outs = recorded_of(provider, live)
                provider.diff(old.id, old.outs, old.inputs)
            else:
                self.state.remove(old)

    def destroy(self, run: Run) -> None:
        """One `pulumi destroy`; those that accept depend on those that share."""
        for old in sorted(self.state, key=lambda one: kind_of(one.kind) != "accepter"):
            self._delete(run, old, lambda: None)

    def recorded(self, name: str) -> Resource | None:
        """What the state has of a resource of the program; one of the same name and another kind is another one."""
        kind = self.program[name][0]
        names = [name, *([alias] if (alias := self.aliases.get(name)) and alias not in self.program else [])]
        found = [one for alias in names for one in reversed(self.state) if is_same(one, alias, kind)]
        return found[0] if found else None

    def _leftovers(self) -> list[Resource]:
        """No longer declared, or replaced by a newer one of the same name."""
        kept = [self.recorded(name) for name in self.program]
        return [one for one in self.state if not any(one is other for other in kept)]

    def _plan(
        self, run: Run, name: str, survive: Callable[[], None], *, anew: bool, planning: bool = False
    ) -> Callable[[], None]:
        """Check a resource and compare it with the state; what is to be done is done when the result is called."""
        kind, inputs = self.program[name]
        provider, old = run.provider(kind), self.recorded(name)
        _check(provider, old.inputs if old else {}, inputs, planning=planning)
        create = partial(self._create, provider, name, survive)
        if old is None:
            return create
        # The engine may compare without doing anything about it.
        provider.diff(old.id, old.outs, {**inputs, "backup_id": "what if"})
        diff = provider.diff(old.id, old.outs, inputs)
        if not (diff.replaces or anew):
            return partial(self._keep, provider, name, old, survive, changed=bool(diff.changes) or old.half_done)
        if old.protect and name in self.protected:
            raise Protected(f"unable to replace {name}")
        _check(provider, {}, inputs, planning=planning)  # as the engine does for what is made anew
        if diff.delete_before_replace or name in self.deleted_first:
            return partial(self._make_anew, run, old, create, survive)
        return create

    def _make_anew(self, run: Run, old: Resource, create: Callable[[], None], survive: Callable[[], None]) -> None:
        self._delete(run, old, survive, replaced=True)
        create()

    def _keep(self, provider: Any, name: str, old: Resource, survive: Callable[[], None], *, changed: bool) -> None:
        """Update a resource, or record what the program says of it now."""
        _, inputs = self.program[name]
        if changed:
            trying = shares_of(inputs) - shares_of(old.inputs) - self.tried
            self.tried |= trying
            with self._half_done(old, name):
                outs = recorded_of(provider, provider.update(old.id, old.outs, inputs))
            survive()
            self.tried -= trying
            old.outs, old.half_done = outs, False
        self._say(old, name)

    def _create(self, provider: Any, name: str, survive: Callable[[], None]) -> None:
        kind, inputs = self.program[name]
        trying = shares_of(inputs) - self.tried
        self.tried |= trying
        new = Resource(name, kind, "", inputs, {})
        with self._half_done(new, name):
            made = provider.create(dict(inputs))
        survive()
        self.tried -= trying
        new.id, new.outs = made.id, recorded_of(provider, made)
        self._say(new, name)
        self.state.append(new)

    def _say(self, one: Resource, name: str) -> None:
        """Record what the program says of a resource."""
        one.name, (one.kind, one.inputs) = name, self.program[name]
        one.protect, one.retain, one.after = name in self.protected, name in self.retained, self._after(name)

    @contextmanager
    def _half_done(self, one: Resource, name: str) -> Iterator[None]:
        """The native plugin says what was made before it failed, and the state records that."""
        try:
            yield
        except CbrSharingError as error:
            if half := getattr(error, "seen", None) and seen(error).made:
                one.id, one.outs, one.half_done = half.id, half.outs, True
                self._say(one, name)
                self.state += [] if any(one is other for other in self.state) else [one]
            raise

    def _delete(self, run: Run, old: Resource, survive: Callable[[], None], *, replaced: bool = False) -> None:
        if not replaced:
            self._raise_if_protected(old)
        if old.retain:
            self.left |= shares_of(old.inputs)
        else:
            run.provider(old.kind).delete(old.id, old.outs)
        survive()
        self.state.remove(old)

    def _raise_if_protected(self, old: Resource) -> None:
        """What has been replaced was allowed to be."""
        newest = [one for one in self.state if is_same(one, old.name, old.kind)][-1]
        if old.protect and newest is old:
            raise Protected(f"unable to delete {old.name}")


def is_same(one: Resource, name: str, kind: str) -> bool:
    """Whether a resource in the state is the one of this name and kind: the connection is not part of either."""
    return (one.name, kind_of(one.kind)) == (name, kind_of(kind))


def kind_of(kind: str) -> str:
    """A kind of resource without its connection."""
    return kind.partition("@")[0]


def shares_of(inputs: dict[str, Any]) -> set[tuple[str, str]]:
    """Backup and recipient of each share that a resource declares; none if it accepts one."""
    if "vault_id" in inputs:
        return set()
    projects = inputs["dest_project_ids"] if "dest_project_ids" in inputs else [inputs["dest_project_id"]]
    return {(inputs["backup_id"], project) for project in projects}


def shares_of_all(resources: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """The same of the inputs of many resources."""
    return set().union(*map(shares_of, resources))


def recorded_of(provider: Any, answer: Any) -> dict[str, Any]:
    """The properties that the state records: the dynamic plugin adds the provider."""
    return {**answer.outs, **({} if isinstance(provider, NativeProvider) else {PROVIDER: "its pickle"})}


def share_ids(resources: Iterable[Resource]) -> set[str]:
    """The recorded ids of the shares of members, whose names differ from door to door."""
    names = ("share_id", "shareId")
    return {one.outs[name] for one in resources for name in names if name in one.outs}


def _check(provider: Any, olds: dict[str, Any], inputs: dict[str, Any], *, planning: bool) -> None:
    """What the plan refuses ends the run."""
    news = {**inputs, PLANNING: True} if planning else dict(inputs)
    if failures := provider.check(dict(olds), news).failures:
        raise Refused(str([(failure.property, failure.reason) for failure in failures]))


def _carried_out(steps: Iterable[Callable[[], None]], options: Options) -> list[CbrSharingError]:
    errors = []
    for step in steps:
        try:
            step()
        except CbrSharingError as error:  # noqa: PERF203 - the others go on
            if not options.continue_on_error:
                raise
            errors.append(error)
    return errors
