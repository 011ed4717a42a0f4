"""The Docker engine ended and started again while trials run: one of this test's own."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from labs.kit import spool
from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.engines import Ended, Started, Status
from labs.kit.engines import docker as containers
from labs.kit.schedule import carry_out
from labs.kit.stack import Stack
from tests.faults.engine import Engine, engine
from tests.kit.engines.deeds import planned, wait_for

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def own(home: Path) -> Iterator[Engine]:
    """An engine with the image of the tabular stack."""
    if not images.is_built(Stack("tabular")):
        images.build([Stack("tabular")])
    with engine("3g") as made, pytest.MonkeyPatch.context() as patch:
        made.take(images.name_of(Stack("tabular")))
        patch.setenv("DOCKER_HOST", made.host)
        daemon.cache_clear()
        yield made
    daemon.cache_clear()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_trials_are_finished_after_a_restart_of_the_engine(own: Engine, labs: Path, number: signal.Signals) -> None:
    """Nothing is lost or doubled, and no container is left."""
    trials = planned(labs, ["nap"], seeds=3, nap=2.0)
    crew, ended, struck = containers.engine(2, 6000), [], False
    try:
        for event in carry_out(trials, crew, lambda trial: True):
            if isinstance(event, Started) and not struck:
                struck = True
                wait_for(lambda: any((trial.folder / "pid").is_file() for trial in trials))
                own.end(number)
                own.start()
            if isinstance(event, Ended) and event.final:
                ended.append(event)
    finally:
        crew.close()
    assert [event.status for event in ended] == [Status.FINISHED] * 3, [event.message for event in ended]
    assert all(spool.is_finished(trial.folder) for trial in trials)
    with closing(docker.DockerClient(own.host)) as client:
        wait_for(lambda: not client.containers.list(all=True, ignore_removed=True))
