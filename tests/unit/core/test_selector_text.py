"""Label selectors as people write them."""

import pytest

from dayfly_core.selector_text import InvalidSelector, parse
from dayfly_core.selectors import matches

LABELS = {"team": "web", "env": "dev", "shared": ""}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param("", True, id="nothing is everything"),
        pytest.param(" * ", True, id="so is a star"),
        pytest.param("team=web", True, id="equal"),
        pytest.param("team == web", True, id="equal, as in a program"),
        pytest.param("team=api", False, id="another"),
        pytest.param("other=", False, id="absent is not empty"),
        pytest.param("shared=", True, id="empty"),
        pytest.param("team!=api", True, id="not equal"),
        pytest.param("other!=api", True, id="absent is not equal"),
        pytest.param("team!=web", False, id="not equal, but it is"),
        pytest.param("shared", True, id="there, even empty"),
        pytest.param("other", False, id="not there"),
        pytest.param("!other", True, id="absent"),
        pytest.param("!team", False, id="absent, but it is there"),
        pytest.param("env in (dev, test)", True, id="one of several"),
        pytest.param("env notin(dev,test)", False, id="none of several, but it is one"),
        pytest.param("env in (dev,test),team=web, !other", True, id="all terms must fit"),
        pytest.param("env in (dev,test),team=api", False, id="one term that does not"),
    ],
)
def test_what_a_selector_selects(text: str, fits: bool) -> None:
    assert matches(parse(text), LABELS) is fits


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param("team web", "'team web' must be a label key", id="no sign"),
        pytest.param("team=web,", "'' must be a label key", id="a comma at the end"),
        pytest.param("team=a b", "'a b' must be a label value", id="a blank in a value"),
        pytest.param("env in dev", "'env in dev' must be a label key", id="no parentheses"),
        pytest.param("a in (b", "'a in (b' must be a label key", id="one parenthesis"),
        pytest.param("=web", "'' must be a label key", id="no key"),
    ],
)
def test_what_is_no_selector(text: str, wrong: str) -> None:
    with pytest.raises(InvalidSelector) as refused:
        parse(text)
    assert wrong in str(refused.value)
    assert "write for example team=web,env in (dev,test)" in str(refused.value)
