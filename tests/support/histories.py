"""A stack as the engine treats it, without the engine: thousands of runs in the time that one takes there.

A refresh reads everything; then every declared resource is checked, compared, and created or replaced (the new one
before the old one is deleted, unless the old one must go first), and what is not declared any more is deleted at the
end. A create that raises records nothing. A killed run loses the record of its last operation, whose effect may be
there. Every run has a process of its own, and so has the preview before it.

A protected resource is not replaced, which ends the run when it is planned; and not deleted, which ends it there.
"""

from __future__ import annotations

import itertools

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.resources.dynamic import PLANNING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inprocess import Run
    from pulumi_cbr_sharing.resources.dynamic import CbrProvider


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


@dataclass
class Stack:
    """A program and a state, as the engine has them.

    Attributes:
        program: kind and inputs by name.
        protected: the resources of the program that it protects.
        state: the resources, older ones first.
        tried: shares that a create or an update may have made without being recorded.
    """

    program: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    state: list[Resource] = field(default_factory=list)
    tried: set[tuple[str, str]] = field(default_factory=set)

    def up(
        self, run: Run, *, refresh: bool, kill_at: int = 10_000, replace: str = "", planned_first: bool = False
    ) -> None:
        """One `pulumi up`; it ends with the first error, and a killed one forgets what it was doing.

        Args:
            run: the process.
            refresh: whether the state is compared with the cloud first.
            kill_at: the operation after which the process is gone.
            replace: the resource that `--replace` names.
            planned_first: whether every resource is checked and compared before the first one is made, as where none
                waits for another and the cloud is slow; else each after the one before it is made.
        """
        steps = itertools.count()

        def survive() -> None:
            if next(steps) == kill_at:
                raise Killed

        if refresh:
            self.refresh(run)
        plans = (self._plan(run, name, survive, anew=name == replace) for name in list(self.program))
        for carry_out in list(plans) if planned_first else plans:
            carry_out()
        for old in self._leftovers():
            self._delete(run, old, survive)

    def preview(self, run: Run, *, refresh: bool) -> None:
        """One `pulumi preview`; its process is not that of the update.

        Raises:
            Refused, Protected: the plan fails, so that `pulumi up` ends here.
        """
        plan = replace(self, state=[replace(one) for one in self.state])
        if refresh:
            plan.refresh(run)
        for name in plan.program:
            plan._plan(run, name, lambda: None, anew=False, planning=True)
        for old in plan._leftovers():
            plan._raise_if_protected(old)

    def refresh(self, run: Run) -> None:
        """One `pulumi refresh`."""
        for old in list(self.state):
            provider = run.providers[old.kind]
            live = provider.read(old.id, old.outs)
            if live.id:
                old.outs = dict(live.outs or {})
                provider.diff(old.id, old.outs, old.inputs)
            else:
                self.state.remove(old)

    def destroy(self, run: Run) -> None:
        """One `pulumi destroy`."""
        for old in list(self.state):
            self._delete(run, old, lambda: None)

    def recorded(self, name: str) -> Resource | None:
        """What the state has of a resource of the program; one of the same name and another kind is another one."""
        kind = self.program[name][0]
        return next((one for one in reversed(self.state) if is_same(one, name, kind)), None)

    def _leftovers(self) -> list[Resource]:
        """No longer declared, or replaced by a newer one of the same name."""
        kept = [self.recorded(name) for name in self.program]
        return [one for one in self.state if not any(one is other for other in kept)]

    def _plan(
        self, run: Run, name: str, survive: Callable[[], None], *, anew: bool, planning: bool = False
    ) -> Callable[[], None]:
        """Check a resource and compare it with the state; what is to be done is done when the result is called."""
        kind, inputs = self.program[name]
        provider, old = run.providers[kind], self.recorded(name)
        _check(provider, old.inputs if old else {}, inputs, planning=planning)
        create = partial(self._create, provider, name, survive)
        if old is None:
            return create
        # The engine may compare without doing anything about it.
        provider.diff(old.id, old.outs, {**inputs, "backup_id": "what if"})
        diff = provider.diff(old.id, old.outs, inputs)
        if not (diff.replaces or anew):
            return partial(self._keep, provider, name, old, survive, changed=bool(diff.changes))
        if old.protect and name in self.protected:
            raise Protected(f"unable to replace {name}")
        _check(provider, {}, inputs, planning=planning)  # as the engine does for what is made anew
        assert not diff.delete_before_replace, "not modelled"
        return create

    def _keep(
        self, provider: CbrProvider[Any], name: str, old: Resource, survive: Callable[[], None], *, changed: bool
    ) -> None:
        """Update a resource, or record what the program says of it now."""
        kind, inputs = self.program[name]
        if changed:
            trying = shares_of(inputs) - shares_of(old.inputs) - self.tried
            self.tried |= trying
            outs = dict(provider.update(old.id, old.outs, inputs).outs or {})
            survive()
            self.tried -= trying
            old.outs = outs
        old.kind, old.inputs, old.protect = kind, inputs, name in self.protected

    def _create(self, provider: CbrProvider[Any], name: str, survive: Callable[[], None]) -> None:
        kind, inputs = self.program[name]
        trying = shares_of(inputs) - self.tried
        self.tried |= trying
        made = provider.create(dict(inputs))
        survive()
        self.tried -= trying
        self.state.append(Resource(name, kind, made.id, inputs, dict(made.outs or {}), name in self.protected))

    def _delete(self, run: Run, old: Resource, survive: Callable[[], None]) -> None:
        self._raise_if_protected(old)
        run.providers[old.kind].delete(old.id, old.outs)
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
    return kind.removesuffix("@dr")


def shares_of(inputs: dict[str, Any]) -> set[tuple[str, str]]:
    """Backup and recipient of each share that a resource declares."""
    projects = inputs["dest_project_ids"] if "dest_project_ids" in inputs else [inputs["dest_project_id"]]
    return {(inputs["backup_id"], project) for project in projects}


def shares_of_all(resources: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """The same of the inputs of many resources."""
    return set().union(*map(shares_of, resources))


def _check(provider: CbrProvider[Any], olds: dict[str, Any], inputs: dict[str, Any], *, planning: bool) -> None:
    """What the plan refuses ends the run."""
    news = {**inputs, PLANNING: True} if planning else dict(inputs)
    if failures := provider.check(dict(olds), news).failures:
        raise Refused(str([(failure.property, failure.reason) for failure in failures]))
