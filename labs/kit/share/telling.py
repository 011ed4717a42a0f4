"""What `gaplab share verify` prints."""

from collections.abc import Iterator, Sequence
from typing import Any

from labs.kit import hardware
from labs.kit.compare import Agreement, Comparison
from labs.kit.share.quarantine import Guest

_SAID = {
    Agreement.INTERVALS: "within the intervals",
    Agreement.DIFFERENT: "different",
    Agreement.MISSING: "not among the recorded",
}
_VOUCHED = "the very image of the digest given"
_NOT_VOUCHED = "no digest was given, so its packages may have been changed on its way"


def head(guest: Guest) -> Iterator[str]:
    """Who vouches for the image, what it holds, and which machine recorded it."""
    who = f"signed {guest.signer}" if guest.signer else "unsigned: nothing says who made it"
    yield f"{who}; {_VOUCHED if guest.vouched else _NOT_VOUCHED}"
    stack, cpu = guest.said["stack"], guest.said["cpu"]
    same = "as here" if cpu == hardware.cpu() else "not as here: equal bits are not expected"
    yield f"{guest.lab.id}, stack {stack['name']} ({stack['lock'][:12]}), recorded on {cpu['model']}, {same}"


def lines(found: Sequence[Comparison]) -> Iterator[str]:
    """A line a claim where all its variants agree alike; else a line a variant."""
    width = max(len(_name(one)) for one in found)
    for claim in dict.fromkeys(one.claim.id for one in found):
        variants = [one for one in found if one.claim.id == claim]
        alike = all(one.agreement is Agreement.BITS and one.then is one.now for one in variants)
        for one in [_headline(variants)] if alike else variants:
            name = _name(one) if alike else f"{_name(one)} {one.variant}"
            yield f"  {name:{width}}  {_sentence(one)}"


def exit_code(found: Sequence[Comparison]) -> int:
    """0 where every claim came again."""
    return int(any(one.agreement in (Agreement.DIFFERENT, Agreement.MISSING) for one in found))


def as_json(guest: Guest, found: Sequence[Comparison]) -> dict[str, Any]:
    """The same for a program."""
    claims = [
        {"claim": one.claim.id, "variant": one.variant, "then": one.then, "now": one.now}
        | {"agreement": one.agreement, "equal": one.equal, "seeds": one.seeds}
        for one in found
    ]
    return {
        "lab": guest.lab.id,
        "image": guest.image.id,
        "signed": guest.signer,
        "digest": guest.vouched,
        "claims": claims,
    }


def _name(one: Comparison) -> str:
    return one.claim.id.partition("/")[2]


def _headline(variants: Sequence[Comparison]) -> Comparison:
    return next((one for one in variants if one.variant == one.claim.variant), variants[0])


def _sentence(one: Comparison) -> str:
    verdict = f"same verdict ({one.now})" if one.then is one.now else f"was {one.then}, is {one.now}"
    if one.agreement is Agreement.BITS:
        return f"{verdict}, equal to the last bit in {one.equal} of {one.seeds} seeds"
    return f"{verdict}, {_SAID[one.agreement]}, equal to the last bit in {one.equal} of {one.seeds} seeds"
