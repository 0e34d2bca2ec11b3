"""The environment of 002, "환경 추적", without a GPU."""

import platform
import random
import subprocess
import sys
from pathlib import Path

import mlflow


for file in ("train.py", "model.py"):
    Path(file).write_text("# code")
subprocess.check_call(["git", "init", "-q"])
subprocess.check_call(
    ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q"]
    + ["--allow-empty", "-m", "first"]
)

with mlflow.start_run():
    seed = 42
    random.seed(seed)
    mlflow.log_params(
        {
            "seed": seed,
            "python_version": sys.version,
            "gpu_name": platform.processor() or "none",
        }
    )
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"]).decode().strip()
    mlflow.log_param("git_commit", commit)
    mlflow.log_artifact("train.py")
    mlflow.log_artifact("model.py")

run = mlflow.last_active_run()
assert run.data.params["git_commit"] == commit
assert run.data.params["python_version"] == sys.version
