"""What the process runs on: Python, system, processor, memory, accelerators."""

import os
import platform
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from runstone.sdk.capture.found import Context, Found


LIBRARIES = (
    "numpy", "pandas", "sklearn", "torch", "tensorflow", "jax", "transformers",
    "lightning", "xgboost", "lightgbm", "keras",
)  # fmt: skip


def gather(context: Context) -> Found:
    """Describe the machine and the libraries that are loaded."""
    gpus, driver = _gpus(context)
    torch = _version("torch")
    cuda = _cuda()
    facts: dict[str, object] = {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
            "executable": sys.executable,
        },
        "system": _system(),
        "host": socket.gethostname(),
        "cpu": {
            "name": _cpu(),
            "architecture": platform.machine(),
            "count": os.cpu_count(),
            "usable": _usable(),
        },
        "memory_bytes": _memory_bytes(),
        "gpus": gpus,
        "gpu_driver": driver,
        "cuda": cuda,
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
    }
    names = sorted({str(gpu["name"]) for gpu in gpus})
    tags = {
        "runstone.python_version": platform.python_version(),
        "runstone.os": _system(),
        "runstone.host": socket.gethostname(),
        "runstone.torch_version": torch,
        "runstone.cuda_version": cuda,
        "runstone.gpu_name": ", ".join(names),
        "runstone.gpu_count": str(len(gpus) or ""),
    }

    return Found({key: value for key, value in tags.items() if value}, facts)


def _gpus(context: Context) -> tuple[list[dict[str, object]], str]:
    """Ask the drivers' own tools, which load nothing into this process."""
    said = context.output(
        "nvidia-smi",
        "--query-gpu=name,memory.total,driver_version",
        "--format=csv,noheader,nounits",
        seconds=5,
    )
    found: list[dict[str, object]] = []
    driver = ""
    for line in (said or b"").decode(errors="replace").splitlines():
        name, memory, driver = [part.strip() for part in line.split(",", 2)]
        found.append({"name": name, "memory_megabytes": _number(memory)})
    if found:
        return found, driver
    said = context.output("rocm-smi", "--showproductname", "--csv", seconds=5)
    for line in (said or b"").decode(errors="replace").splitlines():
        parts = line.split(",")
        if parts[0].startswith("card") and len(parts) > 1:
            found.append({"name": parts[1].strip()})

    return found, ""


def _cuda() -> str:
    """Return the version of CUDA that PyTorch was built for, if it is loaded."""
    version: Any = getattr(sys.modules.get("torch"), "version", None)

    return str(getattr(version, "cuda", None) or "")


def _version(name: str) -> str:
    """Return the version of a library that is loaded; it is not loaded for that."""
    return str(getattr(sys.modules.get(name), "__version__", "") or "")


def _system() -> str:
    with suppress(OSError):
        release = platform.freedesktop_os_release()
        return f"{release['PRETTY_NAME']} ({platform.system()} {platform.release()})"

    return f"{platform.system()} {platform.release()}"


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()

    return platform.machine()


def _usable() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))

    return os.cpu_count()


def _memory_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
