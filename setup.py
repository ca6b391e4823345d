"""The wheel also holds the projects, which `heddle new` copies; the rest is pyproject.toml's."""

import shutil
from pathlib import Path
from runpy import run_path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
RULES = run_path(str(HERE / "src/heddle/presentation/new/template_files.py"))


def template_sources() -> list[str]:
    """Return the files of all projects that make another one, relative to this folder."""
    projects = [p for p in sorted((HERE / "projects").iterdir()) if RULES["is_project"](p)]
    return [
        f"projects/{project.name}/{name}"
        for project in projects
        for name in RULES["template_files"](project)
    ]


class BuildWithTemplates(build_py):
    """Copies `projects/NAME/…` to `heddle/templates/NAME/…`, except where src/ itself is used."""

    def run(self) -> None:
        """Build, then add the templates."""
        super().run()
        if self.editable_mode:
            return
        shutil.rmtree(Path(self.build_lib, "heddle", "templates"), ignore_errors=True)
        for source in template_sources():
            target = self._target(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(str(HERE / source), str(target), preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return what `run` wrote."""
        return super().get_outputs(include_bytecode) + [
            str(self._target(source)) for source in template_sources() if not self.editable_mode
        ]

    def get_source_files(self) -> list[str]:
        """Return what a source distribution has to hold."""
        return super().get_source_files() + template_sources()

    def _target(self, source: str) -> Path:
        return Path(self.build_lib, "heddle", "templates", *Path(source).parts[1:])


setup(cmdclass={"build_py": BuildWithTemplates})
