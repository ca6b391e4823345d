"""Where a server listens, and who can come there."""

import subprocess
import sys

import pytest

from heddle.domain.errors import BusyError, ConfigError
from heddle.serving.api.listening import check_host, is_loopback, listen


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.2", "example.org"])
def test_nobody_listens_to_all_without_keys(host):
    """The way out is told."""
    with pytest.raises(ConfigError, match=r"--host: .* anybody could ask. Give --keys FILE"):
        check_host(host, keys=False)
    check_host(host, keys=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_ones_own_machine_needs_no_keys(host):
    """Its addresses are reached from nowhere else."""
    check_host(host, keys=False)


def test_a_taken_port_is_told():
    """6 for somebody listens there, 2 for no such place."""
    with listen("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(BusyError, match=r"cannot listen on 127.0.0.1"):
            listen("127.0.0.1", first.getsockname()[1])
    with pytest.raises(ConfigError, match=r"cannot listen on 203.0.113.1"):
        listen("203.0.113.1", 0)
    with pytest.raises(ConfigError, match=r"cannot listen on 127.0.0.1:70000"):
        listen("127.0.0.1", 70_000)


def test_who_can_come_is_known():
    """Only this machine, or others as well."""
    own = ("127.0.0.1", "127.1.2.3", "::1", "localhost")
    assert all(map(is_loopback, own))
    assert not any(map(is_loopback, ("10.0.0.1", "0.0.0.0", "::", "", "example.org")))


def test_pages_listen_without_what_an_api_needs():
    """`heddle-ml[ui]` alone shows them beside an API that runs elsewhere."""
    absent = "import sys; sys.modules |= dict.fromkeys(['httptools', 'fastapi', 'uvloop'])"
    asked = "import heddle.presentation.dashboard.server, heddle.presentation.dashboard.opened"
    command = [sys.executable, "-c", f"{absent}; {asked}"]
    told = subprocess.run(command, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
