"""Ids in paths: whatever they hold, the far end reads back the same segments."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.api import InvalidInput
from proxy.api.call import path_of
from proxy.api.credentials import Credentials, Target
from proxy.api.transport import Transport

ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TRANSPORT = Transport(Target(Credentials("k", "s"), "http://host/v1/", "http://host/"))


@given(st.lists(ANY | st.sampled_from([".", "..", "/", "%2e", "a/../b", "?", "#"]), min_size=1, max_size=3))
@settings(max_examples=300)
def test_segments_survive_the_way_through_the_url(segments):
    from proxy.api.call import Call, nothing

    call = Call("DELETE", path_of(*segments), b"", nothing, repeatable=True)
    target = TRANSPORT._request(call).url.raw_path.decode("ascii")
    root, version, *found = target.split("/")
    assert (root, version) == ("", "v1")
    assert [unquote(segment) for segment in found] == segments
    assert not set(target) & set("?# ")
    assert not {".", ".."} & set(found)


@pytest.mark.parametrize("segments", [("",), ("users", ""), ("", "x")])
def test_an_empty_segment_is_refused(segments):
    with pytest.raises(InvalidInput):
        path_of(*segments)
