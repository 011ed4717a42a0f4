"""What a potential leaves as it was, and what the right one saves."""


def shaped_values() -> float:
    r"""Largest difference between the shaped problem's optimal values and the plain one's less the potential.

    Along any path the potential telescopes, whatever was done: of its discounted sum only -Phi at the start is left.

    $$F = \gamma\,\Phi(s') - \Phi(s):\qquad Q'^*(s,a) = Q^*(s,a) - \Phi(s)$$

    >>> shaped_values()
    0.0
    """
    return 0.0


def kept_actions() -> float:
    r"""Share of states in which the shaped problem's best action is not a best one of the plain problem.

    The potential of a state is the same for all of its actions.

    $$\arg\max_a\,\big(Q^*(s,a) - \Phi(s)\big) = \arg\max_a\,Q^*(s,a)$$

    >>> kept_actions()
    0.0
    """
    return 0.0


def same_as_start() -> float:
    r"""Largest difference between a learner that is shaped from 0 and one that starts at the potential unshaped.

    If Q' + Phi = Q before a step, both see the same temporal difference and choose alike, and so it stays.

    $$r + \gamma\Phi(s') - \Phi(s) + \gamma\max_b Q'(s',b) - Q'(s,a) = r + \gamma\max_b Q(s',b) - Q(s,a)$$

    >>> same_as_start()
    0.0
    """
    return 0.0


def wasted_steps(side: int) -> float:
    r"""Steps that a greedy learner with step size 1 ever wastes on the way through a grid, if Phi is the optimal value.

    Each action that is not best looks as good as the best until it is tried, and never again. A move away from the goal
    costs 2, one into a wall 1. Between n^2 cells there are 2 n (n - 1) doors, 2 of them away from the goal cell itself;
    of 4 n walls the goal has 2.

    $$\sum_{s,a}\big(v^*(s) - q^*(s,a)\big) = 2\,\big(2n(n-1) - 2\big) + (4n - 2) = 4n^2 - 6$$

    Four cells: the start has two walls, its neighbours two walls and one way back each: 2 + 4 + 4.

    >>> wasted_steps(side=2)
    10.0
    """
    return 4.0 * side**2 - 6


def wasted_steps_curve(step: int, side: int) -> float:
    """All that is ever wasted: the curve ends there."""
    return wasted_steps(side)
