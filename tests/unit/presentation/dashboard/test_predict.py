"""The page Predict."""

import json
import shlex

import pytest
from streamlit.testing.v1 import AppTest

from heddle.presentation.dashboard.asking import about, ask
from heddle.presentation.dashboard.nearby import Nearby, nearby
from heddle.presentation.dashboard.place import Place
from heddle.presentation.dashboard.result import beside_others, command, described, unit_of
from heddle.presentation.dashboard.theme import coloured


def opened(root, api=""):
    """Return the page of a project."""

    def script(root, api):

        import streamlit as st

        from heddle.presentation.dashboard import predict
        from heddle.presentation.dashboard.place import place_of

        st.title(predict.TITLE)
        predict.show(place_of(root, api))

    told = {"root": str(root), "api": api}
    return AppTest.from_function(script, kwargs=told, default_timeout=30).run()


def answer_in(page):
    """Return the API's document that the page shows."""
    (told,) = [json.loads(one.value) for one in page.code if one.language == "json"]
    return told


def test_a_prediction_in_the_form_is_the_api_s_answer(flats, place):
    """To the last digit; with version, digest, source and what to trace."""
    page = opened(flats)
    page.number_input(key="predict_field_size").set_value(77.7)
    page.selectbox(key="predict_field_shore").set_value("near")
    page.button(key="predict_ask").click().run()
    assert not page.exception
    told = answer_in(page)
    (one,) = told["predictions"]
    row = json.loads(command_row(page))
    over = ask(place, row)
    assert row["size"] == 77.7
    assert one | {"id": ""} == over.told | {"id": ""}
    shown = " ".join(one.value for one in page.markdown)
    assert "Model **flat/1**, from the registry" in shown
    assert "training rows most like this one" in shown
    assert f"heddle trace {one['id']}" in [one.value for one in page.code]


def command_row(page):
    """Return the row within the line for a shell."""
    (line,) = [one.value for one in page.code if one.value.startswith("curl")]
    words = shlex.split(line)
    return json.dumps(json.loads(words[words.index("-d") + 1])["instances"][0])


def test_reasons_stand_beside_their_fields_until_the_row_is_mended(flats):
    """One field is refused; then none is."""
    page = opened(flats)
    page.number_input(key="predict_field_size").set_value(-5.0)
    page.button(key="predict_ask").click().run()
    assert page.warning[0].value == "Refused: one field cannot be taken; why stands below each."
    assert ":red[size is not above 0]" in [one.value for one in page.markdown]
    assert not page.metric
    page.number_input(key="predict_field_size").set_value(50.0)
    page.button(key="predict_ask").click().run()
    assert not page.warning
    assert ":red[size is not above 0]" not in [one.value for one in page.markdown]
    assert page.metric[0].label == "price"


def test_what_is_unlike_training_is_flagged_in_words(flats):
    """And predicted all the same."""
    page = opened(flats)
    page.number_input(key="predict_field_size").set_value(900.0)
    page.selectbox(key="predict_field_shore").set_value("isle")
    page.button(key="predict_ask").click().run()
    told = [one.value for one in page.warning]
    assert "**size** lies outside of the training rows (" in told[0]
    assert told[1] == "**shore** is a word that no training row had"


def test_another_example_is_another_training_row(flats, place):
    """Again and again; and back to the typical one."""
    page = opened(flats)
    middle = page.number_input(key="predict_field_size").value
    rows = place.reference(place.model.digest)
    for number in range(2):
        page.button(key="predict_another").click().run()
        assert page.number_input(key="predict_field_size").value == rows["size"][number]
        assert page.date_input(key="predict_field_built").value == rows["built"][number]
    page.button(key="predict_typical").click().run()
    assert page.number_input(key="predict_field_size").value == middle


def test_without_an_api_there_is_one_sentence(flats):
    """Which names the address."""
    page = opened(flats, "http://127.0.0.1:9")
    assert page.error[0].value.startswith("No connection to http\\://127.0.0.1\\:9")
    assert not page.button


def test_the_line_for_a_shell_is_quoted():
    """A value with quotes stays one word."""
    row = {"a": "it's $HOME", "b": 1.5}
    words = shlex.split(command("http://127.0.0.1:1", row))
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:1/api/v1/predict"]
    assert json.loads(words[-1]) == {"instances": [row]}


def test_the_chart_of_similar_rows_marks_prediction_and_interval(place):
    """Plotly takes it in either shade."""
    import plotly.graph_objects as go

    asked = about(place)
    rows = place.reference(asked.digest)
    row = rows.row(0, named=True)
    found = nearby(rows, row, asked.columns, target="price", prediction=100.0)
    told = {"prediction": 100.0, "interval": {"lower": 80.0, "upper": 120.0, "level": 0.9}}
    figure = go.Figure(coloured(beside_others(found, told, target="price"), "light"))
    line, shade = figure.layout.shapes
    assert (line.x0, shade.x0, shade.x1) == (100.0, 80.0, 120.0)
    without = beside_others(found, told | {"interval": None}, target="price")
    assert len(without["layout"]["shapes"]) == 1
    assert isinstance(found, Nearby)


@pytest.mark.parametrize(("target", "unit"), [("price", "EUR"), ("size", ""), ("return", "")])
def test_the_unit_is_the_one_that_the_report_is_told(tmp_path, target, unit):
    """Of that target; nothing where it has none, and before there is a params.yaml."""
    assert unit_of(Place(tmp_path), target) == ""
    steps = [{"uses": "fit"}, {"with": {"target": "price", "unit": "EUR"}}]
    steps += [{"with": {"target": "return", "unit": ""}}]
    stages = {"stages": {"fetch": {}, "report": {"steps": steps}}}
    (tmp_path / "params.yaml").write_text(json.dumps(stages))
    assert unit_of(Place(tmp_path), target) == unit


@pytest.mark.parametrize(("target", "unit"), [("price", "euros"), ("size", "")])
def test_a_target_is_described_by_the_project_s_contracts(tmp_path, target, unit):
    """Nothing where they say nothing."""
    folder = tmp_path / "configs" / "data_versions"
    folder.mkdir(parents=True)
    told = "v0: {columns: {price: {type: float, description: euros}, size: {type: float}}}"
    (folder / "v0.yaml").write_text(told)
    assert described(Place(tmp_path), target) == unit
