"""Stages out of dvc.yaml, their layers, and the threads between them."""

from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.report.lineage import lineage_section, threads
from heddle.presentation.report.pipeline_graph import StageNode, layers, read_graph


def node(name, reads=(), writes=()):
    return StageNode(name, "", tuple(reads), tuple(writes))


@st.composite
def graphs(draw):
    """Stages in a random order, each reading from some of those before it."""
    count = draw(st.integers(1, 9))
    nodes = [
        node(f"s{i}", [f"a{j}" for j in range(i) if draw(st.booleans())], [f"a{i}"])
        for i in range(count)
    ]
    return draw(st.permutations(nodes))


def slow_depth(name, by_name, makers):
    """The definition: one more than the deepest stage that it reads from."""
    reads = by_name[name].reads
    return 1 + max((slow_depth(makers[r], by_name, makers) for r in reads), default=-1)


@given(graphs())
def test_layers_are_the_longest_way_from_a_source(nodes):
    """Against a slow recursive reference, whatever the order of declaration."""
    by_name = {n.name: n for n in nodes}
    makers = {a: n.name for n in nodes for a in n.writes}
    found = {n.name: depth for depth, layer in enumerate(layers(nodes)) for n in layer}
    assert found == {name: slow_depth(name, by_name, makers) for name in by_name}


@given(graphs())
def test_threads_carry_every_reading_and_never_share_a_piece_of_lane(nodes):
    """Each pair of writer and reader is joined once; two threads of one lane do not overlap."""
    ordered = [n for layer in layers(nodes) for n in layer]
    row = {n.name: i for i, n in enumerate(ordered)}
    drawn = threads(ordered)
    joined = {(t.source, reader, a) for t in drawn for reader, items in t.readers.items()
              for a in items}  # fmt: skip
    makers = {a: n.name for n in nodes for a in n.writes}
    assert joined == {(makers[a], n.name, a) for n in nodes for a in n.reads}
    spans = [(t.lane, row[t.source], max(row[r] for r in t.readers)) for t in drawn]
    for i, (lane, first, last) in enumerate(spans):
        for other, begins, ends in spans[i + 1 :]:
            assert lane != other or last <= begins or ends <= first


def test_a_dvc_yaml_is_read_with_versions_by_their_names():
    """Outs may be mappings; metrics and plots are outputs too; both files of a version are one."""
    document = {
        "stages": {
            "a": {
                "desc": "A.",
                "outs": ["data/v0/v0.parquet", {"data/v0/v0_metadata.json": {"cache": False}}],
                "metrics": [{"models/metrics.json": {"cache": False}}],
                "plots": ["reports/curve.json"],
            },
            "b": {"deps": ["data/v0/v0.parquet", "src/x.py"], "cmd": "b"},
            "c": None,
        }
    }
    assert read_graph(document) == (
        StageNode("a", "A.", (), ("v0", "models/metrics.json", "reports/curve.json")),
        StageNode("b", "", ("v0", "src/x.py"), ()),
    )
    assert read_graph(None) == read_graph({"stages": 3}) == ()


def test_a_circle_is_still_drawn():
    """DVC refuses it; a report should not hang on it."""
    nodes = [node("a", ["y"], ["x"]), node("b", ["x"], ["y"])]
    assert [[n.name for n in layer] for layer in layers(nodes)] == [["a", "b"]]
    assert "<svg" in lineage_section(nodes, {}).html


def test_the_drawing_grows_with_what_arrives():
    """A box is as high as its readings need, and long names are cut."""
    feeders = [node(f"f{i}", (), [f"a{i}"]) for i in range(12)]
    last = node("gathers_everything_that_there_is_here", [f"a{i}" for i in range(12)], ["end"])
    html = lineage_section([*feeders, last], {last.name: {"seconds": 3.0}}).html
    assert html.count("<circle") == 12
    assert "Took" in html
    assert "Took" not in lineage_section([*feeders, last], {}).html  # nothing was timed
    assert "gathers_everything_that_there_i…" in html
    assert "3.00\N{NO-BREAK SPACE}s" in html


def test_stages_that_would_run_are_marked_and_say_why():
    """In the drawing, and with every reason in the table; without being asked there is no state."""
    nodes = [node("first", [], ["v1"]), node("second", ["v1"], ["v2"])]
    html = lineage_section(nodes, {}, {"first": (), "second": ("config k: 1 -> 2",)}).html
    assert html.count('class="stale"') == 1
    assert "up to date</span>" in html
    assert "would run</span> config k: 1 -&gt; 2" in html
    assert "State" not in lineage_section(nodes, {}).html
