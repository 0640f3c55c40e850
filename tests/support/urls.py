"""Texts that look like URLs, of pieces that parsers disagree on."""

from hypothesis import strategies as st

PIECES = (
    *("http://", "https:", "//", "/", "\\", "@", ":", "#", "?", "[", "]", "%", "%2e", "%00"),
    *("127.0.0.1", "::1", "::ffff:", "a.b", ".", "0x7f", "0177", "1", "80", "65536", "xn--"),
    *("\t", "\n", " ", "①", "。", "\ud800", "localhost", "-", "_", ";", "&"),
)


def urls() -> st.SearchStrategy[str]:
    """Join pieces behind the one that lets a text through."""
    pieces = st.sampled_from(PIECES) | st.text(max_size=3)
    return st.lists(pieces, max_size=12).map(lambda parts: "http://" + "".join(parts))
