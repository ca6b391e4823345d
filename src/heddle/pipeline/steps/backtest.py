"""Fit the chosen pipeline anew as time goes on, and trade on what it says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from heddle.domain.typed import build
from heddle.evaluation.backtest import Rules
from heddle.evaluation.walk_forward import Schedule
from heddle.pipeline.context import StageContext
from heddle.training.plans import check_names

if TYPE_CHECKING:
    from heddle.evaluation.followed import Followed
    from heddle.evaluation.walk_forward import Refit
    from heddle.training.timeline import TimedRows
    from heddle.training.walk import Walk

__all__ = ["Backtest", "backtest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Which pipeline walks through which sessions, and by which rules it trades.

    The fields of `heddle.evaluation.walk_forward.Schedule` say when it is fitted.
    """

    target: str  # log return of `horizon` sessions
    row_key: str  # the session: one row each
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`
    candidates: Mapping[str, Any]  # name -> fields of `heddle.models.candidates.Candidate`
    horizon: int = 1  # sessions that the target looks ahead
    rules: Mapping[str, Any] = field(default_factory=dict)  # of `heddle.evaluation.backtest.Rules`
    open: str = "open"  # column of prices; those of a history have their own names
    close: str = "close"
    first: str | None = None  # session of the first forecast; null: after `initial_rows`
    initial_rows: int = 756  # before the first forecast: three years of sessions
    refit_every: int = 21  # sessions: monthly
    window: Literal["expanding", "rolling"] = "expanding"
    window_rows: int | None = None  # rolling: rows of a fit; null: as many as the first fit has
    purge: int | None = None  # sessions left out before a refit; null: the horizon
    embargo: int = 0  # further sessions left out
    draws: int = 2000  # of the bootstrap
    seed: int = 42

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ValueError(f"draws >= 1 must hold, but got {self.draws}")
        check_names("rmse", self.features, self.candidates, horizon=self.horizon)
        self.traded()
        self.schedule(self.initial_rows)

    def traded(self) -> Rules:
        """Return the rules of trading; a trade is held as long as a forecast looks ahead."""
        return build(Rules, {"horizon": self.horizon, **self.rules}, where="backtest.rules")

    def schedule(self, initial_rows: int) -> Schedule:
        """Return when the pipeline is fitted, after so many rows to begin with."""
        return Schedule(
            initial_rows=initial_rows,
            refit_every=self.refit_every,
            window=self.window,
            window_rows=self.window_rows,
            purge=self.horizon if self.purge is None else self.purge,
            embargo=self.embargo,
        )


def backtest(ctx: StageContext, cfg: Backtest) -> None:
    """Write models/backtest.json, models/equity.parquet and models/trades.parquet.

    Reads the rows, the split (the first two data versions), the price history where features are
    made of one, and models/best_params.yaml. At each refit the whole pipeline is fitted anew, what
    selects features inside it too, on rows whose target was known by then; what it says at the
    close of a session is traded in the next one. The last sessions, whose target is not known yet,
    are foretold and traded like the others, but no forecast of them is scored. Sessions of the
    split's test rows are those that no search has seen; everything is told of all sessions and of
    these apart.

    models/backtest.json (numbers; null where a figure has no value; all keys always there):

        horizon, rules{…}, schedule{…}, refits: 201
        sessions: {first, last, count, unseen_from: "2022-07-01" | null, unseen: 640}
        words: [verdict, what was seen by the search, survivorship, cautions …]
        edge: {edge: false, part: "unseen" | "all", sessions, against: "buy_and_hold",
               sharpe, against_sharpe, buy_and_hold_sharpe, difference, low, high, p_value}
        strategies: [{strategy: "model" | "buy_and_hold" | "always_up" | "drift" | "persistence",
            gross: {sessions, total_return, annual_return, volatility, sharpe, sortino,
                    max_drawdown, max_drawdown_sessions, calmar, value_at_risk_95,
                    expected_shortfall_95, alpha, beta, information_ratio},   # the last three
            net: {…},                                           # not of buy_and_hold itself
            trades: {trades, hit_rate, profit_factor, average_win, average_loss},        # net
            annual_turnover, exposure, mean_position, break_even_bps}]
        unseen: [the same rows, from unseen_from on] | null
        forecasts: {all: {rows, rmse, mae, theils_u, skill, oos_r2, oos_r2_drift,
                    directional_accuracy, up_share, pesaran_timmermann, pesaran_timmermann_p,
                    ic, ic_t, price_rmse, price_mae, price_mape, price_smape, price_skill},
                    unseen: {…} | null}
        years: [{year, sessions, model: {gross_return, net_return, sharpe, max_drawdown},
                 buy_and_hold: {…}, forecasts: {rows, rmse, skill, directional_accuracy,
                 up_share, ic} | null}]
        by_refit: [{refit, from, to, train_rows, features | null, rmse | null, gross_return,
                    net_return}]
        features: [{feature, refits, share}]                # most often selected first; [] if all
        bands: {level: 0.9, window: 60, year: 252, block, draws, sharpe: {low, high},
                drawdown: {low, high}, drawdown_year: {low, high}}             # for the monitor

    models/equity.parquet, one row per session from the first forecast on: session, close,
    position, traded, gross_return, net_return, model_gross, model (equity, net), buy_and_hold,
    always_up, drift, persistence (equity, net), predicted, actual, refit (null where the target
    is not known yet). models/trades.parquet, of the model: entry, exit, sessions, side, size,
    gross, net, closed.

    Raises:
        ConfigError: a member or column that does not exist, a purge below the horizon, `first`
            that is no session.
        DataContractError: a target that is missing, too few rows.
        IntegrityError: rows, split and prices are not of the same sessions.
    """
    from heddle.evaluation.backtest_document import backtest_document, notice

    began = time.perf_counter()
    rules, rows = cfg.traded(), _rows(ctx, cfg)
    with ctx.run() as run:
        schedule, walked, plan = _walk(ctx, cfg, rows)
        fitted = time.perf_counter()
        course = _follow(rows, walked, plan, rules)
        document = backtest_document(course, rules, schedule, seed=cfg.seed, draws=cfg.draws)
        run.params({"refits": len(plan), "edge": document["edge"]["edge"]})
        net = document["strategies"][0]["net"]
        run.metrics({key: float(value) for key, value in net.items() if value is not None})
        _write(ctx, course, document)
    for line in (notice(document), *document["words"][1:2]):
        ctx.progress.notice(f"{ctx.stage}: {line}")
    parts = {"refits": fitted - began, "accounts": time.perf_counter() - fitted}
    ctx.write_timings(began, parts)


def _rows(ctx: StageContext, cfg: Backtest) -> TimedRows:
    from heddle.models.features import read_features
    from heddle.training.timeline import timed_rows

    return timed_rows(
        ctx.tables,
        ctx.reads,
        target=cfg.target,
        session=cfg.row_key,
        features=read_features(cfg.features, where=f"{ctx.stage}.features"),
        prices=(cfg.open, cfg.close),
        horizon=cfg.horizon,
    )


def _walk(
    ctx: StageContext, cfg: Backtest, rows: TimedRows
) -> tuple[Schedule, Walk, tuple[Refit, ...]]:
    from heddle.evaluation.walk_forward import refits
    from heddle.models.candidates import read_candidates
    from heddle.registry.final_model import builder
    from heddle.training.walk import walk
    from heddle.training.workers import workers

    begin = cfg.initial_rows if cfg.first is None else rows.before(cfg.first)
    schedule = cfg.schedule(begin)
    plan = refits(schedule, len(rows.target), horizon=cfg.horizon, places=rows.places)
    make = builder(
        ctx.read_yaml("models/best_params.yaml"),
        rows.features,
        read_candidates(cfg.candidates, where="model_candidates"),
        seed=cfg.seed,
    )
    with (
        workers(ctx.cores) as pool,
        ctx.progress.task(f"{ctx.stage}: refits", total=len(plan), even=False) as bar,
    ):

        def fitted(refit: Refit) -> None:
            day = rows.sessions[refit.predict.start]
            bar.advance(note=f"{day}, {len(refit.train):,} rows")

        walked = walk(make, rows.rows, rows.target, plan, pool, on_refit=fitted)
    return schedule, walked, plan


def _follow(rows: TimedRows, walked: Walk, plan: tuple[Refit, ...], rules: Rules) -> Followed:
    from heddle.evaluation.followed import Said, followed
    from heddle.evaluation.strategies import Market

    first = plan[0].predict.start
    said = Said(
        sessions=tuple(rows.sessions[first:]),
        predicted=walked.predicted[first:],
        actual=rows.target[first:],
        drift=walked.drift[first:],
        refit=tuple(refit.number for refit in plan for _ in refit.predict),
        plan=plan,
        chosen=walked.chosen,
    )
    begin = int(rows.places[first])
    market = Market(
        sessions=rows.days[begin:], opens=rows.opens[begin:], closes=rows.closes[begin:]
    )
    return followed(said, market, rules, rows.test_from)


def _write(ctx: StageContext, course: Followed, document: Mapping[str, Any]) -> None:
    """Write the files, which are the same on every rerun."""
    from heddle.evaluation.followed import equity_table
    from heddle.evaluation.strategies import MODEL
    from heddle.frames.atomic import beside

    tables = {"equity": equity_table(course), "trades": course.found[MODEL].trades}
    for name, table in tables.items():
        with beside(ctx.path(f"models/{name}.parquet")) as part:
            table.write_parquet(part)
    ctx.write_json("models/backtest.json", document)
