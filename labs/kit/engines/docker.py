"""The engine `docker`: one worker per stack in a container of that stack's image, without network."""

import os

from labs.kit import places
from labs.kit.containers import images
from labs.kit.containers.daemon import PROCESS, otherwise
from labs.kit.containers.reaper import reap
from labs.kit.containers.worker import Container
from labs.kit.engines import Notice
from labs.kit.engines.outside.crew import Crew, free_memory
from labs.kit.engines.outside.worker import Endings, Worker, log_of
from labs.kit.making import Tell, made, no_base
from labs.kit.stack import Stack


def engine(workers: int | None = None, memory: int | None = None) -> Crew:
    """As the engine `process`, but in containers. Removes those of commands that are gone."""
    with otherwise(PROCESS):
        reap()
    cores = workers or len(os.sched_getaffinity(0))

    def begin(stack: str, ended: Endings) -> Worker:
        log = log_of(stack)
        command = ("-m", "labs.kit.engines.inside.worker")
        return Worker(Container.begin(Stack(stack), cores, command, places.trials(), log), log, ended).listen()

    return Crew(begin, Images(), cores, memory or free_memory())


class Images:
    """Stacks as images."""

    def has(self, one: Stack, model: bool) -> bool:
        """Whether there is an image of this lock, and the model has been made, in it or in the venv."""
        return images.is_built(one) and (not model or made(one).is_file())

    def make(self, one: Stack, model: bool, tell: Tell) -> None:
        """Build the image, and make the model in it."""
        if not images.is_built(one):
            images.build([one], on_line=lambda line: tell(Notice(f"building the image of stack {one.name}", line)))
        if model and not made(one).is_file():
            tell(Notice(f"making the base model with stack {one.name}", "about half a minute"))
            _make_base(one)


def _make_base(one: Stack) -> None:
    log = log_of(f"{one.name}-base")
    container = Container.begin(one, 1, ("-m", "labs.kit.policy.base"), places.home() / "base", log)
    container.make_room(2048)
    for _ in container.lines():  # where the model stands; the rest is in the log
        pass
    if container.end() or not [*(places.home() / "base").glob("*/model.safetensors")]:
        raise no_base(one, log.read_text(errors="replace"))
    made(one).touch()
