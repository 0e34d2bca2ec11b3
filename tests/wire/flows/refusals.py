"""What is refused raises MlflowException with MLflow's code."""

from mlflow.entities import Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


def refused(call, *given, **named):
    """Return the code and the words of a refusal."""
    try:
        call(*given, **named)
    except MlflowException as error:
        return error.error_code, error.get_http_status_code(), str(error)
    raise AssertionError(call)


client = MlflowClient()
experiment_id = client.create_experiment("refusals")
run_id = client.create_run(experiment_id).info.run_id
missing = "0" * 32

assert refused(client.create_experiment, "refusals")[:2] == (
    "RESOURCE_ALREADY_EXISTS",
    400,
)
assert refused(client.get_run, missing)[:2] == ("RESOURCE_DOES_NOT_EXIST", 404)
assert refused(client.get_experiment, "123456")[:2] == ("RESOURCE_DOES_NOT_EXIST", 404)
assert refused(client.log_metric, missing, "m", 1)[0] == "RESOURCE_DOES_NOT_EXIST"
assert refused(client.delete_tag, run_id, "none")[0] == "RESOURCE_DOES_NOT_EXIST"

client.log_param(run_id, "lr", 0.1)
client.log_param(run_id, "lr", 0.1)
code, status, words = refused(client.log_param, run_id, "lr", 0.2)
assert (code, status) == ("INVALID_PARAMETER_VALUE", 400)
assert "Changing param values is not allowed" in words
client.log_batch(run_id, params=[Param("lr", "0.1")])
assert client.get_run(run_id).data.params == {"lr": "0.1"}

bad = refused(client.search_runs, [experiment_id], "metrics.acc ~ 1")
assert bad[:2] == ("INVALID_PARAMETER_VALUE", 400)
assert refused(client.log_metric, run_id, "a*b", 1)[0] == "INVALID_PARAMETER_VALUE"

client.delete_run(run_id)
code, status, words = refused(client.log_metric, run_id, "m", 1)
assert (code, status) == ("INVALID_PARAMETER_VALUE", 400)
assert "must be in the 'active' state" in words
