"""The data versions of a project that has run: table, stages, differences, rows."""

import shutil

from tests.shown_page import part, shown, words

from heddle.presentation.dashboard import versions


def test_versions_stages_differences_and_rows(done):
    """Each part says what the command of its kind says; nothing is written."""
    page = shown(done, "versions")
    table = page.dataframe[0].value.set_index("Version")
    assert {"v0", "left", "right", "both"} <= set(table.index)
    assert set(table["Contract"]) == {"kept", "none"}
    assert set(table["Stage"]) == {"up to date"}
    assert "Missing cells" in words(page)

    lineage = part(page, "versions_part", "Lineage")
    assert "up to date</span>" in words(lineage)
    assert len(lineage.get("image")) == 1

    compared = part(page, "versions_part", "Compare")
    compared.selectbox(key="versions_before").set_value("v0")
    compared.selectbox(key="versions_after").set_value("left").run()
    assert "each" in words(compared)
    assert "added" in words(compared)
    assert compared.metric[0].delta == "", "as many rows are no change"
    compared.selectbox(key="versions_after").set_value("v0").run()
    assert "v0 and v0 hold the same" in compared.success[0].value

    rows = part(page, "versions_part", "Rows")
    rows.selectbox(key="versions_head").set_value("v0").run()
    assert len(rows.dataframe[0].value) == min(50, table.loc["v0", "Rows"])
    rows.button(key="versions_check").click().run()
    assert rows.success[0].value.startswith("v0 keeps its contract")


def test_without_versions_it_says_what_to_run(done):
    """The stages are drawn all the same."""
    shutil.rmtree(done / "data")
    page = shown(done, "versions")
    assert page.info[0].value == versions._NONE_YET
    assert "would run</span>" in words(part(page, "versions_part", "Lineage"))


def test_a_contract_is_that_of_the_stage_that_writes():
    """An empty one is none."""
    told = {"stages": {"a": {"contracts": {"v1": None}}, "b": {"contracts": {"v2": {"x": 1}}}}}
    assert versions.contracts_of(told) == {"v2": {"x": 1}}
