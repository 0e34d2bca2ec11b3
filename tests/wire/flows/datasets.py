"""What a run read is kept beside it and found again."""

from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.tracking import MlflowClient


client = MlflowClient()
experiment_id = client.create_experiment("datasets")
run_id = client.create_run(experiment_id).info.run_id
dataset = Dataset(
    name="iris", digest="9f2a", source_type="http", source='{"url": "https://x"}'
)
used = DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", "training")])
for _ in range(2):
    client.log_inputs(run_id, [used])

inputs = client.get_run(run_id).inputs.dataset_inputs
assert len(inputs) == 1
assert inputs[0].dataset.name == "iris"
assert inputs[0].dataset.digest == "9f2a"
assert [(tag.key, tag.value) for tag in inputs[0].tags] == [
    ("mlflow.data.context", "training")
]
found = client.search_runs([experiment_id], "dataset.name = 'iris'")
assert [run.info.run_id for run in found] == [run_id]
