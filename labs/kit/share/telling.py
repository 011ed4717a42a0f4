"""What `gaplab share` prints of an image. All of it was written by somebody else, so it is printed plain."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labs.kit import hardware
from labs.kit.compare import Agreement, Comparison
from labs.kit.share import proof
from labs.kit.share.attached import Result
from labs.kit.share.quarantine import Guest
from labs.kit.share.refusal import plain

_SAID = {
    Agreement.INTERVALS: "within the intervals",
    Agreement.DIFFERENT: "different",
    Agreement.MISSING: "not among the recorded",
}
_UNSIGNED = "unsigned: nothing says who made it"
_VOUCHED = "the very image of the digest given"
_NOT_VOUCHED = "no digest was given, so its packages may have been changed on its way"


def head(guest: Guest) -> Iterator[str]:
    """Who vouches for the image, what it holds, and which machine recorded it."""
    who = f"signed {guest.signer}" if guest.signer else _UNSIGNED
    yield plain(f"{who}; {_VOUCHED if guest.vouched else _NOT_VOUCHED}")
    stack, cpu = guest.said["stack"], guest.said["cpu"]
    same = "as here" if cpu == hardware.cpu() else "not as here: equal bits are not expected"
    yield plain(f"{guest.lab.id}, stack {stack['name']} ({stack['lock'][:12]}), recorded on {_machine(cpu)}, {same}")


def lines(found: Sequence[Comparison]) -> Iterator[str]:
    """A line a claim where all its variants agree alike; else a line a variant."""
    width = max((len(_name(one)) for one in found), default=0)
    for claim in dict.fromkeys(one.claim.id for one in found):
        variants = [one for one in found if one.claim.id == claim]
        alike = all(one.agreement is Agreement.BITS and one.then is one.now for one in variants)
        for one in [_headline(variants)] if alike else variants:
            name = _name(one) if alike else f"{_name(one)} {one.variant}"
            yield plain(f"  {name:{width}}  {_sentence(one)}")


def shown(guest: Guest) -> Iterator[str]:
    """The verdicts that were recorded, then each result that somebody attached, held against them."""
    yield from head(guest)
    width = max(len(name) for name in guest.lab.claims)
    for claim in guest.lab.claims.values():
        by_preset = {name: of.get(f"{claim.name} {claim.variant}") for name, of in guest.said["verdicts"].items()}
        told = ", ".join(f"{verdict} ({name})" for name, verdict in by_preset.items() if verdict)
        yield plain(f"  {guest.lab.name}/{claim.name:{width}}  {told}")
    for result in guest.results:
        who = f"signed {result.signer}" if result.signer else "unsigned"
        yield plain(f"attached {result.day}, {who}: {result.preset} on {_machine(result.cpu)}")
        yield from lines(_compared(guest, result))
    if not guest.results:
        yield "No result is attached yet: gaplab share verify … --push NAME attaches yours."


def exit_code(found: Sequence[Comparison]) -> int:
    """0 where every claim came again, and there was one."""
    return int(not found or any(one.agreement in (Agreement.DIFFERENT, Agreement.MISSING) for one in found))


def as_json(guest: Guest, found: Sequence[Comparison]) -> dict[str, Any]:
    """A verification for a program."""
    return {**_head(guest), "claims": _claims(found)}


def shown_as_json(guest: Guest) -> dict[str, Any]:
    """The manifest and the attached results for a program."""
    results = [
        {"day": result.day, "signed": result.signer, "preset": result.preset, "cpu": dict(result.cpu)}
        | {"claims": _claims(_compared(guest, result))}
        for result in guest.results
    ]
    return {**_head(guest), "manifest": guest.said, "results": results}


def _head(guest: Guest) -> dict[str, Any]:
    return {"lab": guest.lab.id, "image": guest.image.id, "signed": guest.signer, "digest": guest.vouched}


def _claims(found: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [
        {"claim": one.claim.id, "variant": one.variant, "then": one.then, "now": one.now}
        | {"agreement": one.agreement, "equal": one.equal, "seeds": one.seeds}
        for one in found
    ]


def _compared(guest: Guest, result: Result) -> list[Comparison]:
    return proof.held_against(guest, result.preset, result.rows, result.cpu)


def _machine(cpu: Mapping[str, Any]) -> str:
    return f"{cpu.get('model', 'an unknown CPU')} ({cpu.get('machine', 'unknown')})"


def _name(one: Comparison) -> str:
    return one.claim.id.partition("/")[2]


def _headline(variants: Sequence[Comparison]) -> Comparison:
    return next((one for one in variants if one.variant == one.claim.variant), variants[0])


def _sentence(one: Comparison) -> str:
    verdict = f"same verdict ({one.now})" if one.then is one.now else f"was {one.then}, is {one.now}"
    if one.agreement is Agreement.BITS:
        return f"{verdict}, equal to the last bit in {one.equal} of {one.seeds} seeds"
    return f"{verdict}, {_SAID[one.agreement]}, equal to the last bit in {one.equal} of {one.seeds} seeds"
