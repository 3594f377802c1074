from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.facts import javascript
from proxy.facts.javascript import read_config, read_literal
from proxy.facts.tokens import MAX_TOKENS


@pytest.mark.parametrize(
    ("script", "config"),
    [
        ('window.datacueConfig = {"term": "sofa"};', {"term": "sofa"}),
        ("var datacueConfig={term:'sofa',}", {"term": "sofa"}),
        ("window['datacueConfig'] = {term: `sofa`}", {"term": "sofa"}),
        ('self["datacueConfig"]={"a":1}\nvar x = 2', {"a": 1}),
        ("datacueConfig = datacueConfig || {a: 1}", {"a": 1}),
        ("datacueConfig = window.datacueConfig ?? {a: 1}", {"a": 1}),
        ("datacueConfig ||= {a: 1}", {"a": 1}),
        ("datacueConfig = {a: 1}; datacueConfig = {b: 2}", {"a": 1, "b": 2}),
        ("if (!window.datacueConfig) datacueConfig = {}; datacueConfig.term = 'x'", {"term": "x"}),
        ("datacueConfig.options.size = 4", {"options": {"size": 4}}),
        ("datacueConfig = {o: 1}; datacueConfig.o.p = 2", {"o": {"p": 2}}),
        ("datacueConfig['te' + 'rm'] = 'x'; datacueConfig['term'] = 'y'", {"term": "y"}),
        ("datacueConfig = {o: {a: 1}}; datacueConfig.o.p = 2", {"o": {"a": 1, "p": 2}}),
        ("datacueConfig = 'x' || run(); datacueConfig.a = 1", {"a": 1}),
        ("datacueConfig[key] = 'x'", {}),
        ("datacueConfig[`${a}`] = 'x'", {}),
        ("datacueConfig.a.b.c.d.e = 1", {}),
        ("datacueConfig = Object.assign({}, window.datacueConfig, {a: 1}, {b: 2})", {"a": 1, "b": 2}),
        ("Object.assign(window.datacueConfig, {a: 1})", {"a": 1}),
        ("$.extend(datacueConfig, {a: 1}, run())", {"a": 1}),
        ("Object.assign(a, datacueConfig); Object.assign; x.assign(window['a'], {b: 1})", {}),
        ("Object.assign(a.b, {a: 1})", {}),
        ("datacueConfig = JSON.parse('{\"a\": 1}')", {"a": 1}),
        ("datacueConfig = {a: JSON.parse('nonsense'), b: JSON.parse(), c: JSON.parse(x), d: 1}", {"d": 1}),
        ("if (datacueConfig == {a: 1}) run(datacueConfig)", {}),
        ("datacueConfig += {a: 1}", {}),
        ("datacueConfig = run(); datacueConfig.a = 1", {"a": 1}),
        ("datacueConfig = run()\ndatacueConfig.a = 1", {"a": 1}),
        ("datacueConfig = [1]", {}),
        ("// datacueConfig = {a: 1}\n/* datacueConfig = {b: 1} */ <!-- datacueConfig = {c: 1}", {}),
        ("'datacueConfig = {a: 1}'", {}),
        ("x = /[/']datacueConfig = {a: 1}/; datacueConfig.b = 2", {"b": 2}),
        ("x = a / b; y = c / d; datacueConfig.b = 2", {"b": 2}),
        ("return /'/.test(x), datacueConfig.b = 2", {"b": 2}),
        ("datacueConfig", {}),
        ("datacueConfig =", {}),
        ("datacueConfig.", {}),
        ("datacueConfig = {", {}),
        ("datacueConfig = {a: 1", {"a": 1}),
        ("", {}),
    ],
)
def test_assignments_are_found_wherever_they_stand(script: str, config: dict[str, Any]) -> None:
    assert read_config(script) == config


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("[1, -2.5, 0x1F, 1e3, .5, 1_000, 12n, 007]", [1, -2.5, 31, 1000.0, 0.5, 1000, 12, 7]),
        ("[true, false, null, undefined, !0, !1, !x]", [True, False, None, None, True, False]),
        ("[NaN, -x, +5, 0x, 1__0, 1" + "0" * 50 + "]", []),
        ("{a: 1, 'b': 2, \"c\": 3, 4: 5, ['d']: 6, [e]: 7, [f, g]: 8}", {"a": 1, "b": 2, "c": 3, "4": 5, "d": 6}),
        ("{a: function (x) { return {b: 1}; }, c: 2}", {"c": 2}),
        ("{a: (x, y) => ({b: x}), c: 2}", {"c": 2}),
        ("{a: new Date(), b: x.y(z)[0], c: 2}", {"c": 2}),
        ("{a() { return 1 }, get b() { return {c: 2} }, async *d() {}, e, f: 1}", {"f": 1}),
        ("{a: x ? 1 : 2, b: 1 + 2, c: 'a' + 'b' + \"c\", d: 'a' + x, e: 'a'.trim()}", {"c": "abc"}),
        ("{a: '' || 'x', b: 'y' || run(), c: 0 || null, d: null ?? 'z', e: '' ?? 'z', f: x || 'z'}",
         {"a": "x", "b": "y", "c": None, "d": "z", "e": ""}),
        ("{...{a: 1}, ...rest, b: 2}", {"a": 1, "b": 2}),
        ("{a: (1), b: ((2)), c: (1, 2), d: ()}", {"a": 1, "b": 2}),
        ("{a: `x`, b: `x${y}`, c: `it's`}", {"a": "x", "c": "it's"}),
        ("{a: 1, /* b: 2, */ c: 3 // d: 4\n}", {"a": 1, "c": 3}),
        ("[1,,2,]", [1, 2]),
        ("{a: [1}, b: 2]", {"a": [1]}),
        ("{a: 1)}", {"a": 1}),
        ("{a: {{ template }}, b: 2}", {"a": {}, "b": 2}),
        ("{a: <?php echo 1 ?>, b: 2}", {"b": 2}),
        ("{,;}", {}),
        ("{a:}", {}),
        ("run()", None),
        ("'open", "open"),
        ("", None),
    ],
)  # fmt: skip
def test_literals_are_read_and_the_rest_left_out(literal: str, value: Any) -> None:
    assert read_literal(literal) == value


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"'it\'s'", "it's"),
        (r'"a\/b\n\t\x41\u00e9\u{1F600}"', "a/b\n\tAé😀"),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\ud83d'", "\ufffd"),
        (r"'\u{110000}'", "\ufffd"),
        ("'a\\\nb'", "ab"),
        (r"'<\/script>'", "</script>"),
        (r"'\q'", "q"),
    ],
)
def test_escapes_are_resolved(literal: str, text: str) -> None:
    assert read_literal(literal) == text


