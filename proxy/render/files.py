"""Templates from two folders, the operator's before ours, checked before the first visitor comes."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    meta,
)

from proxy.errors import SettingsError
from proxy.links import safe_url
from proxy.render.lint import lint_source
from proxy.shipped import shipped
from proxy.widgets import CONTEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from jinja2 import Template

    Source = tuple[str, str | None, Callable[[], bool] | None]


def load(folder: Path | None, filters: Mapping[str, Callable[..., str]]) -> dict[str, Template]:
    """Compiles every template, the operator's before the shipped one."""
    if folder is not None and not folder.is_dir():
        raise SettingsError("templates", f"no folder at {folder}", "Make it, or leave the setting out.")
    folders = [shipped("templates"), *([folder] if folder else [])][::-1]
    found = FileSystemLoader(folders)
    environment = Environment(
        loader=found,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters, safe_url=lambda value: safe_url(value) or "")
    sources: dict[str, Source] = {}
    for name, allowed in CONTEXTS.items():
        if folder is not None and os.path.lexists(folder / name) and not (folder / name).is_file():
            raise unusable(f"{folder / name}", "it is no file")  # or else the shipped one would stand in
        _check(environment, name, allowed | set(environment.globals), sources)
    # What was checked is what is compiled, whatever happens to the files meanwhile.
    environment.loader = FunctionLoader(lambda name: sources.get(name) or found.get_source(environment, name))
    loaded = {name: environment.get_template(name) for name in CONTEXTS}
    for template in loaded.values():
        # Jinja layers them, and walks the layers at every rendering.
        template.globals = dict(template.globals)
    return loaded


def _check(environment: Environment, name: str, allowed: Collection[str], sources: dict[str, Source]) -> None:
    """Refuses a template, or one that it includes, that can't be compiled, lints badly or wants more."""
    if name in sources:
        return
    file: str | None = name
    try:
        sources[name] = source, file, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr] # set above
        tree = environment.parse(source, name, file)
    except TemplateSyntaxError as error:
        raise unusable(f"{error.filename or file}:{error.lineno}", str(error.message)) from error
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        raise unusable(f"{file}", f"it can't be read: {error}") from error
    for line, problem in lint_source(source):
        raise unusable(f"{file}:{line}", problem)
    for unknown in sorted(meta.find_undeclared_variables(tree) - set(allowed)):
        line = next((i for i, text in enumerate(source.splitlines(), 1) if unknown in text), 1)
        raise unusable(f"{file}:{line}", f"there is no `{unknown}` here")
    for other in meta.find_referenced_templates(tree):
        if other is not None:
            _check(environment, other, allowed, sources)


def rehearse(template: Template, sample: Mapping[str, Any]) -> None:
    """Renders a sample, before the first visitor does.

    Raises:
        SettingsError: it failed; names the file and line.
    """
    try:
        template.render(sample)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == template.filename), 1)
        raise unusable(f"{template.filename}:{line}", str(error) or type(error).__name__) from error


def unusable(place: str, problem: str) -> SettingsError:
    """The error that stops the start: which file and line, and what is wrong there."""
    mend = "docs/templates.md lists what a template is given."
    return SettingsError(f"template {place}", problem.rstrip("."), mend)
