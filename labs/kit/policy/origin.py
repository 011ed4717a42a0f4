"""Where a trial's model came from: it stands on the trial, since a name does not tell two machines' weights apart."""

import hashlib
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from labs.kit.policy.base import base, digest


def origin(model: str) -> dict[str, str]:
    """The tag: the digest of the base model or of the weights in a folder, the revision of a model from the Hub."""
    if model == "base":
        return {"base": digest(base())}
    if Path(model).is_dir():
        told = hashlib.sha256()
        for file in sorted(Path(model).glob("*.safetensors")):
            told.update(file.read_bytes())
        return {"model": f"{model} {told.hexdigest()}"}
    kept = try_to_load_from_cache(model, "config.json")  # a revision's files lie in a folder of its name
    return {"model": f"{model} {Path(kept).parent.name}" if isinstance(kept, str) else model}
