"""The small language model: its task, its weights, quantised loading, exact enumeration, and training with TRL.

Import the part you need (`from labs.kit.policy.exact import tree`); this file loads nothing heavy.
"""

import logging

# Two harmless messages of bitsandbytes. The first comes on import, on CPUs with AVX512-BF16: it lacks a kernel from a
# model hub, without which the numbers are the same; the second comes once a layer, for what int8 is meant to do.
_HARMLESS = ("gemm_4bit_forward from kernels-community", "MatMul8bitLt: inputs will be cast from")


def _is_news(record: logging.LogRecord) -> bool:
    return not any(message in record.getMessage() for message in _HARMLESS)


for _module in ("bitsandbytes.backends.cpu.ops", "bitsandbytes.autograd._functions"):
    logging.getLogger(_module).addFilter(_is_news)
