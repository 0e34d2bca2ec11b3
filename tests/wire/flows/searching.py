"""Filters, orders and pages of runs and experiments."""

from mlflow.entities import Metric, Param, ViewType
from mlflow.tracking import MlflowClient


client = MlflowClient()
experiment_id = client.create_experiment("searching", tags={"team": "vision"})
for number in range(25):
    run = client.create_run(
        experiment_id, run_name=f"run {number}", start_time=number + 1
    )
    client.log_batch(
        run.info.run_id,
        metrics=[
            Metric("accuracy", number / 25, 1, 1),
            Metric("f1 macro", number, 1, 1),
        ],
        params=[Param("n_estimators", str(100 * (number % 2)))],
    )
    client.set_terminated(run.info.run_id)


def names(**asked):
    """Return the names of what is found, from the first page to the last."""
    found, token = [], None
    while True:
        page = client.search_runs([experiment_id], page_token=token, **asked)
        found += [run.info.run_name for run in page]
        token = page.token
        if not token:
            return found


best = names(
    filter_string="metrics.accuracy > 0.9 AND params.n_estimators = '100'",
    order_by=["metrics.`f1 macro` DESC"],
    max_results=10,
)
assert best == ["run 23"]
assert len(names(max_results=4)) == 25
assert len(set(names(max_results=4, order_by=["metrics.accuracy ASC"]))) == 25
assert names(max_results=7, order_by=["start_time ASC"])[:3] == [
    "run 0",
    "run 1",
    "run 2",
]
assert names(filter_string="attributes.run_name LIKE 'run 1_'")[-1] == "run 10"
assert names(filter_string="params.none = 'x'") == []

client.delete_run(client.search_runs([experiment_id], max_results=1)[0].info.run_id)
assert len(names()) == 24
assert len(names(run_view_type=ViewType.DELETED_ONLY)) == 1
assert len(names(run_view_type=ViewType.ALL)) == 25

experiments = client.search_experiments(filter_string="tags.team = 'vision'")
assert [item.name for item in experiments] == ["searching"]
for number in range(5):
    client.create_experiment(f"page {number}")
page = client.search_experiments(
    filter_string="name LIKE 'page %'", order_by=["name DESC"], max_results=3
)
assert [item.name for item in page] == ["page 4", "page 3", "page 2"]
rest = client.search_experiments(
    filter_string="name LIKE 'page %'",
    order_by=["name DESC"],
    max_results=3,
    page_token=page.token,
)
assert [item.name for item in rest] == ["page 1", "page 0"]
assert not rest.token
