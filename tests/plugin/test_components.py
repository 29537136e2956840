"""VaultShare and ReceivedBackups as the plugin constructs them: what they register with the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi.runtime.proto import alias_pb2, provider_pb2

from clouds import environment
from native import ACCEPTER, MEMBER, PROVIDER, Failed, Native, secret, urn_of
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


VAULT_SHARE, RECEIVED = "cbr-sharing:index:VaultShare", "cbr-sharing:index:ReceivedBackups"


def window(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """The newest backup of each server in the sharer's vault, shared with the recipient."""
    given = {"vaultId": emulator.vault("sharer").id, "destProjectIds": [emulator.account("recipient").project_id]}
    return {**given, "keep": 1, **changes}


def test_a_window_is_declared_as_children_of_the_same_provider(emulator: Emulator) -> None:
    """The component first, so that messages have a place; without the reference, children get another process."""
    recipient = emulator.account("recipient").project_id
    with Native() as run:
        found = run.construct(VAULT_SHARE, window(emulator))
        component, *children = run.monitor.registered
    assert (component.type, component.custom) == (VAULT_SHARE, False)
    assert dict(component.providers) == {"cbr-sharing": f"{PROVIDER}::its-id"}
    assert found["backupIds"]
    assert found["shares"] == {f"{backup}/{recipient}": "pending" for backup in found["backupIds"]}
    assert set(found["newestAt"].values())
    assert {child.name for child in children} == {f"nightly-{backup}-{recipient}" for backup in found["backupIds"]}
    for child in children:
        assert (child.type, child.custom, child.parent) == (MEMBER, True, urn_of(VAULT_SHARE, "nightly"))
        assert child.provider == f"{PROVIDER}::its-id"
        assert child.aliases[0].spec.type == "pulumi-python:dynamic/huaweicloud/cbr:BackupShareMember"
        assert child.aliasSpecs


