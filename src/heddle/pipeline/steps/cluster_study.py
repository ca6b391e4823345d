"""Look at the geometry of the coordinates, and choose clusters by the primary metric."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError
from heddle.pipeline.context import StageContext
from heddle.training.plans import Grid, check_names

if TYPE_CHECKING:
    from heddle.models.assembly import Features
    from heddle.models.candidates import Candidate
    from heddle.training.clusters import ClusterScore
    from heddle.training.dataset import Dataset

__all__ = ["ClusterStudy", "cluster_study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStudy:
    """What is measured, what is tried, and by which cheap model it is judged."""

    target: str
    row_key: str | tuple[str, ...]
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`
    metric: str  # primary metric
    proxies: Mapping[str, Any]  # candidates; the first whose library is there judges
    seed: int = 42
    k_from: int = 2  # of the geometry
    k_to: int = 20
    sample: int = 3000  # rows that the silhouette is measured on
    grid: Grid = field(default_factory=Grid)

    def __post_init__(self) -> None:
        if not 2 <= self.k_from <= self.k_to:
            raise ValueError(f"2 <= k_from <= k_to must hold, not {self.k_from}, {self.k_to}")
        if self.sample < 10:
            raise ValueError(f"sample must be at least 10, not {self.sample}")
        check_names(self.metric, self.features, self.proxies, where="proxies")


def cluster_study(ctx: StageContext, cfg: ClusterStudy) -> None:
    """Write models/cluster_study.json; the test rows stay closed.

    Reads the rows, the split (the first two data versions) and models/imputation_study.json.
    """
    from heddle.evaluation.metrics import metric
    from heddle.models.features import read_features
    from heddle.training.clusters import choose, geometry
    from heddle.training.dataset import read_dataset
    from heddle.training.documents import cluster_document

    began = time.perf_counter()
    metric(cfg.metric, where=f"{ctx.stage}.metric")
    features = read_features(cfg.features, where=f"{ctx.stage}.features")
    places = features.coordinates
    if not places:
        ctx.progress.notice(f"{ctx.stage}: no coordinates are configured, so no clusters")
        ctx.write_json(
            "models/cluster_study.json", cluster_document((), (), (), None, metric=cfg.metric)
        )
        ctx.write_timings(began, {})
        return
    proxy = _proxy(ctx, cfg)
    data = read_dataset(
        ctx.tables, ctx.reads, target=cfg.target, row_key=cfg.row_key, features=features
    )
    features = data.features or features
    ks = range(cfg.k_from, cfg.k_to + 1)
    with ctx.progress.task("cluster geometry", total=len(ks), even=False) as bar:
        shapes = geometry(
            data.train[list(places)].to_numpy(dtype=float),
            ks,
            sample=cfg.sample,
            seed=cfg.seed,
            on_step=lambda word: bar.advance(note=word),
        )
    looked = time.perf_counter()
    scores = _scores(ctx, cfg, data, features, proxy)
    best = choose(scores, metric=cfg.metric)
    largest = max((*cfg.grid.rbf, *cfg.grid.labels), default=0)
    if best.k == largest:
        ctx.progress.notice(f"{ctx.stage}: the best k {best.k} is the largest in the grid")
    with ctx.run() as run:
        run.params({"kind": best.kind, "k": best.k, "gamma": best.gamma, "proxy": proxy.name})
        run.metrics({cfg.metric: best.mean, f"{cfg.metric}_sd": best.sd})
    document = cluster_document(places, shapes, scores, best, metric=cfg.metric)
    ctx.write_json("models/cluster_study.json", document)
    ctx.write_timings(began, {"geometry": looked - began, "cv": time.perf_counter() - looked})


def _scores(
    ctx: StageContext, cfg: ClusterStudy, data: Dataset, features: Features, proxy: Candidate
) -> tuple[ClusterScore, ...]:
    from heddle.training.clusters import distinct_places, grid_scores, settings
    from heddle.training.workers import workers

    most = distinct_places(data, features.coordinates)
    tried = settings(cfg.grid, most)
    imputation = ctx.read_json("models/imputation_study.json")["choice"]
    if len(tried) < len(settings(cfg.grid, max((*cfg.grid.rbf, *cfg.grid.labels), default=0))):
        ctx.progress.notice(f"{ctx.stage}: a fold has {most} places; larger k are left out")
    groups = len({(s.kind, s.k if s.kind != "none" else 0) for s in tried})
    with (
        workers(ctx.cores) as pool,
        ctx.progress.task(f"clusters by {cfg.metric}", total=groups, even=False) as bar,
    ):
        return grid_scores(
            data,
            features,
            imputation,
            proxy,
            tried,
            metric=cfg.metric,
            seed=cfg.seed,
            pool=pool,
            on_step=lambda word: bar.advance(note=word),
        )


def _proxy(ctx: StageContext, cfg: ClusterStudy) -> Candidate:
    from heddle.models.candidates import read_candidates
    from heddle.models.catalogue import available

    proxies = read_candidates(cfg.proxies, where=f"{ctx.stage}.proxies")
    for proxy in proxies:
        if available(proxy.estimator) is None:
            return proxy
    reasons = " ".join(filter(None, (available(p.estimator) for p in proxies)))
    raise ConfigError("no proxy can run here", where=f"{ctx.stage}.proxies", todo=reasons)
