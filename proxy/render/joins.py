"""Templates that only print and ask whether something is there, as plain joins: a third of Jinja's cost.

Most templates of cards are like that: names and fields of what they are given, and ``if``. Such a one becomes
a Python function that says the same, without a context, a generator and a check of each name at each card.
What does more (a filter, a loop, an include) is left to Jinja.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import markupsafe
from jinja2 import nodes

from proxy.models import Banner, Product
from proxy.widgets import CONTEXTS, Rating
from proxy.wording import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from jinja2 import Template
    from msgspec import Struct

GIVEN: dict[str, type[Struct]] = {"product": Product, "banner": Banner, "rating": Rating, "words": Words}
"""Whose fields are known."""


_escape_text: Callable[[str], str] | None = getattr(markupsafe, "_escape_inner", None)
"""What ``escape`` does for a ``str``, without the object that it puts around it: a quarter of the work."""


def _escape(value: object) -> str:
    """As Jinja prints it."""
    if type(value) is str and _escape_text is not None:
        return _escape_text(value)
    return markupsafe.escape(value)


class _OtherwiseError(Exception):
    """The template does more than that."""


def joined(template: Template) -> Callable[[Mapping[str, Any]], str] | None:
    """What renders as the template does; None where only Jinja can.

    Args:
        template: of an environment that escapes.

    Returns:
        A function from what the template is given to HTML. Where Jinja would raise, it raises, too.
    """
    environment = template.environment
    assert environment.loader is not None
    name = template.name or ""
    source, _, _ = environment.loader.get_source(environment, name)
    try:
        body = _Body(environment.parse(source), CONTEXTS[name])
    except _OtherwiseError:
        return None
    made: dict[str, Any] = {"escape": _escape}
    exec(compile(body.source, template.filename or "", "exec"), made)  # noqa: S102  as Jinja does with the same file
    render: Callable[[Mapping[str, Any]], str] = made["render"]
    return render


class _Body:
    """The function's source.

    Args:
        template: as Jinja reads it.
        names: what it is given.

    Raises:
        _OtherwiseError: the template does more than print and ask.
    """

    def __init__(self, template: nodes.Template, names: Collection[str]) -> None:
        self._names = names
        # What is printed wherever the template leads is escaped once, however often it is printed.
        always = Counter(
            self._expression(one)
            for node in template.body
            if isinstance(node, nodes.Output)
            for one in node.nodes
            if not isinstance(one, nodes.TemplateData)
        )
        self._known = {text: f"e{number}" for number, text in enumerate(always)}
        lines = [f"    {name} = escape({text})" for text, name in self._known.items()]
        lines += ["    out = []", *self._lines(template.body, "    "), "    return ''.join(out)"]
        self.source = "\n".join(["def render(given):", *lines])

    def _lines(self, body: list[nodes.Node], indent: str) -> Iterator[str]:
        if not body:
            yield f"{indent}pass"
        for node in body:
            if isinstance(node, nodes.Output):
                yield f"{indent}out += ({''.join(f'{self._printed(one)}, ' for one in node.nodes)})"
            elif isinstance(node, nodes.If):
                yield f"{indent}if {self._asked(node.test)}:"
                yield from self._lines(node.body, indent + "    ")
                for other in node.elif_:
                    yield f"{indent}elif {self._asked(other.test)}:"
                    yield from self._lines(other.body, indent + "    ")
                yield f"{indent}else:"
                yield from self._lines(node.else_, indent + "    ")
            else:
                raise _OtherwiseError

    def _printed(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.TemplateData):
            return repr(node.data)
        text = self._expression(node)
        return self._known.get(text) or f"escape({text})"

    def _asked(self, node: nodes.Node) -> str:
        return f"not {self._asked(node.node)}" if isinstance(node, nodes.Not) else self._expression(node)

    def _expression(self, node: nodes.Node) -> str:
        """A name that the template is given, or a field of one."""
        if isinstance(node, nodes.Name) and node.name in self._names:
            return f"given[{node.name!r}]"
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            given = GIVEN.get(node.node.name)
            if given is not None and node.attr in given.__struct_fields__:
                return f"{self._expression(node.node)}.{node.attr}"
        raise _OtherwiseError
