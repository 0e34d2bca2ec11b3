"""The config: values by name, from wherever they come."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.wandb.asking import guessed
from runstone.wandb.configs import Config, flat, plain
from runstone.wandb.errors import ConfigError, UsageError


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NESTED = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_a_value_is_an_attribute_and_an_item() -> None:
    """Scripts use both, in one line."""
    config = Config()
    config.update({"lr": 0.1})

    config.epochs = 5
    config["model"] = "resnet50"

    assert (config.lr, config["epochs"], config.get("model")) == (0.1, 5, "resnet50")
    assert config.get("none", 7) == 7
    assert dict(config.items()) == config.as_dict()
    assert "lr" in config


def test_a_value_does_not_change_by_itself() -> None:
    """Two parts of a script that disagree about an input are told."""
    config = Config()
    config.lr = 0.1

    with pytest.raises(ConfigError, match="allow_val_change"):
        config.lr = 0.2
    config.update({"lr": 0.2}, allow_val_change=True)

    assert config.lr == 0.2


def test_the_same_value_may_be_said_again() -> None:
    """A resumed script says its inputs again."""
    config = Config()
    config.update({"lr": 0.1, "layers": [1, 2]})

    config.update({"lr": 0.1, "layers": (1, 2)})

    assert config.layers == [1, 2]


def test_what_argparse_parsed_is_a_config() -> None:
    """`wandb.init(config=args)` is the usual line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    config = Config()

    config.update(parser.parse_args(["--lr", "0.3"]))

    assert config.as_dict() == {"lr": 0.3}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", '{"lr": 0.1, "opt": {"name": "adam"}}'),
        ("config.yaml", "lr: 0.1\nopt:\n  name: adam\n"),
        (
            "wandb.yaml",
            "wandb_version: 1\nlr:\n  value: 0.1\nopt:\n  value: {name: adam}\n",
        ),
    ],
)
def test_a_file_is_a_config(tmp_path: Path, name: str, text: str) -> None:
    """Also in the form that W&B itself writes."""
    (tmp_path / name).write_text(text)
    config = Config()

    config.update(str(tmp_path / name))

    assert config.as_dict() == {"lr": 0.1, "opt": {"name": "adam"}}


def test_a_file_that_is_not_there_is_named() -> None:
    """The error says which."""
    with pytest.raises(UsageError, match=r"missing\.yaml"):
        Config().update("missing.yaml")


def test_what_cannot_be_a_config_says_what_can() -> None:
    """A number is none."""
    with pytest.raises(UsageError, match="expected a dict"):
        Config().update(5)


def test_params_are_flat_and_the_whole_stays_nested() -> None:
    """Params are what is searched, the whole is what scripts get back."""
    told: list[tuple[dict[str, str], str]] = []
    config = Config(lambda params, whole: told.append((params, whole)))

    config.update({"opt": {"lr": np.float64(0.1), "betas": [0.9, 0.99]}, "seed": 1})

    assert told == [
        (
            {"opt.lr": "0.1", "opt.betas": "[0.9, 0.99]", "seed": "1"},
            '{"opt": {"lr": 0.1, "betas": [0.9, 0.99]}, "seed": 1}',
        )
    ]


@given(value=NESTED)
def test_what_is_plain_stays_as_it_is(value: Any) -> None:
    """Nothing that JSON can say is turned into text."""
    assert repr(plain(value)) == repr(value)


@given(value=st.none() | st.booleans() | st.integers())
def test_a_param_is_read_back_as_the_value_it_was(value: Any) -> None:
    """Params are text; whoever compares runs wants numbers."""
    assert guessed(str(value)) == value


@given(tree=st.dictionaries(st.text(), NESTED))
def test_flat_values_are_the_leaves(tree: dict[str, Any]) -> None:
    """No leaf is lost and none is made up."""

    def leaves(value: Any) -> int:
        if isinstance(value, dict) and value:
            return sum(map(leaves, value.values()))
        return 1

    assert len(list(flat(tree, "."))) == sum(map(leaves, tree.values()))
