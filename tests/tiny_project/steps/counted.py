from heddle.pipeline.context import StageContext


def counted(ctx: StageContext) -> None:
    ctx.write_json("reports/said.json", {"rows": ctx.tables.read("both").height})
