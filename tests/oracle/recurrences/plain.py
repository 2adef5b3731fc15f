"""Functions of numbers as textbooks write them. All take complex numbers, for derivatives by complex step."""
import numpy as np

eye = np.eye


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def silu(a):
    return a * sigmoid(a)


def softplus(a):
    return np.log(1 + np.exp(a))


def softmax(a):
    e = np.exp(a)
    return e / e.sum(-1, keepdims=True)


def relu(a):
    return np.where(np.real(a) > 0, a, 0)


def magnitude(a):
    return a * np.sign(np.real(a))


def larger(a, b):
    return np.where(np.real(a) >= np.real(b), a, b)


def unit(a):
    return a / np.sqrt((a * a).sum(-1, keepdims=True))


def layer_norm(a, g=1, b=0):
    mean = a.mean(-1, keepdims=True)
    return g * (a - mean) / np.sqrt(((a - mean) ** 2).mean(-1, keepdims=True) + 1e-5) + b


def rms_norm(a, g):
    return g * a / np.sqrt((a * a).mean(-1, keepdims=True) + 1e-5)


def before(x, t, back=1):
    """x at `back` steps before t, counted from 0; zeros before the first."""
    return x[t - back] if t >= back else np.zeros_like(x[0])


def scan(step, x, *state):
    """Rows of the first state after each x; step(x, *state) gives the new states, or one alone."""
    rows = []
    for now in x:
        state = step(now, *state)
        state = state if isinstance(state, tuple) else (state,)
        rows.append(state[0])
    return np.array(rows)


def taps(kernel, x, t):
    """A depthwise convolution that ends at t: sum over d of kernel[d] * x[t - last + d]."""
    last = len(kernel) - 1
    return sum(kernel[d] * before(x, t, last - d) for d in range(last + 1))
