"""The file as a whole: one, closed, safe, readable, the same every time."""

import base64
import html
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import yaml

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.domain.typed import build
from heddle.pipeline.catalog import Catalog
from heddle.presentation.steps.report import Report, report

EVIL = "</script><img src=x onerror=alert(1)>\"'<b>&amp;"
CSS = files("heddle.presentation.report").joinpath("report.css").read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags and attributes as a browser sees them; script and style are not looked into."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.words, self.scripts, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.words).append(data)


@pytest.fixture
def page(complete):
    return complete.run()


def test_the_stage_is_found_by_its_name_with_its_configuration(tmp_path):
    """As params.yaml would call it."""
    step = Catalog(tmp_path).step("report")
    assert step.config == ("cfg", Report)
    assert step.context == "ctx"


def test_the_same_inputs_give_the_same_bytes(complete):
    """No clock, no chance, no address of this machine."""
    one = complete.run()
    assert one == complete.run()
    assert str(complete.root) not in one


def test_it_is_well_formed_and_holds_plotly_once(page):
    """Every tag that opens closes, in order; the library is there one time."""
    seen = Page(page)
    assert seen.open == []
    assert page.count("plotly.js v") == 1
    assert len(page) < 6_000_000


def test_it_asks_for_nothing_from_outside(page):
    """No address in any attribute, and a policy that forbids every connection."""
    seen = Page(page)
    for tag, attrs in seen.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        assert "src" not in attrs
        assert attrs.get("href", "#").startswith("#")
        assert not [name for name in attrs if name.startswith("on")]
    policy = next(a["content"] for t, a in seen.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "connect-src" not in policy


def test_only_its_own_two_scripts_may_run(page):
    """The policy names the hash of each script as it stands in the file, and no other."""
    told = re.search(r"script-src ([^;]+);", html.unescape(page[:2000]))[1].split()
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert told == hashes
    assert len(hashes) == 2
    assert "\r" not in "".join(scripts)  # a browser would hash another text


def test_the_contents_lead_to_every_chapter(page):
    """Each link has its target, each chapter its link, and titles are labelled."""
    seen = Page(page)
    links = [a["href"][1:] for t, a in seen.tags if t == "a"]
    chapters = [a["id"] for t, a in seen.tags if t == "section"]
    assert links == chapters
    ids = [a["id"] for _, a in seen.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_every_drawing_has_a_title_axes_and_a_sentence(page):
    """Nobody should have to guess what a chart shows, nor in which unit."""
    specs = re.findall(r'<script type="application/json" id="[^"]+">(.*?)</script>', page)
    assert len(specs) > 15
    for text in specs:
        layout = json.loads(text)["layout"]
        assert layout["xaxis"]["title"]["text"]
        bars = layout["yaxis"].get("autorange") == "reversed"  # its labels are names
        assert bars or layout["yaxis"]["title"]["text"]
    seen = [t for t, _ in Page(page).tags]
    assert seen.count("figcaption") == seen.count("figure") == len(specs) + 1


def test_plotly_knows_every_word_of_every_drawing(page):
    """Its own validator refuses a property that does not exist; the browser would ignore it."""
    from plotly.graph_objects import Figure

    for text in re.findall(r'<script type="application/json" id="[^"]+">(.*?)</script>', page):
        spec = json.loads(re.sub(r"var\(--[a-z0-9-]+\)", "#123456", text))
        assert len(Figure(spec).data) == len(spec["data"])


OURS = {"state", "kind", "metric", "direction"}  # values out of a list of the house's own
NAMED = {"params", "per_column", "baselines", "libraries", "files", "data", "parameters", "capped",
         "stages"}  # fmt: skip


def poisoned(value, key=""):
    """The same document with EVIL before every text, and before every key that is a name."""
    if isinstance(value, dict):
        return {(EVIL if key in NAMED else "") + k: poisoned(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(item, key) for item in value]
    return EVIL + value if isinstance(value, str) and key not in OURS else value


def test_names_out_of_data_cannot_inject_anything(complete):
    """Column, category, candidate, parameter, reason, stage and title: all stay text."""
    documents = [*complete.root.glob("models/*.json"), *complete.root.glob("models/*.yaml")]
    for place in (*documents, complete.root / "dvc.yaml"):
        told = yaml.safe_load(place.read_text(encoding="utf-8"))  # JSON is YAML too
        complete.write(place.relative_to(complete.root), poisoned(told))
    frame = complete.tables.read("v0").rename({"kind": EVIL})
    complete.tables.write("v0", frame, {"step": EVIL, "origin": EVIL, "licence": EVIL})
    seen = Page(complete.run(title=EVIL, project=EVIL, target=EVIL, unit=EVIL))
    assert seen.open == []
    assert not [t for t in seen.tags if t[0] == "img" or "onerror" in t[1]]
    assert EVIL in "".join(seen.words)
    assert len([t for t, a in seen.tags if t == "script" and not a]) == 2
    assert not [s for s in seen.scripts if s.startswith("{") and "<" in s]


@pytest.mark.parametrize("path", [
    "dvc.yaml", "models/imputation_study.json", "models/cluster_study.json",
    "models/leaderboard.json", "models/trials.json", "models/best_params.yaml",
    "models/evaluation.json", "models/metrics.json", "models/predictions.parquet",
    "models/model_config.yaml", "reports/timings/compete.json", "data/v1/v1_metadata.json",
])  # fmt: skip
def test_any_file_may_be_missing(complete, path):
    """A sentence takes its place, and the rest of the page stands."""
    (complete.root / path).unlink()
    seen = Page(complete.run())
    assert seen.open == []
    assert [t for t, _ in seen.tags].count("section") == 14


def test_a_project_in_which_nothing_has_run_has_a_page_too(project):
    """Every chapter is a sentence."""
    seen = Page(project.run())
    assert "No stage has published results yet." in "".join(seen.words)


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("models/leaderboard.json", b'{"entries": [', "models/leaderboard.json: cannot be read"),
        ("models/best_params.yaml", b"a: [", "models/best_params.yaml: cannot be read"),
        ("models/trials.json", b"[1]", "models/trials.json: is not a mapping"),
        ("models/evaluation.json", b"\xff", "models/evaluation.json: cannot be read"),
        ("models/predictions.parquet", b"PAR1", "models/predictions.parquet: cannot be read"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(complete, path, content, words):
    """The file is named, what to do is said, and the old report stays."""
    old = complete.run()
    (complete.root / path).write_bytes(content)
    with pytest.raises(IntegrityError) as fault:
        complete.run()
    assert str(fault.value).startswith(words)
    assert "heddle run STAGE --force" in str(fault.value)
    assert (complete.root / "reports/report.html").read_text(encoding="utf-8") == old


def test_predictions_without_a_column_are_refused(complete):
    """Both columns that a residual needs."""
    place = complete.root / "models/predictions.parquet"
    complete.tables.read("v0").write_parquet(place)
    with pytest.raises(IntegrityError, match=r"has no column 'actual'\. Known: size, age"):
        complete.run()


def test_the_configuration_is_checked():
    """An unknown key, no points to draw."""
    told = {"title": "t", "project": "p", "model": "m", "metric": "rmse", "target": "y"}
    assert build(Report, told, where="report").points == 2000
    with pytest.raises(ConfigError, match="points must be at least 1, not 0"):
        build(Report, told | {"points": 0}, where="report")
    with pytest.raises(ConfigError, match="did you mean 'title'"):
        build(Report, told | {"titel": "x"}, where="report")


def test_an_unknown_metric_is_refused_before_anything_is_written(complete):
    """With the nearest one."""
    with pytest.raises(ConfigError, match="no metric 'wmap'; did you mean 'wmape'"):
        report(complete.context(), replace(complete.config, metric="wmap"))
    assert not (complete.root / "reports/report.html").exists()


def luminance(colour):
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_enough(scheme):
    """Text at least 4.5 to 1 and marks at least 3 to 1, by day and by night."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, flags=re.DOTALL)
    tokens = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", blocks[scheme]))
    for ground in ("paper", "card"):
        for name in ("ink", "muted", "accent", "good", "warn"):
            assert contrast(tokens[name], tokens[ground]) >= 4.5, (name, ground)
        for name in ("faint", "base", *(f"series-{i}" for i in range(1, 7))):
            assert contrast(tokens[name], tokens[ground]) >= 3, (name, ground)


def test_every_colour_that_a_drawing_names_is_in_the_stylesheet(page):
    """A name without a colour would be drawn black."""
    named = set(re.findall(r"var\((--[a-z0-9-]+)\)", page[page.index("<main>") :]))
    assert len(named) > 8
    for block in re.findall(r":root \{(.*?)\}", CSS, flags=re.DOTALL):
        assert named <= set(re.findall(r"(--[a-z0-9-]+):", block))
