"""What is known exactly of Baird's counterexample: when it diverges, how fast, and what two remedies cost."""

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import baird, linear

Array = NDArray[np.float64]


def growth_without_a_leg() -> float:
    r"""The most that values grow a sweep where one of the triad's three legs is missing.

    On-policy the key matrix is positive definite, a table makes sweeps contractions, and without bootstrapping they are
    gradient descent on a squared error.

    $$\lim_{k\to\infty}\tfrac1k\,\ln\lVert Xw_k\rVert \;\le\; 0$$

    >>> growth_without_a_leg()
    0.0
    """
    return 0.0


def critical_discount() -> float:
    r"""The discount above which the expected update diverges, for small steps.

    The first six states share a value u, the seventh has z, and these two move by a matrix whose determinant is
    positive for every g < 1, so its trace decides.

    $$\frac{d}{dt}\binom uz=\frac17\begin{pmatrix}-10&12\gamma-2\\-12&17\gamma-5\end{pmatrix}\binom uz,\qquad
    17\gamma_c-15=0$$

    >>> round(critical_discount() * 17, 12)
    15.0
    """
    return 15 / 17


def critical_lambda(discount: float) -> float:
    r"""The lambda from which on the expected lambda-return update is stable, for small steps.

    Here a lambda-return is a one-step return with a smaller discount: the target policy stays in the seventh state, and
    nothing is paid.

    $$\frac{\gamma(1-\lambda_c)}{1-\gamma\lambda_c}=\frac{15}{17}\quad\Rightarrow\quad
    \lambda_c=\frac{17\gamma-15}{2\gamma}$$

    >>> round(critical_lambda(discount=0.99) * 66, 12)
    61.0
    >>> critical_lambda(discount=1.0)                      # nothing short of Monte Carlo
    1.0
    """
    return (17 * discount - 15) / (2 * discount)


def growth(discount: float, step_size: float) -> float:
    r"""Log growth a sweep of the expected update: what dynamic programming does, and what is read into samples.

    $$\ln\lvert 1+\alpha\lambda\rvert,\qquad
    \lambda=\frac{17\gamma-15+\sqrt{(17\gamma-15)^2-104\,(1-\gamma)}}{14}$$

    At g = 1: lambda = 2 (2 + 2) / 14 = 2/7.

    >>> round(float(np.exp(growth(discount=1.0, step_size=0.7))), 12)
    1.2
    >>> round(growth(discount=0.99, step_size=0.01), 8)
    0.00238965
    """
    return baird.sweep_growth(discount, step_size)


def typical_growth(discount: float, step_size: float) -> float:
    r"""Log growth a step of nearly every sampled run, to second order in the spread of what a step multiplies.

    If ln|w| spreads like a normal walk, the p-th moment grows by p times the typical rate plus p^2 times half the
    spread, so the exact growths of the first and the second moment give both.

    $$2\,\ln r_1-\tfrac12\ln r_2,\qquad r_p=\rho\big(\text{the map of }\mathbb{E}[w^{\otimes p}\,1\{S=s\}]\big)$$

    >>> round(typical_growth(discount=0.99, step_size=0.0), 12)
    0.0
    >>> round(typical_growth(discount=0.99, step_size=0.01), 8)
    0.00235748
    """
    steps = baird.steps(discount, step_size)
    first, second = (linear.growth(linear.moment_map(baird.moves(), steps, order)) for order in (1, 2))
    return 2 * first - second / 2


def second_moment(discount: float, step_size: float, steps: int) -> float:
    r"""E|w|^2 after so many sampled steps, where the action moves the weights and also leads to the next state.

    $$m_{t+1}(s')=\sum_s P_b(s,s')\,(B_{ss'}\otimes B_{ss'})\,m_t(s),\qquad
    m_t(s)=\mathbb{E}[w_t\otimes w_t\,1\{S_t=s\}]$$

    Without a step the weights stay where the book starts, at (1, 1, 1, 1, 1, 1, 10, 1).

    >>> round(second_moment(discount=0.99, step_size=0.0, steps=3), 9)
    107.0
    >>> round(second_moment(discount=0.99, step_size=0.01, steps=1000))
    196828
    """
    return second_moment_curve(steps, discount, step_size, steps)


def second_moment_curve(step: int, discount: float, step_size: float, steps: int) -> float:
    return float(np.trace(baird.td_moments(discount, step_size, steps, 2)[step].reshape(8, 8)))


def mean_weight(discount: float, step_size: float, steps: int) -> float:
    r"""E w_8, the weight that all states share, after so many sampled steps.

    $$m_{t+1}(s')=\sum_s P_b(s,s')\,B_{ss'}\,m_t(s),\qquad \mathbb{E}\,w_t=\sum_s m_t(s)$$

    >>> round(mean_weight(discount=0.99, step_size=0.0, steps=3), 9)
    1.0
    >>> round(mean_weight(discount=0.99, step_size=0.01, steps=1000), 3)
    331.602
    """
    return float(baird.td_moments(discount, step_size, steps, 1)[steps][7])


def mean_weight_curve(step: int, discount: float, step_size: float, steps: int) -> float:
    return float(baird.td_moments(discount, step_size, steps, 1)[step][7])