def test_json_that_holds_half_a_character_is_repaired() -> None:
    assert read_config(r'datacueConfig = {"a": "\ud83d"}') == {"a": "\ufffd"}


def test_parsed_json_that_holds_half_a_character_is_left_out() -> None:
    assert read_config(r"""datacueConfig = {a: JSON.parse('"\\ud83d"'), b: 1}""") == {"b": 1}


def test_deep_nesting_is_left_out_and_its_neighbours_are_read() -> None:
    deep = "[" * 1_000 + "]" * 1_000
    assert read_config(f"datacueConfig = {{a: {deep}, b: 1}}")["b"] == 1


def test_deep_json_is_no_error() -> None:
    assert read_config('datacueConfig = {"a": ' + "[" * 100_000)["a"] is not None


@pytest.mark.parametrize("call", ["Object.assign(", "JSON.parse(", "((", "[x", "{[", "f(", "!", "-", "a."])
def test_endless_nesting_is_no_error(call: str) -> None:
    assert isinstance(read_config("datacueConfig = " + call * 30_000), dict)


@pytest.mark.parametrize(
    "piece",
    ["/*", "//", "'", '"', "`", "/[", "/", "\\", "datacueConfig=", 'datacueConfig={"a":', "datacueConfig={a:",
     "datacueConfig.a=", "{", "[", "(", "}", "a", "1", "0x", "<!--", "&", "\n", "Object.assign(datacueConfig,",
     "'a'+", "x||", "datacueConfig=datacueConfig||", "datacueConfig[", "...", "{...", "JSON.parse('[' +", " ", "*/*"],
)  # fmt: skip
def test_hostile_repetition_takes_no_more_than_linear_time(piece: str) -> None:
    started = time.process_time()
    read_config(piece * (javascript.MAX_SCRIPT // len(piece)))
    assert time.process_time() - started < 2.0  # measured: below 0.1; going back once would take minutes


def test_tokens_beyond_the_limit_are_not_read() -> None:
    assert read_config("x;" * MAX_TOKENS + "datacueConfig = {a: 1}") == {}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_whatever_json_says_is_read(config: dict[str, Any]) -> None:
    written = json.dumps(config)
    assert read_config(f"window.datacueConfig = {written};") == config
    assert read_literal(written) == config


@given(st.dictionaries(st.from_regex(r"[a-z_$][a-z0-9_$]{0,8}", fullmatch=True), json_values, max_size=4))
def test_unquoted_keys_trailing_commas_and_comments_change_nothing(config: dict[str, Any]) -> None:
    pairs = "".join(
        f"{key} : {json.dumps(value, ensure_ascii=False)}, /* , */ // }}\n" for key, value in config.items()
    )
    assert read_config(f"datacueConfig = {{ {pairs} }}") == config


fragments = st.sampled_from(
    ["datacueConfig", " = ", "{", "}", "[", "]", "(", ")", ",", ":", ";", ".", "'", '"', "`", "\\", "/", "*", "\n", "a",
     "1", "!", "-", "+", "||", "??", "...", "Object.assign(", "JSON.parse(", "function", "=>", "\\ud83d", "null", "\0"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(fragments, max_size=40).map("".join) | st.text())
def test_no_script_makes_it_raise_or_give_what_cant_be_encoded(script: str) -> None:
    json.dumps(read_config(script), ensure_ascii=False).encode()
    json.dumps(read_config("datacueConfig = " + script), ensure_ascii=False).encode()
    read_literal(script)
