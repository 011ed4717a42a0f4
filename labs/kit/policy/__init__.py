"""The small language model: its task, its weights, quantised loading, exact enumeration, and training with TRL.

Import the part you need (`from labs.kit.policy.exact import tree`); this file loads nothing heavy.
"""

import logging
import os

# TRL says on import that its PPO is experimental; the stack pins the version, so nothing can change under it.
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

# Harmless messages. bitsandbytes lacks a kernel of a model hub on CPUs with AVX512-BF16, without which the numbers are
# the same; it says once a layer what int8 is meant to do; and TRL 1.12 gives transformers its settings in an older way.
_HARMLESS = {
    "bitsandbytes.backends.cpu.ops": "gemm_4bit_forward from kernels-community",
    "bitsandbytes.autograd._functions": "MatMul8bitLt: inputs will be cast from",
    "transformers.generation.utils": "Passing `generation_config` together with",
}


def _is_news(record: logging.LogRecord) -> bool:
    return _HARMLESS[record.name] not in record.getMessage()


for _module in _HARMLESS:
    logging.getLogger(_module).addFilter(_is_news)