def test_a_proxy_is_not_asked_for_the_engine(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on this machine, whatever the environment says."""
    with Native() as run:
        monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:9")
        assert run.construct(VAULT_SHARE, window(emulator))["backupIds"]


def test_in_a_preview_the_provider_has_no_id_yet(emulator: Emulator) -> None:
    """The engine then writes it as not known, in the reference, too."""
    with Native(preview=True) as run:
        run.call("Configure", provider_pb2.ConfigureRequest(urn=PROVIDER))
        run.construct(VAULT_SHARE, window(emulator))
    assert {child.provider for child in run.monitor.registered[1:]} == {f"{PROVIDER}::{NOT_KNOWN}"}


def test_options_reach_the_component_and_time_outs_the_children(emulator: Emulator) -> None:
    """The engine hands protection down by itself, but not the time-outs; dependencies are those of all arguments."""
    before = urn_of("some:index:Vault", "vault")
    with Native() as run:
        run.construct(
            VAULT_SHARE,
            window(emulator),
            protect=True,
            retainOnDelete=True,
            aliases=[alias_pb2.Alias(spec=alias_pb2.Alias.Spec(name="earlier"))],
            customTimeouts=provider_pb2.ConstructRequest.CustomTimeouts(create="7s"),
            inputDependencies={"vaultId": provider_pb2.ConstructRequest.PropertyDependencies(urns=[before])},
        )
    component, child, *_ = run.monitor.registered
    assert component.protect
    assert component.retainOnDelete
    assert component.aliases[0].spec.name == "earlier"
    assert child.customTimeouts.create == "7s"
    assert list(child.dependencies) == [before]
    assert not child.HasField("protect")


def test_secrets_stay_secret_in_children_and_outputs(emulator: Emulator) -> None:
    """The names of the children show the recipient all the same, as in the other door."""
    recipient = emulator.account("recipient").project_id
    with Native() as run:
        found = run.construct(VAULT_SHARE, window(emulator, destProjectIds=secret([recipient])))
        child = run.monitor.registered[1]
    assert found["shares"] == secret(found["shares"]["value"])
    assert child.object["destProjectId"]["value"] == recipient


def test_an_argument_that_is_not_known_yet_is_told(emulator: Emulator) -> None:
    """The preview knows nothing of the window, lists what is there as to be deleted, and says why."""
    with Native(preview=True) as run:
        found = run.construct(VAULT_SHARE, window(emulator, destProjectIds=[NOT_KNOWN]))
        (told,) = [line for line in run.said if line.severity == "WARNING"]
    assert set(found.values()) == {NOT_KNOWN}
    assert len(run.monitor.registered) == 1
    assert told.urn == urn_of(VAULT_SHARE, "nightly")
    assert "not known yet" in told.text
    assert list(emulator.requests) == []


@pytest.mark.differs("`VaultShare(accept_into=…)`", "native")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kep": 2}, "there is no property kep"),
        ({"acceptInto": "x"}, "there is no property acceptInto"),
        ({"vaultId": None}, "it is missing"),
        ({"vaultId": "x"}, "vaultId"),
        ({"destProjectIds": []}, "allowEmpty=true"),
        ({"keep": 0}, "give a number of backups, 1 or more"),
        ({"keep": 1.5}, "give a number of backups, 1 or more"),
        ({"olderThan": "soon"}, "olderThan is 'soon': give a time"),
        ({"maxAge": "2026-01-31T00:00:00Z"}, "maxAge is a time: give an age"),
        ({"onStale": "panic"}, "onStale"),
        ({"namePrefix": "nothing begins so"}, "there is nothing to share"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(emulator: Emulator, changes: dict[str, Any], told: str) -> None:
    """The engine checks none of them; no child is declared, so that no share is cancelled."""
    with Native() as run, pytest.raises(Failed) as error:
        run.construct(VAULT_SHARE, window(emulator, **changes))
    text = f"{error.value} {error.value.problems}"
    assert told in text
    assert "\n" not in str(error.value)
    assert [one.type for one in run.monitor.registered if one.custom] == []


@pytest.mark.differs("ages of windows", "native")
@pytest.mark.parametrize("rule", [{"olderThan": "0h"}, {"newerThan": "5w"}, {"newerThan": "2019-01-31T00:00:00Z"}])
def test_times_and_ages_are_texts(emulator: Emulator, rule: dict[str, Any]) -> None:
    """RFC 3339, or days, hours and weeks."""
    with Native() as run:
        assert run.construct(VAULT_SHARE, window(emulator, **rule))["backupIds"]


def test_a_window_that_is_too_old_is_told_or_refused_after_it_was_declared(emulator: Emulator) -> None:
    """So that new backups are shared all the same."""
    emulator.pass_time(days=3)
    with Native() as run:
        run.construct(VAULT_SHARE, window(emulator, maxAge="26h"))
        assert "WARNING" in {line.severity for line in run.said}
        with pytest.raises(Failed, match="old"):
            run.construct(VAULT_SHARE, window(emulator, maxAge="26h", onStale="error"), name="strict")
    assert [one.name for one in run.monitor.registered if one.custom and one.name.startswith("strict")]


def test_a_child_that_failed_is_left_out(emulator: Emulator) -> None:
    """Where the run goes on after errors; the others are there."""
    emulator.back_up()
    with Native() as run:
        run.monitor.refused = emulator.account("bystander").project_id
        projects = [emulator.account(name).project_id for name in ("recipient", "bystander")]
        found = run.construct(VAULT_SHARE, window(emulator, destProjectIds=projects))
    assert {key.partition("/")[2] for key in found["shares"]} == {projects[0]}


@pytest.mark.slow
def test_more_components_than_a_pool_usually_has_threads(emulator: Emulator) -> None:
    """Each holds a thread while its children need others: with a pool of 64, seventy would wait for ever."""
    with Native() as run:
        names = [f"nightly-{number}" for number in range(80)]
        run.at_once(*(lambda name=name: run.construct(VAULT_SHARE, window(emulator), name=name) for name in names))
    assert len({one.name for one in run.monitor.registered if not one.custom}) == 80


@pytest.mark.differs("several vaults of `ReceivedBackups`", "native")
def test_what_is_received_is_declared_as_acceptances(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An offer is accepted into the vault that has room; the accepter knows that the lookup saw it."""
    for name, value in environment(emulator, "recipient").items():
        monkeypatch.setenv(name, value)
    emulator.add_member(emulator.backup.id, emulator.account("recipient").project_id)
    vault = emulator.vault("recipient").id
    with Native() as run:
        given = {"vaultIds": [vault], "ownerProjectIds": [emulator.account("sharer").project_id]}
        found = run.construct(RECEIVED, given)
        child = run.monitor.registered[1]
    assert found["backupIds"] == [emulator.backup.id]
    assert found["accepted"] == {emulator.backup.id: "pending"}
    assert (child.type, child.name) == (ACCEPTER, f"nightly-{emulator.backup.id}")
    assert (child.object["vaultId"], child.object["pending"]) == (vault, True)
