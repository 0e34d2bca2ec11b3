"""Pixels: what an image is made of, and that PNG files hold just that."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from runstone.wandb.data_types import pixels
from runstone.wandb.errors import UsageError


def read(content: bytes) -> Any:
    """Return a PNG file's pixels as another library reads them."""
    return np.asarray(Pil.open(io.BytesIO(content)))


@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    channels=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_png_file_holds_the_pixels(
    height: int, width: int, channels: int, seed: int
) -> None:
    """Every shape of picture comes back bit for bit."""
    random = np.random.default_rng(seed)
    whole = random.integers(0, 256, (height, width, channels), np.uint8)

    found = read(pixels.png(whole))

    assert np.array_equal(found.reshape(whole.shape), whole)


def test_floats_are_shares_of_white() -> None:
    """The usual output of a network."""
    found = pixels.picture(np.array([[0.0, 0.5, 1.0]]))

    assert found[:, :, 0].tolist() == [[0, 127, 255]]


def test_floats_below_zero_are_stretched() -> None:
    """A normalised input is shown from its lowest to its highest."""
    found = pixels.picture(np.array([[-1.0, 0.0, 1.0]]))

    assert found[:, :, 0].tolist() == [[0, 127, 255]]


def test_what_is_no_number_is_black() -> None:
    """A picture with NaN is still a picture."""
    found = pixels.picture(np.array([[np.nan, 1.0]]))

    assert found[:, :, 0].tolist() == [[0, 255]]


class Tensor:
    """What of a torch tensor is used, over an array."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self.dtype = content.dtype

    def detach(self) -> "Tensor":
        """Return itself."""
        return self

    def cpu(self) -> "Tensor":
        """Return itself."""
        return self

    def numpy(self) -> Any:
        """Return the array."""
        return self._content


def test_a_tensor_has_its_channels_first() -> None:
    """Torch's order is not PNG's."""
    found = pixels.picture(Tensor(np.zeros((3, 4, 5), np.uint8)))

    assert found.shape == (4, 5, 3)


def test_a_batch_is_one_picture() -> None:
    """Side by side, eight in a row."""
    found = pixels.picture(np.zeros((10, 4, 5, 3), np.uint8))

    assert found.shape == (8, 40, 3)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 5), (0, 3), (1, 1, 1, 1, 1)])
def test_what_is_no_picture_says_what_is(shape: tuple[int, ...]) -> None:
    """The error names the shape that came."""
    with pytest.raises(UsageError, match="expected"):
        pixels.picture(np.zeros(shape))
