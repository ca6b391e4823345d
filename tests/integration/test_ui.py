"""`heddle ui` as it is started, asked and ended."""

import signal
from urllib.request import urlopen

import pytest
from tests.processes import heard

from heddle.domain.errors import BusyError, ConfigError
from heddle.presentation.cli import run
from heddle.presentation.dashboard import opened as pages
from heddle.presentation.dashboard.opened import Opened, needs_ui, opened
from heddle.serving.api.listening import listen


def test_a_process_serves_pages_and_ends_with_0(tmp_path):
    """Health and the page itself; Ctrl-C ends it, and nothing was written into the project."""
    (tmp_path / "configs").mkdir()
    with heard("ui", "-C", str(tmp_path), "--port", "0", "--no-browser") as process:
        said = next(process.stderr)
        url = said.split()[-4].rstrip(";")
        with urlopen(f"{url}/_stcore/health", timeout=30) as answer:
            assert answer.read() == b"ok"
        with urlopen(url, timeout=30) as answer:
            assert b"<title>" in answer.read()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 0
    assert said == f"pages of {tmp_path.name} at {url}; Ctrl-C ends them\n"
    assert url.startswith("http://127.0.0.1:")
    assert rest == "ended\n"
    assert [p.name for p in tmp_path.iterdir()] == ["configs"]


def refused(root, kind, match, **told):
    with pytest.raises(kind, match=match):
        opened(root, Opened(**{"port": 0, "browser": False, **told}), say=lambda _: None)


def test_usage_is_refused_before_anything_listens(tmp_path, capsys):
    """Each with what to do."""
    refused(tmp_path, ConfigError, r"is no project: .* `heddle ui -C DIR`")
    assert run(["ui", "-C", str(tmp_path), "--api", "localhost:8080"]) == 2
    assert "--api is an address such as http://127.0.0.1:8080" in capsys.readouterr().err


def test_a_taken_port_is_refused(tmp_path):
    """Before Streamlit is loaded."""
    (tmp_path / "configs").mkdir()
    with listen("127.0.0.1", 0) as door:
        door.listen()
        port = door.getsockname()[1]
        refused(tmp_path, BusyError, "Give another --port", port=port)


def test_a_missing_library_is_named(monkeypatch):
    """With the extras that bring it; what only an API needs is not asked for beside one."""
    monkeypatch.setattr(pages, "find_spec", lambda name: None if name != "streamlit" else name)
    with pytest.raises(ConfigError, match=r"pages need fastapi. pip install 'heddle-ml\[ui,serve"):
        needs_ui(api=False)
    needs_ui(api=True)
