"""Keys are judged as MLflow judges them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import _validate_metric_name

from runstone import errors
from runstone.keys import fault
from runstone.server.mlflow.messages import named


KEYS = st.one_of(
    # Up to 3.17 MLflow overlooked a line feed at the end.
    st.text().filter(lambda key: not key.endswith("\n")),
    st.text("ab/. -_:", max_size=8),
    st.lists(st.sampled_from(["a", "..", ".", "", "b c"])).map("/".join),
)


@given(KEYS)
@example("train/loss")
@example("..a")
@example("정확도 ٣")
def test_a_key_that_mlflow_takes_is_taken_and_no_other(key: str) -> None:
    """A script that logged to MLflow logs here, and what it refused stays refused."""
    try:
        _validate_metric_name(key)  # type: ignore[no-untyped-call]  # MLflow's own
    except MlflowException:
        is_taken = False
    else:
        is_taken = True

    assert (fault(key) is None) is is_taken


def test_the_key_at_fault_is_pointed_out() -> None:
    """Among a thousand metrics the place helps."""
    with pytest.raises(
        errors.InvalidInput, match=r"\"a\*\" for parameter 'params\[2\]"
    ):
        named(["ok", "ok", "a*", "b*"], "params[{}].key")
