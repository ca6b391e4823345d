"""One page of a project, run as Streamlit runs it; and a project whose stages have published."""

from pathlib import Path

import yaml
from streamlit.testing.v1 import AppTest
from tests.unit.presentation.report.conftest import Project, of_prices


def shown(root, name):
    """Return a page after its first run; nothing went wrong in it."""

    def script(root, name):
        from importlib import import_module

        from heddle.presentation.dashboard.place import place_of

        page = import_module(f"heddle.presentation.dashboard.{name}")
        page.show(place_of(root))

    page = AppTest.from_function(script, args=(str(root), name), default_timeout=60)
    return checked(page.run())


def checked(page):
    """Return a page that raised nothing."""
    assert not page.exception, [(e.message, e.stack_trace) for e in page.exception]
    return page


def part(page, key, name):
    """Return a page after another of its parts was chosen."""
    return checked(page.button_group(key=key).set_value(name).run())


def words(page):
    """All the markup, and all the sentences, of a page."""
    told = [element.proto.body for element in page.get("html")]
    for kind in ("markdown", "caption", "info", "success", "warning", "error", "text", "subheader"):
        told += [element.value for element in page.get(kind)]
    return "\n".join(told)


def published_project(root: Path) -> Path:
    """Fill a folder with what the stages of an invented project publish."""
    project = Project(root).fill()
    _params(root, project.config, "report", "compete", "register")
    return root


def price_project(root: Path) -> Path:
    """The same of a project that foretells returns of prices."""
    project = of_prices.publish(Project(root))
    _params(root, project.config, "report", "select_model", "forward_return", "backtest")
    return root


def _params(root, config, report, *others):
    names = ("title", "project", "model", "metric", "target", "unit", "points")
    told = {name: getattr(config, name) for name in names}
    steps = {report: told, **{step: {"metric": config.metric} for step in others}}
    stages = {
        name: {"steps": [{"name": name, "uses": name, "with": told}], "contracts": {}}
        for name, told in steps.items()
    }
    world = {"project": "demo", "model": "price"}
    (root / "params.yaml").write_text(yaml.safe_dump({"stages": stages, "world": world}))
