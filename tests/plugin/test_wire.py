from __future__ import annotations

import pytest

from native import secret, struct
from pulumi_cbr_sharing.plugin.semver import semver
from pulumi_cbr_sharing.plugin.wire import plain, secrets_in, struct_of
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, MemberInputs, SetInputs, camel, known


@pytest.mark.parametrize(
    ("python", "semantic"),
    [
        ("0.1.0", "0.1.0"),
        ("0.2", "0.2.0"),
        ("1", "1.0.0"),
        ("0.2.0rc1", "0.2.0-rc.1"),
        ("0.2.0a2", "0.2.0-alpha.2"),
        ("0.2.0b3", "0.2.0-beta.3"),
        ("0.2.0.dev1", "0.2.0-dev.1"),
        ("0.2.0rc1.dev4", "0.2.0-rc.1.dev.4"),
        ("0.2.0.post1", "0.2.0+post.1"),
        ("0.2.0.dev1+gabc123", "0.2.0-dev.1+gabc123"),
        ("00.01.02", "0.1.2"),
    ],
)
def test_versions_of_python_packages_become_semantic_ones(python: str, semantic: str) -> None:
    """The engine refuses `0.2.0rc1`, and then nothing runs."""
    assert semver(python) == semantic


@pytest.mark.parametrize("text", ["", "one", "1!0.1", "1.2.3.4", "0.1.0-rc.1"])
def test_what_has_no_semantic_version_is_refused(text: str) -> None:
    """Rather than handed to the engine."""
    with pytest.raises(ValueError, match="is not the version of a package"):
        semver(text)


def test_secrets_are_read_at_any_depth_and_marked_where_they_come_back() -> None:
    """Whatever shows a secret text is secret, too: in a list, or as a key of a map."""
    given = struct({"destProjectIds": ["plain", secret("hidden")], "backupId": "b"})

    assert plain(given) == {"destProjectIds": ["plain", "hidden"], "backupId": "b"}
    assert secrets_in(given) == {"hidden"}
    out = struct_of({"statuses": {"hidden": "pending"}, "destProjectIds": ["hidden"], "backupId": "b"}, {"hidden"})
    assert plain(out) == {"statuses": {"hidden": "pending"}, "destProjectIds": ["hidden"], "backupId": "b"}
    assert out["statuses"]["value"]["hidden"] == "pending"
    assert out["backupId"] == "b"


def test_a_secret_that_is_not_known_yet_is_not_a_text_to_hide() -> None:
    """Otherwise every unknown output would be secret."""
    assert secrets_in(struct({"backupId": secret(NOT_KNOWN)})) == set()


def test_properties_have_the_names_of_either_door() -> None:
    """A state of the dynamic door has Python's names."""
    for names in ({"backupId": "b", "destProjectId": NOT_KNOWN}, {"backup_id": "b", "dest_project_id": NOT_KNOWN}):
        assert known(MemberInputs, names) == MemberInputs(backup_id="b", dest_project_id=NOT_KNOWN)


def test_unknown_values_go_there_and_back_also_in_a_list() -> None:
    """As the engine's mark."""
    inputs = known(SetInputs, {"backupId": "b", "destProjectIds": ["p", NOT_KNOWN]})
    assert inputs.dest_project_ids == ["p", NOT_KNOWN]
    assert plain(struct_of({"destProjectIds": inputs.dest_project_ids})) == {"destProjectIds": ["p", NOT_KNOWN]}


@pytest.mark.parametrize(
    ("python", "wire"), [("backup_id", "backupId"), ("status", "status"), ("dest_project_ids", "destProjectIds")]
)
def test_names_on_the_wire(python: str, wire: str) -> None:
    """As every Pulumi package has them."""
    assert camel(python) == wire
