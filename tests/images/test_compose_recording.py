"""The tests of the recording, with MLflow on PostgreSQL in containers, and a storm that kills the database as well."""

import os
import time
from pathlib import Path

import pytest

from labs.kit import catalogue, places, rest
from labs.kit.plan import Trial, plan
from labs.kit.shipper import Shipped, ship_all
from labs.kit.stack import Stack, build
from tests.faults import light, test_mlflow_away
from tests.faults.audit import audit_lab
from tests.faults.server import Server
from tests.faults.storm import Storm
from tests.images.project import Project, Tracking
from tests.kit import test_shipper
from tests.kit.records import trial, write

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("home")]

_SQLITE = "test_a_database_set_back_a_day_gets_what_it_lacks"  # copies the database's file
SAME = {
    name: test
    for module in (test_mlflow_away, test_shipper)
    for name, test in vars(module).items()
    if name.startswith("test_") and name != _SQLITE
}
globals().update(SAME)


@pytest.fixture(scope="module")
def stacks() -> Path:
    """Those of this checkout, with the one of the light lab built."""
    build(Stack("tabular"))
    return places.home() / "stacks"


@pytest.fixture
def server(project: Project) -> Server:
    """MLflow on PostgreSQL."""
    return Tracking(project)


@pytest.fixture
def broken(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, to be killed."""
    monkeypatch.setenv("GAPLAB_TRACKING_URI", server.uri)
    return server


@pytest.fixture
def planned(request: pytest.FixtureRequest) -> Trial:
    """A trial of a lab that no other test on the same server has."""
    return trial(lab=f"foundations/{request.node.name}"[:200])


def test_the_tests_are_those_of_the_recording() -> None:
    """None was lost by a new name."""
    assert len(SAME) > 25


def test_a_server_whose_database_is_killed_goes_on_when_it_is_back(project: Project, server: Server) -> None:
    """The server itself is not started again."""
    trials = [trial(lab="foundations/database_gone", seed=seed) for seed in range(2)]
    write(trials[0], {"mean_reward": 0.5}, [(1, {"reward": 0.25})])
    assert not ship_all(server.uri).problems
    project.kill_database()
    write(trials[1], {"mean_reward": 0.5}, [(1, {"reward": 0.25})])
    until = time.monotonic() + 30
    while ship_all(server.uri).away and time.monotonic() < until:
        time.sleep(1)
    audit_lab(server.uri, trials[0].lab, trials)


class Database(Storm):
    """Strikes the database as well."""

    project: Project

    def _kill_database(self) -> bool:
        self.project.kill_database()
        return True


def test_after_a_storm_each_trial_is_recorded_once(
    project: Project, broken: Server, stacks: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "stacks").symlink_to(stacks)
    light.write(tmp_path / "labs")
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path / "labs"))
    shares = {"kill_trial": 4, "kill_command": 1, "kill_shipper": 2, "kill_server": 1, "kill_database": 2}
    storm = Database(broken, light.LAB, seeds=5, seed=int(os.environ.get("GAPLAB_STORM", "0")), shares=shares)
    storm.project = project
    storm.blow(10)
    trials = plan([catalogue.read(tmp_path / "labs" / light.LAB)], "full", seeds=storm.seeds)
    assert ship_all(broken.uri).problems == []
    assert ship_all(broken.uri) == Shipped()
    audit_lab(broken.uri, light.LAB, trials)
    assert rest.Mlflow(broken.uri).experiment(light.LAB)
