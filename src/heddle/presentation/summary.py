"""What a run ends with: stages, leaderboard, model, report, and what to try next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heddle.presentation.project import OVERRIDES_KEPT
from heddle.registry.evidence import backtest_words

if TYPE_CHECKING:
    from heddle.presentation.project import Project, StageResult

__all__ = ["leaderboard_table", "show_summary"]


def show_summary(
    out: Console, project: Project, results: Sequence[StageResult], seconds: float
) -> None:
    """Print what ran, the leaderboard and the model when there are any, and the next commands."""
    ran = [r for r in results if r.outcome == "ran"]
    if ran:
        table = Table("stage", "outcome", box=None, pad_edge=False)
        table.add_column("seconds", justify="right")
        for result in results:
            word = "[green]ran[/]" if result.outcome == "ran" else "[dim]cached[/]"
            table.add_row(result.name, word, f"{result.seconds:.1f}" if result in ran else "")
        out.print(table)
    stages = "1 stage" if len(ran) == 1 else f"{len(ran)} stages"
    out.print(f"{stages} ran, {len(results) - len(ran)} cached, {seconds:.1f} s")
    root, board = project.root, "models/leaderboard.json"
    made = {
        path
        for stage in project.plan.stages
        if stage.name in {r.name for r in ran}
        for path in stage.outputs
    }
    seen = {
        path
        for stage in project.plan.stages
        if stage.name in {r.name for r in results}
        for path in stage.outputs
    }
    if board in made and (root / board).exists():
        out.print(leaderboard_table(json.loads((root / board).read_text("utf-8")), root))
    if "models/model_config.yaml" in seen:
        _show_model(out, root)
    if "reports/report.html" in seen:
        daily = any(_has_history(e) for e in project.plan.entries.values())
        _show_next(out, root, sample=not any(project.plan.files.values()), daily=daily)
    if project.overrides:
        out.print(f"[dim]{OVERRIDES_KEPT}[/]")


def leaderboard_table(board: Mapping[str, Any], root: Path) -> Table:
    """Return the candidates and baselines, best first."""
    timings = _timings(root)
    better = "more" if board.get("direction") == "maximise" else "less"
    title = f"leaderboard: {board['metric']} on the folds of the training rows ({better} is better)"
    table = Table("candidate", title=title, title_justify="left", box=None, pad_edge=False)
    against = board.get("skill_against")
    skill = (f"skill against {against}",) if against else ()
    for word in ("mean", "sd", *skill, "trials", "seconds"):
        table.add_column(word, justify="right")
    for entry in board["entries"]:
        name = entry["candidate"]
        shown = f"[dim]{name} (baseline)[/]" if entry["baseline"] else name
        fit = timings.get(name)
        gain = (_percent(entry.get("skill")),) if against else ()
        row = (_figure(entry["mean"]), _figure(entry["sd"]), *gain, str(entry.get("trials", 1)))
        table.add_row(shown, *row, f"{fit:.1f}" if fit is not None else "")
    for skipped in board.get("skipped", ()):
        blank = [""] * (4 if against else 3)
        table.add_row(f"[dim]{skipped['candidate']}[/]", *blank, escape(skipped["reason"]))
    return table


def _figure(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 1 else f"{value:.5f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:+.1%}"


def _timings(root: Path) -> Mapping[str, float]:
    """Return the seconds of each candidate, from the stage that a project competes in."""
    for stage in ("compete", "tune"):
        path = root / "reports" / "timings" / f"{stage}.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return {str(name): float(seconds) for name, seconds in found.get("parts", {}).items()}
    return {}


def _show_model(out: Console, root: Path) -> None:
    import yaml

    path = root / "models" / "model_config.yaml"
    if not path.exists():
        return
    model = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]
    metric = model["primary_metric"]
    folds, test = model["cv"].get(metric), model["metrics"][metric]
    out.print(
        f"[bold]model[/] {model['name']} version {model['version']}, alias {model['stage']}: "
        f"{model['best_model']}",
        soft_wrap=True,
    )
    out.print(
        f"  {metric} {test:.5g} on the test rows ({folds:.5g} on the folds); {_more(model)}",
        soft_wrap=True,
    )
    evidence = model.get("evidence") or {}
    if "edge" in evidence:
        word = "[green]an edge[/]" if evidence["edge"] else "[yellow]no edge[/]"
        p = next((evidence[k] for k in ("p_corrected", "p_value") if evidence.get(k)), None)
        sure = "" if p is None else f" (p of being better only by chance {p:.3f})"
        out.print(f"  {word} over {evidence['against']} on the folds{sure}", soft_wrap=True)
    if proven := backtest_words(evidence):
        out.print(f"  {proven}", soft_wrap=True)


def _more(model: Mapping[str, Any]) -> str:
    """Return the figures beside the primary one, of a level or of a return."""
    found = model["metrics"]
    if "mape" in found:
        told = f"MAPE {found['mape']:.2f} %, RMSE {_figure(found['rmse'])}, "
        return f"{told}R² {found['r2']:.4f}"
    rivals = {name: each[model["primary_metric"]] for name, each in model["baselines"].items()}
    return "beside it " + ", ".join(f"{name} {value:.5g}" for name, value in rivals.items())


def _has_history(entry: Mapping[str, Any]) -> bool:
    """Tell whether a stage's features come from a history, so that a prediction needs no file."""
    told = (step["with"] for step in entry["steps"])
    return any(((values or {}).get("features") or {}).get("history") for values in told)


def _refused(root: Path) -> bool:
    """Tell whether the choice itself says that its winner is better than nothing."""
    try:
        found = json.loads((root / "models" / "selection.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return not found.get("edge", True)


def _show_next(out: Console, root: Path, *, sample: bool, daily: bool) -> None:
    report = root / "reports" / "report.html"
    if not report.exists():
        return
    out.print(f"[bold]report[/] {report}", soft_wrap=True)
    here = "" if root == Path.cwd() else f" -C {shlex.quote(str(_relative(root)))}"
    store = shlex.quote(f"sqlite:///{_relative(root / 'mlruns' / 'mlflow.db')}")
    out.print("[bold]next[/]")
    commands = {
        f"heddle run{here} ingestion=file ingestion.path=FILE": "the same on your file",
        **({} if _refused(root) else {f"heddle promote{here}": "staging -> production"}),
        **(
            {f"heddle predict{here} --model staging": "what comes next"}
            if daily
            else {f"heddle predict{here} FILE -o predictions.parquet": "score rows"}
        ),
        f"mlflow ui --backend-store-uri {store}": "runs and models",
    }
    width = max(map(len, commands))
    for command, words in list(commands.items())[0 if sample else 1 :]:
        out.print(f"  {command:<{width}}  # {words}", soft_wrap=True, markup=False)


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
