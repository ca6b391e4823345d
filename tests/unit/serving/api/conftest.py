"""An app over the small saved model, asked without a socket."""

import pytest

from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live


@pytest.fixture
def live(registered):
    """Version 1 serves."""
    made = Live(Cascade(registered, strict=True), Address(name="price", wanted="production"))
    made.load()
    return made


@pytest.fixture
def app(live):
    """The app as it is without a setting."""
    return make_app(live)
