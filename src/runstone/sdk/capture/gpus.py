"""
GPUs, as their drivers see them.

NVIDIA by `pynvml` where it is installed, else by `nvidia-smi` now and then, as it
takes a while; AMD by `rocm-smi`.  Names and units are MLflow's.
"""

import importlib
import importlib.util
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final


TOOL_SECONDS: Final = 30.0
"""How often a program is asked that has to be started for it."""

TOOL_TIMEOUT_SECONDS: Final = 10.0

Values = dict[str, float]


class Gpus:
    """What there is of GPUs; nothing on a machine without."""

    def __init__(self) -> None:
        self._read: Callable[[], Values] = _nvml() or _tool() or dict

    def read(self) -> Values:
        """Return the metrics of each GPU, `gpu_0_…` and so on."""
        with suppress(Exception):  # a driver that fails must not end the others
            return self._read()

        return {}


def _nvml() -> Callable[[], Values] | None:
    if not importlib.util.find_spec("pynvml"):
        return None
    nvml: Any = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
        handles = [
            nvml.nvmlDeviceGetHandleByIndex(number)
            for number in range(nvml.nvmlDeviceGetCount())
        ]
    except nvml.NVMLError:
        return None

    def read() -> Values:
        values: Values = {}
        for number, handle in enumerate(handles):
            for ask in (_memory, _utilization, _power):
                with suppress(nvml.NVMLError):  # not every card tells everything
                    asked = ask(nvml, handle)
                    values |= {f"gpu_{number}_{key}": v for key, v in asked.items()}
        return values

    return read if handles else None


def _memory(nvml: Any, handle: object) -> Values:  # noqa: ANN401  # a module without types
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)

    return {
        "memory_usage_percentage": memory.used / memory.total * 100,
        "memory_usage_megabytes": memory.used / 1e6,
    }


def _utilization(nvml: Any, handle: object) -> Values:  # noqa: ANN401  # a module without types
    return {"utilization_percentage": nvml.nvmlDeviceGetUtilizationRates(handle).gpu}


def _power(nvml: Any, handle: object) -> Values:  # noqa: ANN401  # a module without types
    watts = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
    most = nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000

    return {"power_usage_watts": watts, "power_usage_percentage": watts / most * 100}


def _tool() -> Callable[[], Values] | None:
    """Return what asks the drivers' programs, at a low rate."""
    asks = {"nvidia-smi": _nvidia, "rocm-smi": _amd}
    ask = next((act for name, act in asks.items() if shutil.which(name)), None)
    if ask is None:
        return None
    last: tuple[float, Values] = (-TOOL_SECONDS, {})

    def read() -> Values:
        nonlocal last
        if time.monotonic() - last[0] >= TOOL_SECONDS:
            last = (time.monotonic(), ask())
            return last[1]
        return {}

    return read


def _nvidia() -> Values:
    fields = "memory.used,memory.total,utilization.gpu,power.draw,power.limit"
    said = _output(
        "nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"
    )
    values: Values = {}
    for number, line in enumerate(said.splitlines()):
        used, total, busy, watts, most = [_number(part) for part in line.split(",")]
        found = {
            "memory_usage_megabytes": used and used * 1.048576,
            "memory_usage_percentage": used and total and used / total * 100,
            "utilization_percentage": busy,
            "power_usage_watts": watts,
            "power_usage_percentage": watts and most and watts / most * 100,
        }
        values |= {
            f"gpu_{number}_{key}": value
            for key, value in found.items()
            if value is not None
        }

    return values


def _amd() -> Values:
    said = json.loads(
        _output("rocm-smi", "--showuse", "--showmemuse", "--showpower", "--json")
    )
    values: Values = {}
    cards = [name for name in sorted(said) if name.startswith("card")]
    for number, card in enumerate(cards):
        values |= {f"gpu_{number}_{k}": v for k, v in _card(said[card]).items()}

    return values


def _card(said: Mapping[str, str]) -> Values:
    """Read one card's words, which differ a little from version to version."""
    values: Values = {}
    for words, text in said.items():
        value = _number(str(text))
        if value is None:
            continue
        if words.startswith("GPU use"):
            values["utilization_percentage"] = value
        elif "Memory Allocated" in words and "%" in words:
            values["memory_usage_percentage"] = value
        elif "Power" in words and "(W)" in words:
            values["power_usage_watts"] = value

    return values


def _output(*command: str) -> str:
    return subprocess.run(  # noqa: S603  # the drivers' own programs
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=TOOL_TIMEOUT_SECONDS,
        check=True,
        text=True,
    ).stdout


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
