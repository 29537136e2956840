"""A stack as the engine treats it, without the engine: thousands of runs in the time that one takes there.

A refresh reads everything; then every declared resource is checked, compared, and created or replaced (the new one
before the old one is deleted, unless the old one must go first), and what is not declared any more is deleted at the
end. A create that raises records nothing. A killed run loses the record of its last operation, whose effect may be
there. Every run has a process of its own.
"""

from __future__ import annotations

import itertools

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import Refused


if TYPE_CHECKING:
    from inprocess import Run
    from pulumi_cbr_sharing.resources.dynamic import CbrProvider


class Killed(Exception):
    """The process is gone."""


@dataclass
class Resource:
    """One resource in the state."""

    name: str
    kind: str
    id: str
    inputs: dict[str, Any]
    outs: dict[str, Any]


@dataclass
class Stack:
    """A program and a state, as the engine has them.

    Attributes:
        program: kind and inputs by name.
        state: the resources, older ones first.
        tried: shares that a create or an update may have made without being recorded.
    """

    program: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    state: list[Resource] = field(default_factory=list)
    tried: set[tuple[str, str]] = field(default_factory=set)

    def up(self, run: Run, *, refresh: bool, kill_at: int = 10_000, replace: str = "") -> None:
        """One `pulumi up`; it ends with the first error, and a killed one forgets what it was doing.

        Args:
            run: the process.
            refresh: whether the state is compared with the cloud first.
            kill_at: the operation after which the process is gone.
            replace: the resource that `--replace` names.
        """
        steps = itertools.count()

        def survive() -> None:
            if next(steps) == kill_at:
                raise Killed

        if refresh:
            self.refresh(run)
        for name, (kind, inputs) in self.program.items():
            self._settle(run, name, kind, inputs, survive, replace=name == replace)
        for old in [old for old in self.state if self._is_leftover(old)]:
            self._delete(run, old, survive)

    def refresh(self, run: Run) -> None:
        """One `pulumi refresh`."""
        for old in list(self.state):
            provider = provider_of(run, old.kind)
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

    def _is_leftover(self, old: Resource) -> bool:
        """No longer declared, or replaced by a newer one of the same name."""
        newest = [one for one in self.state if one.name == old.name][-1]
        return old.name not in self.program or self.program[old.name][0] != old.kind or newest is not old

    def _settle(self, run: Run, name: str, kind: str, inputs: dict[str, Any], survive: Any, *, replace: bool) -> None:
        provider = provider_of(run, kind)
        old = next((one for one in reversed(self.state) if (one.name, one.kind) == (name, kind)), None)
        self._check(provider, old.inputs if old else {}, inputs)
        if old is None:
            self._create(provider, name, kind, inputs, survive)
            return
        # The engine may compare without doing anything about it.
        provider.diff(old.id, old.outs, {**inputs, "backup_id": "what if"})
        diff = provider.diff(old.id, old.outs, inputs)
        if diff.replaces or replace:
            self._check(provider, {}, inputs)  # as the engine does for what is made anew
            if diff.delete_before_replace:
                self._delete(run, old, survive)
            self._create(provider, name, kind, inputs, survive)
        elif diff.changes:
            trying = shares_of(inputs) - shares_of(old.inputs) - self.tried
            self.tried |= trying
            outs = dict(provider.update(old.id, old.outs, inputs).outs or {})
            survive()
            self.tried -= trying
            old.inputs, old.outs = inputs, outs

    def _check(self, provider: CbrProvider[Any], olds: dict[str, Any], inputs: dict[str, Any]) -> None:
        """What the plan refuses ends the run."""
        if failures := provider.check(dict(olds), dict(inputs)).failures:
            raise Refused(str([(failure.property, failure.reason) for failure in failures]))

    def _create(self, provider: CbrProvider[Any], name: str, kind: str, inputs: dict[str, Any], survive: Any) -> None:
        trying = shares_of(inputs) - self.tried
        self.tried |= trying
        made = provider.create(dict(inputs))
        survive()
        self.tried -= trying
        self.state.append(Resource(name, kind, made.id, inputs, dict(made.outs or {})))

    def _delete(self, run: Run, old: Resource, survive: Any) -> None:
        provider_of(run, old.kind).delete(old.id, old.outs)
        survive()
        self.state.remove(old)


def shares_of(inputs: dict[str, Any]) -> set[tuple[str, str]]:
    """Backup and recipient of each share that a resource declares."""
    projects = inputs["dest_project_ids"] if "dest_project_ids" in inputs else [inputs["dest_project_id"]]
    return {(inputs["backup_id"], project) for project in projects}


def provider_of(run: Run, kind: str) -> CbrProvider[Any]:
    """The provider of a kind of resource."""
    return run.providers[kind]
