"""The API's description as one HTML page: made here, so that it needs no script and no other server."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1,h2{line-height:1.2}details{border:1px solid #8884;border-radius:.4rem;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}code,pre{font:14px/1.5 ui-monospace,monospace}
pre{overflow-x:auto;padding:.6rem;background:#8881}
.method{display:inline-block;min-width:4.5rem;font-weight:700}dt{font-weight:600}dd{margin:0 0 .3rem 1.5rem}
"""


def render(document: dict[str, Any]) -> bytes:
    """The page of an OpenAPI document."""
    return "".join(_parts(document)).encode()


def _parts(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        '<p>The same for programs: <a href="/openapi.json">openapi.json</a></p><h2>Authentication</h2><dl>'
    )
    for name, scheme in document["components"]["securitySchemes"].items():
        yield f"<dt>{escape(name)}</dt><dd>HTTP Basic. {escape(scheme['description'])}</dd>"
    yield "</dl><h2>Endpoints</h2>"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(method, path, operation)
    yield "<h2>Schemas</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield _code(schema) + "</details>"
    yield "</main></body></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield (
        f'<details><summary><code><span class="method">{method.upper()}</span> {escape(path)}</code> '
        f"{escape(operation['summary'])}</summary>"
    )
    for parameter in operation.get("parameters", ()):
        text = parameter.get("description", "")
        yield f"<p><code>{escape(parameter['name'])}</code> ({escape(parameter['in'])}) {escape(text)}</p>"
    if "requestBody" in operation:
        yield "<h3>Body</h3>" + _code(operation["requestBody"]["content"]["application/json"]["schema"])
    yield "<h3>Answers</h3><dl>"
    for status, answer in operation["responses"].items():
        yield f"<dt>{escape(status)}</dt><dd>{escape(answer['description'])}</dd>"
    yield "</dl></details>"


def _code(schema: dict[str, Any]) -> str:
    text = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
    return f"<pre>{escape(text)}</pre>"
