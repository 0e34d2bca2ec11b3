"""Scripts as people have them, against a real server: only the import is another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import ROOT, Server, serving


TRAINING = """
import random
import runstone.wandb as wandb

class Optimizer:
    param_groups = [{"lr": 0.001}]

optimizer = Optimizer()
model = train_loader = val_loader = None

def train_epoch(model, loader):
    return random.random()

validate = train_epoch
"""

FIRST = """
# 1. initialise
wandb.init(
    project="image-classification",
    name="resnet50-experiment",
    config={
        'learning_rate': 0.001,
        'batch_size': 32,
        'epochs': 50,
        'model': 'resnet50'
    }
)

# 2. training loop
for epoch in range(wandb.config.epochs):
    train_loss = train_epoch(model, train_loader)
    val_loss = validate(model, val_loader)

    # 3. log metrics
    wandb.log({
        'epoch': epoch,
        'train_loss': train_loss,
        'val_loss': val_loss,
        'learning_rate': optimizer.param_groups[0]['lr']
    })

# 4. done
wandb.finish()
"""

MEDIA = """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

wandb.init(project="image-classification", name="media")
sample_images = np.random.rand(3, 8, 8, 3)
predictions, labels = [0, 1, 2], [0, 1, 1]
train_losses = [3, 2, 1]
all_labels, all_preds, class_names = [0, 1, 2], [0, 2, 2], ["a", "b", "c"]

images = []
for img, pred, label in zip(sample_images, predictions, labels):
    images.append(wandb.Image(
        img,
        caption=f"Pred: {pred}, Label: {label}"
    ))

wandb.log({"predictions": images})

fig, ax = plt.subplots()
ax.plot(train_losses)
ax.set_title("Training Loss")

wandb.log({"loss_curve": wandb.Image(fig)})
plt.close(fig)

wandb.log({
    "confusion_matrix": wandb.plot.confusion_matrix(
        probs=None,
        y_true=all_labels,
        preds=all_preds,
        class_names=class_names
    )
})
"""

COMPARE = """
import pandas as pd

api = wandb.Api()

runs = api.runs("image-classification")

comparison = []
for run in runs:
    comparison.append({
        'name': run.name,
        'accuracy': run.summary.get('val_accuracy'),
        'loss': run.summary.get('val_loss'),
        'config': run.config
    })

df = pd.DataFrame(comparison)
print(df.sort_values('accuracy', ascending=False))
for run in runs:
    print(run.name, run.state, len(run.history()), run.url)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server, one for all scripts."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def said(script: str, uri: str, folder: Path, **more: str) -> str:
    """Run a script as a user does; return what it printed."""
    path = folder / "train.py"
    path.write_text(TRAINING + script)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder),
        "PYTHONPATH": str(ROOT / "src"),
        "RUNSTONE_TRACKING_URI": uri,
        "RUNSTONE_SPOOL": str(folder / "spool"),
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", path],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Task was destroyed" not in done.stderr

    return done.stdout


def test_the_scripts_of_the_documents_run(server: Server, tmp_path: Path) -> None:
    """S2.23 to S2.30 and S2.41: none of their lines is changed but the import."""
    said(FIRST, server.url, tmp_path)
    said(MEDIA, server.url, tmp_path)

    shown = said(COMPARE, server.url, tmp_path).splitlines()

    first, media = (line.split() for line in shown[-2:])
    assert first[:3] == ["resnet50-experiment", "finished", "50"]
    assert media[:3] == ["media", "finished", "3"]
    assert first[3].startswith(f"{server.url}/#/experiments/")


def test_the_same_scripts_run_without_a_server(tmp_path: Path) -> None:
    """A path is a tracking URI too."""
    uri = str(tmp_path / "store")
    said(FIRST, uri, tmp_path)

    shown = said(COMPARE, uri, tmp_path).splitlines()

    assert shown[-1].split()[:3] == ["resnet50-experiment", "finished", "50"]


def test_offline_runs_come_with_sync(server: Server, tmp_path: Path) -> None:
    """`WANDB_MODE=offline`, and later one command."""
    script = 'run = wandb.init(project="later")\nrun.log({"a": 1})\n'
    said(script, server.url, tmp_path, WANDB_MODE="offline")
    said("pass", server.url, tmp_path)

    subprocess.run(
        [sys.executable, "-m", "runstone", "sync"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "src"),
            "RUNSTONE_SPOOL": str(tmp_path / "spool"),
        },
        check=True,
        timeout=120,
        capture_output=True,
    )

    ask = 'print(len(wandb.Api().runs("later")))'
    assert said(ask, server.url, tmp_path) == "1\n"


def test_a_script_that_fails_leaves_a_failed_run(
    server: Server, tmp_path: Path
) -> None:
    """Also where nobody said finish; what waited for the end is stored."""
    script = """
import pathlib
run = wandb.init(project="fails")
run.save("late.txt", policy="end")
pathlib.Path("late.txt").write_text("late")
raise RuntimeError("no memory")
"""
    with pytest.raises(AssertionError, match="no memory"):
        said(script, server.url, tmp_path)

    ask = 'run = wandb.Api().runs("fails")[0]; print(run.state, run.files()[0].name)'
    assert said(ask, server.url, tmp_path) == "failed late.txt\n"


def test_a_child_process_logs_to_the_run_of_its_parent(
    server: Server, tmp_path: Path
) -> None:
    """Forked workers of a loader may log too."""
    script = """
import os
run = wandb.init(project="forks")
run.log({"a": 1})
child = os.fork()
if child == 0:
    run.log({"b": 2}, step=7)
    run._core.close()
    from runstone.sdk.session import session
    session.flush()
    os._exit(0)
os.waitpid(child, 0)
"""
    said(script, server.url, tmp_path)

    ask = 'print(sorted(wandb.Api().runs("forks")[0].summary))'
    shown = said(ask, server.url, tmp_path)
    assert "'a'" in shown
    assert "'b'" in shown


def test_importing_the_names_loads_nothing_heavy(tmp_path: Path) -> None:
    """It stands in training scripts, and in their workers."""
    script = 'import sys; print(sorted({name.split(".")[0] for name in sys.modules}))'

    shown = said(script, "", tmp_path)

    for heavy in ("numpy", "pandas", "PIL", "matplotlib", "urllib3", "sqlalchemy"):
        assert f"'{heavy}'" not in shown
