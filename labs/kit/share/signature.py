"""Manifests and results signed by ssh-keygen with the SSH key that their maker has anyway."""

import os
import shutil
import subprocess
from pathlib import Path

from labs.kit.errors import LabError
from labs.kit.share.refusal import plain

_PURPOSE = "gaplab"
"""A signature made for something else, a commit or a letter, does not pass for one of a lab."""


def beside(path: Path) -> Path:
    """Where ssh-keygen puts a file's signature."""
    return path.with_name(f"{path.name}.sig")


def refuse_unread(path: Path, option: str) -> None:
    """Raise LabError where the file that an option names cannot be read: found out later, it costs minutes."""
    if not os.access(path, os.R_OK) or path.is_dir():
        raise LabError(
            f"--{option} {path}: there is no such file, or this user may not read it.\n"
            "Whose signature counts is said by such files alone, so nothing was begun.\n"
            f"Name another file, or leave --{option} out."
        )


def sign(path: Path, key: Path) -> None:
    """Write the signature beside the file; ssh-keygen asks for the key's passphrase, or the agent has it."""
    done = _ask("sign", "-f", str(key), "-n", _PURPOSE, str(path))
    if done.returncode:
        raise LabError(
            f"Nothing could be signed with {key}: {_last(done)}.\n"
            "Without it nothing would say that the image comes from you, so none was made.\n"
            "Name your private key (often ~/.ssh/id_ed25519), or leave --key out."
        )


def signer(path: Path, signers: Path | None, strict: bool = True) -> str:
    """Who signed a file, in words; empty where nobody did. Raises LabError for a signature that does not fit.

    Where signers are named and this is not one of them, `strict` refuses it; else the words say so.
    """
    if not beside(path).is_file():
        if signers and strict:
            raise _refused("unsigned, and --signers asks for a signature", "Nothing says who made it")
        return ""
    found = _ask("check-novalidate", "-n", _PURPOSE, "-s", str(beside(path)), said=path.read_bytes())
    if found.returncode:
        raise _refused(
            f"altered: its signature does not fit ({_last(found)})", "Somebody changed it after it was signed"
        )
    key = plain(found.stdout.decode().strip().rpartition(" ")[2])
    if signers is None:
        return f"by {key}, a key that no --signers file was given for"
    if who := _named(path, signers):
        return f"by {who}"
    if strict:
        raise _refused(f"signed by {key}, and {signers} names nobody with that key", "Somebody else made it")
    return f"by {key}, whom {signers} does not name"


def _named(path: Path, signers: Path) -> str:
    """The name that the file of allowed signers gives the key; empty where it gives none."""
    who = _ask("find-principals", "-s", str(beside(path)), "-f", str(signers)).stdout.decode().strip()
    who = who.partition("\n")[0].partition(",")[0]
    allowed = ("-f", str(signers), "-I", who, "-n", _PURPOSE, "-s", str(beside(path)))
    return who if who and not _ask("verify", *allowed, said=path.read_bytes()).returncode else ""


def _ask(verb: str, *words: str, said: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    if not (tool := shutil.which("ssh-keygen")):
        raise LabError(
            "There is no ssh-keygen on PATH.\nIt is what signs manifests and looks at signatures.\n"
            "Install it (Debian: openssh-client) and type the same command again."
        )
    return subprocess.run([tool, "-Y", verb, *words], input=said, capture_output=True)


def _last(done: "subprocess.CompletedProcess[bytes]") -> str:
    return (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2].strip() or "no reason told"


def _refused(why: str, meaning: str) -> LabError:
    return LabError(
        f"The image is {why}.\n"
        f"{meaning}, so nothing of it was started.\n"
        "Ask for the maker's public key, and put a line `NAME KEY` into the file that --signers names."
    )