def average_emphasis(discount: float, steps: int) -> float:
    r"""Mean over so many steps of emphatic TD's E M, whatever the behaviour: it starts from 1 and tends to 1 / (1 - g).

    $$M_t=1+\gamma\rho_{t-1}M_{t-1},\qquad \mathbb{E}M_t=\frac{1-\gamma^{t+1}}{1-\gamma}\to\frac1{1-\gamma}$$

    >>> average_emphasis(discount=0.5, steps=2)            # 1, then 1 + 1/2
    1.25
    """
    fading = discount * (1 - discount**steps) / (1 - discount)
    return (1 - fading / steps) / (1 - discount)


def average_emphasis_curve(step: int, discount: float) -> float:
    return average_emphasis(discount, step)


def emphatic_error(discount: float, step_size: float, steps: int) -> float:
    r"""RMS error of the values after so many steps of emphatic TD, if each were its expected update (Figure 11.6).

    Solid alone leads to the seventh state, so there the emphasis is 1 + 7 g times the mean before; elsewhere it is 1.

    $$\binom uz\leftarrow\binom uz+\frac\alpha7\begin{pmatrix}10&2f_t\\12&5f_t\end{pmatrix}
    \binom{\gamma z-u}{(\gamma-1)z},\qquad f_t=1+7\gamma\,\mathbb{E}M_{t-1}$$

    >>> round(emphatic_error(discount=0.99, step_size=0.03, steps=0) ** 2 * 7, 9)          # 6 x 3^2 + 12^2
    198.0
    """
    value, mean, seventh = np.array([3.0, 12.0]), 1.0, 1.0
    for _ in range(steps):
        errors = np.array([discount * value[1] - value[0], seventh * (discount - 1) * value[1]])
        value = value + step_size / 7 * np.array([[10, 2], [12, 5]]) @ errors
        seventh, mean = 1 + 7 * discount * mean, 1 + discount * mean
    return float(np.sqrt((6 * value[0] ** 2 + value[1] ** 2) / 7))


def emphatic_error_curve(step: int, discount: float, step_size: float) -> float:
    return emphatic_error(discount, step_size, step)


def worse_than_start() -> float:
    r"""Share of emphatic TD's runs that end with a larger error than they began with, if runs did what the mean does.

    $$\mathbb{E}[\Delta w]=-\alpha A_M w,\quad A_M\text{ positive definite}\ \Rightarrow\ \lVert Xw_t\rVert\to0$$

    >>> worse_than_start()
    0.0
    """
    return 0.0


def tdc_weight(discount: float, step_size: float, second_step: float, steps: int) -> float:
    r"""E w_7 after so many sampled steps of TD with gradient correction, which starts from 10.

    $$w\leftarrow w+\alpha\rho\,(\delta x-\gamma x'\,x^\top v),\qquad v\leftarrow v+\beta\rho\,(\delta-x^\top v)\,x$$

    >>> round(tdc_weight(discount=0.99, step_size=0.0, second_step=0.05, steps=3), 9)
    10.0
    """
    return float(baird.tdc_moments(discount, step_size, second_step, steps, 1)[steps][6])


def tdc_weight_curve(step: int, discount: float, step_size: float, second_step: float, steps: int) -> float:
    return float(baird.tdc_moments(discount, step_size, second_step, steps, 1)[step][6])


def value_error(discount: float, step_size: float, second_step: float, steps: int) -> float:
    r"""TDC's RMS error of the values, over runs and states, from the exact second moments of its weights.

    $$\sqrt{\tfrac17\,\mathrm{tr}\,\big(X\,\mathbb{E}[w_tw_t^\top]\,X^\top\big)}$$

    >>> round(value_error(discount=0.99, step_size=0.0, second_step=0.05, steps=3) ** 2 * 7, 9)
    198.0
    """
    return _root(baird.tdc_moments(discount, step_size, second_step, steps, 2)[steps], baird.FEATURES)


def value_error_curve(step: int, discount: float, step_size: float, second_step: float, steps: int) -> float:
    return _root(baird.tdc_moments(discount, step_size, second_step, steps, 2)[step], baird.FEATURES)


def projected_error(discount: float, step_size: float, second_step: float, steps: int) -> float:
    r"""TDC's root mean square projected Bellman error, over runs and states.

    Eight weights can say any seven values, so projecting changes nothing here.

    $$\sqrt{\tfrac17\sum_s\mathbb{E}\,\big(\gamma\,x_7^\top w_t-x_s^\top w_t\big)^2}$$

    >>> round(projected_error(discount=1.0, step_size=0.0, second_step=0.05, steps=3) ** 2 * 7, 9)    # 6 x (12 - 3)^2
    486.0
    """
    return _root(baird.tdc_moments(discount, step_size, second_step, steps, 2)[steps], _bellman(discount))


def projected_error_curve(step: int, discount: float, step_size: float, second_step: float, steps: int) -> float:
    return _root(baird.tdc_moments(discount, step_size, second_step, steps, 2)[step], _bellman(discount))


def error_left() -> float:
    r"""Share of the values' error that TDC leaves, if a projected Bellman error near 0 meant values near the truth.

    $$\overline{\mathrm{PBE}}(w_t)\to0\ \Rightarrow\ Xw_t\to v=0$$

    >>> error_left()
    0.0
    """
    return 0.0


def _bellman(discount: float) -> Array:
    return discount * baird.FEATURES[[baird.SOLID] * 7] - baird.FEATURES


def _root(moment: Array, look: Array) -> float:
    """Root of the mean, over states, of E (look w)^2."""
    weights = moment.reshape(16, 16)[:8, :8]
    return float(np.sqrt(np.trace(look @ weights @ look.T) / 7))
