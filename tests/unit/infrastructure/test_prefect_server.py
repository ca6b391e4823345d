"""Prefect is asked for where it is needed, and what is missing is told."""

import sys

import pytest

from heddle.domain.errors import ConfigError, HeddleError
from heddle.infrastructure.prefect_server import TemporaryServer, need_prefect, server_may_go
from heddle.presentation import cli


def test_without_the_extra_the_command_names_it(monkeypatch, tmp_path, capsys):
    """One line, exit 2; nothing else is looked at."""
    monkeypatch.setitem(sys.modules, "prefect", None)
    assert cli.run(["flow", "-C", str(tmp_path)]) == 2
    said = "error: Prefect is not installed. pip install 'heddle-ml[prefect]'\n"
    assert capsys.readouterr().err == said


def test_prefect_tells_nobody_unless_the_user_says_so(monkeypatch):
    """What stands in the environment stays."""
    pytest.importorskip("prefect", reason="the extra [prefect] is not installed")
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("PREFECT_SERVER_ANALYTICS_ENABLED", raising=False)
    need_prefect()
    import os

    assert os.environ["DO_NOT_TRACK"] == "0"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_a_server_that_does_not_come_up_says_why(monkeypatch, tmp_path):
    """Its last line is told, and how to start one by hand."""
    pytest.importorskip("prefect", reason="the extra [prefect] is not installed")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "no-number")
    server = TemporaryServer()
    try:
        with pytest.raises(ConfigError, match=r"did not come up: .*`prefect server start`"):
            server.wait()
    finally:
        server.stop()


def test_the_loss_of_a_server_is_one_line():
    """With the way on; other faults are left alone."""
    httpx = pytest.importorskip("httpx", reason="it comes with the extra [prefect]")
    with pytest.raises(HeddleError, match=r"server was lost on the way \(gone\)"), server_may_go():
        raise httpx.ConnectError("gone")
    with pytest.raises(KeyError), server_may_go():
        raise KeyError
