"""System metrics: MLflow's names, points now and then, and gone with the run."""

from collections.abc import Callable

import pytest

from runstone.sdk.capture import gpus, system
from tests.sdk.conftest import Script
from tests.sdk.test_sender import only_run, points
from tests.server.running import Server


Start = Callable[..., Server]

NAMES_OF_MLFLOW = {
    "cpu_utilization_percentage",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
    "disk_usage_percentage",
    "disk_usage_megabytes",
    "disk_available_megabytes",
    "network_receive_megabytes",
    "network_transmit_megabytes",
}


def test_the_names_are_those_of_mlflow() -> None:
    """Whoever changes over finds the same charts."""
    values = system.Meter().read()

    assert values.keys() >= NAMES_OF_MLFLOW | {"process_memory_megabytes"}
    assert 0 < values["system_memory_usage_percentage"] < 100
    assert values["process_memory_megabytes"] > 1


def test_points_come_while_the_run_goes_on(script: Script, start: Start) -> None:
    """Their steps count the samples, and go on where the run does."""
    server = start()
    text = """
run = begin(run_id="ab" * 16)
time.sleep(0.6)
session.finish(run, RunStatus.FINISHED)
"""
    chosen = {"RUNSTONE_CAPTURE": "system", "RUNSTONE_SYSTEM_SECONDS": "0.1"}

    script(text, uri=server.url, **chosen)
    first = points(server, only_run(server), "system/cpu_utilization_percentage")
    script(
        text.replace("begin(", "session.begin(Begin(experiment='tests'), ").replace(
            "run_id=", ""
        ),
        uri=server.url,
        **chosen,
    )

    both = points(server, only_run(server), "system/cpu_utilization_percentage")
    assert first == list(range(len(first)))
    assert len(first) >= 2
    assert both == list(range(len(both)))
    assert len(both) > len(first)


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "False"),
        ({"MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "true"}, "True"),
        ({"RUNSTONE_CAPTURE": "all"}, "True"),
    ],
)
def test_it_is_off_until_somebody_asks(
    script: Script, environ: dict[str, str], wanted: str
) -> None:
    """As MLflow has it."""
    done = script(
        "from runstone.sdk import options\nprint('system' in options.parts())",
        uri="",
        **{"RUNSTONE_CAPTURE": "", **environ},
    )

    assert done.stdout.strip() == wanted


def test_it_ends_with_the_run(script: Script) -> None:
    """No thread stays behind."""
    done = script(
        """
import threading
run = begin()
session.finish(run, RunStatus.FINISHED)
print([t.name for t in threading.enumerate() if t.name.startswith("runstone-s")])
""",
        uri="http://127.0.0.1:1",
        RUNSTONE_MODE="offline",
        RUNSTONE_CAPTURE="all",
    )

    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_words_of_rocm_smi_are_read() -> None:
    """They differ a little from version to version."""
    values = gpus._card(
        {
            "GPU use (%)": "35",
            "GPU Memory Allocated (VRAM%)": "12",
            "Average Graphics Package Power (W)": "91.0",
            "Something": "N/A",
        }
    )

    assert values == {
        "utilization_percentage": 35,
        "memory_usage_percentage": 12,
        "power_usage_watts": 91,
    }


def test_words_of_nvidia_smi_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a card does not tell something, the rest is there."""
    said = "1024, 4096, 50, 100.0, 400.0\n2048, 4096, [N/A], [N/A], [N/A]\n"
    monkeypatch.setattr(gpus, "_output", lambda *_: said)

    values = gpus._nvidia()

    assert values["gpu_0_memory_usage_percentage"] == 25
    assert values["gpu_0_power_usage_percentage"] == 25
    assert values["gpu_1_memory_usage_percentage"] == 50
    assert "gpu_1_utilization_percentage" not in values
