"""One seed for every source of chance."""

import importlib
import importlib.util
import operator
import os
import random
import sys
from typing import Any, Final

from runstone import errors
from runstone.sdk.session import session


NUMPY_BITS: Final = 32
"""NumPy's old generator takes no larger seed."""


def seed_everything(seed: int, *, deterministic: bool = True) -> int:
    """
    Seed `random`, NumPy, PyTorch with CUDA, and TensorFlow where it is loaded.

    Runs of this process get the seed as the tag `runstone.seed`.  The order of sets
    and dicts of text is fixed only in processes that are started from here on:
    Python reads PYTHONHASHSEED when it starts.

    Args:
        seed: From 0 to 2**32 - 1.

        deterministic: Whether cuDNN must use algorithms that give the same numbers
            each time, which may be slower.

    Returns:
        The seed.

    Raises:
        InvalidInput: The seed is no such number.
    """
    seed = operator.index(seed)  # NumPy's integers too; what is none raises TypeError
    if not 0 <= seed < 2**NUMPY_BITS:
        raise errors.InvalidInput(
            f"the seed is {seed!r}, expected an integer from 0 to {2**NUMPY_BITS - 1}"
        )
    os.environ["PYTHONHASHSEED"] = str(seed)
    random.seed(seed)
    if _is_there("numpy"):
        numpy: Any = importlib.import_module("numpy")
        numpy.random.seed(seed)
    if _is_there("torch"):
        _seed_torch(seed, deterministic=deterministic)
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(seed)
    session.remember(
        {
            "runstone.seed": str(seed),
            "runstone.deterministic": "true" if deterministic else "false",
        }
    )

    return seed


def _is_there(name: str) -> bool:
    if name in sys.modules:
        return True

    return importlib.util.find_spec(name) is not None


def _seed_torch(seed: int, *, deterministic: bool) -> None:
    torch: Any = importlib.import_module("torch")
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)  # later, where CUDA is not there yet
    cudnn = getattr(getattr(torch, "backends", None), "cudnn", None)
    if cudnn is not None:
        cudnn.deterministic = deterministic
        cudnn.benchmark = not deterministic
