"""Where the certified provider comes from, and what happens where it cannot be had."""

import json
from pathlib import Path

import pytest

from tests.support.node import PEERS, require_peers


@pytest.fixture
def old_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho 18\n")
    program.chmod(0o755)
    monkeypatch.setenv("NODE", str(program))


def outcome() -> BaseException:
    # Both are caught: an unexpected skip would pass for this test's own.
    both = (pytest.fail.Exception, pytest.skip.Exception)
    with pytest.raises(both, match="no Node 20 or later") as raised:
        require_peers()
    return raised.value


def test_without_a_recent_node_the_test_fails_under_ci(
    old_node: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    assert type(outcome()) is pytest.fail.Exception


def test_without_a_recent_node_the_test_is_left_out_elsewhere(
    old_node: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)

    assert type(outcome()) is pytest.skip.Exception


def test_lock_has_hashes_and_names_no_registry() -> None:
    packages = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}

    assert installed["node_modules/oidc-provider"]["version"] == "9.13.3"
    assert all(one["integrity"].startswith("sha512-") for one in installed.values())
    assert not any("resolved" in one for one in installed.values())
