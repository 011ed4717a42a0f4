"""Manifests signed by ssh-keygen with the SSH key that their maker has anyway."""

import shutil
import subprocess
from pathlib import Path

from labs.kit.errors import LabError

NAME = "manifest.json.sig"
_PURPOSE = "gaplab"
"""A signature made for something else, a commit or a letter, does not pass for one of a lab."""


def sign(manifest: Path, key: Path) -> None:
    """Write the signature beside the manifest; ssh-keygen asks for the key's passphrase, or the agent has it."""
    done = _ask("sign", "-f", str(key), "-n", _PURPOSE, str(manifest))
    if done.returncode:
        raise LabError(
            f"The manifest could not be signed with {key}: {_last(done)}.\n"
            "Without it nothing would say that the image comes from you, so none was built.\n"
            "Name your private key (often ~/.ssh/id_ed25519), or leave --key out."
        )


def signer(manifest: Path, signers: Path | None) -> str:
    """Who signed, in words; empty where nobody did. Raises LabError for a signature that does not fit."""
    signature = manifest.with_name(NAME)
    if not signature.is_file():
        if signers:
            raise _forged("it has none, and --signers asks for one")
        return ""
    found = _ask("check-novalidate", "-n", _PURPOSE, "-s", str(signature), said=manifest.read_bytes())
    if found.returncode:
        raise _forged(_last(found))
    if signers is None:
        return f"by {found.stdout.decode().strip().rpartition(' ')[2]}, a key that no --signers file was given for"
    who = _ask("find-principals", "-s", str(signature), "-f", str(signers)).stdout.decode().strip()
    who = who.partition("\n")[0].partition(",")[0]
    allowed = ("-f", str(signers), "-I", who, "-n", _PURPOSE, "-s", str(signature))
    if not who or _ask("verify", *allowed, said=manifest.read_bytes()).returncode:
        raise _forged(f"{signers} names nobody with that key")
    return f"by {who}"


def _ask(verb: str, *words: str, said: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    if not (tool := shutil.which("ssh-keygen")):
        raise LabError(
            "There is no ssh-keygen on PATH.\nIt is what signs manifests and looks at signatures.\n"
            "Install it (Debian: openssh-client) and type the same command again."
        )
    return subprocess.run([tool, "-Y", verb, *words], input=said, capture_output=True)


def _last(done: "subprocess.CompletedProcess[bytes]") -> str:
    return (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2].strip() or "no reason told"


def _forged(why: str) -> LabError:
    return LabError(
        f"The image's signature is not to be trusted: {why}.\n"
        "Somebody else made it, or changed it since; nothing of it was started.\n"
        "Ask for the maker's public key, and put a line `NAME KEY` into the file that --signers names."
    )
