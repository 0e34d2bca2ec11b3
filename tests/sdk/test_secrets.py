"""Secrets are seen by their names and their looks; ordinary words stay."""

import pytest

from runstone.sdk.capture.secrets import WORD, Redactor, is_secret_name


@pytest.mark.parametrize(
    "text",
    [
        "api_key=abc123def",
        '"password": "correct horse"',
        "Authorization: Bearer abcdef.ghijkl",
        "export WANDB_API_KEY=0123456789abcdef",
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123",
        "AKIAIOSFODNN7EXAMPLE",
        "postgresql://me:hunter22@db/x",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJ",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_secret_is_taken_away(text: str) -> None:
    """By the name before it, or by how its kind looks."""
    assert WORD in Redactor({}).text(text)


@pytest.mark.parametrize(
    "text",
    [
        "loss=0.123456 acc=0.98765432",
        "max_tokens=4096000 tokens: 1234567 tokenizer=bert-base-uncased",
        "missing key: model.layer.weight",
        "num_tokens=123456789",
        "https://example.com/a/b?c=d",
        "api_key = os.environ['KEY']",
        "primary_key=identifier monkey=business",
        "pwd: /home/somebody/work",
        "forward_pass=12345678",
        "Epoch 3: 100%|██████████| 938/938 [00:10<00:00, 88.77it/s]",
        "commit 0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A log that is full of gaps is no log."""
    assert Redactor({}).text(text) == text


def test_the_values_of_secret_variables_are_known() -> None:
    """Wherever they stand, under whatever name."""
    redactor = Redactor({"HF_TOKEN": "quite-a-word", "PWD": "/home/me/work"})

    shown = redactor.text("using quite-a-word in /home/me/work")

    assert shown == f"using {WORD} in /home/me/work"


def test_arguments_lose_their_secrets() -> None:
    """Joined with `=`, or standing behind their name, or looking random."""
    random = "Zx8kQ2mN5vB7wR3tY6uI9oP1"

    shown = Redactor({}).arguments(
        ["train.py", "--lr", "0.1", "--token", "abc", "--password=x", "--id", random]
    )

    assert shown == [
        *("train.py", "--lr", "0.1", "--token", WORD),
        *(f"--password={WORD}", "--id", WORD),
    ]


def test_paths_hashes_and_flags_are_no_secrets() -> None:
    """A command that cannot be read cannot be run again."""
    arguments = [
        "train.py",
        "--data=/mnt/Datasets/ImageNet2012/Train-Split",
        "--revision",
        "0123456789abcdef0123456789abcdef01234567",
        "--max-tokens",
        "4096",
    ]

    assert Redactor({}).arguments(arguments) == arguments


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "max_tokens", "SSH_AUTH_SOCK"])
def test_harmless_names_are_known(name: str) -> None:
    """Their values stand everywhere and must stay readable."""
    assert not is_secret_name(name)
