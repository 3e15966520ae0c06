"""XMP as XML: what is read, what is refused, and that nothing else changes."""

import tracemalloc
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wildsr.imaging.metadata import Resolution
from wildsr.imaging.metadata.fields import XMP
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.xmp import Wanted, joined, parts, rewritten
from wildsr.imaging.metadata.xmp_tree import MOST_DEPTH, MOST_NODES, XmpError, parse

SAME = Wanted(change=Change(before=(8, 8), after=(8, 8)), resolution=None)
HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
TAIL = "</rdf:RDF></x:xmpmeta>"

BILLION = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&c;</x:xmpmeta>'
)
HOSTILE = {
    "entities": BILLION,
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "external type": '<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><x/>',
    "undefined entity": "<x>&nothing;</x>",
    "too deep": "<a>" * (MOST_DEPTH + 1) + "</a>" * (MOST_DEPTH + 1),
    "too many elements": "<x>" + "<a/>" * MOST_NODES + "</x>",
    "too many attributes": "<x " + " ".join(f'a{n}=""' for n in range(MOST_NODES)) + "/>",
    "too many namespaces": "<x " + " ".join(f'xmlns:a{n}="u"' for n in range(1000)) + "/>",
    "an attribute twice": '<x a="1" a="2"/>',
    "not closed": "<x><y></x>",
    "two roots": "<x/><y/>",
    "no root": "<!-- nothing -->",
    "no text": "\ufffe",
    "empty": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packets_are_refused(name: str) -> None:
    data = HOSTILE[name].encode("utf-8", "surrogatepass")
    tracemalloc.start()
    with pytest.raises(XmpError):
        rewritten(data, SAME)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert parts(data) == ()


def test_a_packet_costs_memory_in_proportion() -> None:
    """Sixteen megabytes of text, and as many elements as are allowed."""
    text = f"{HEAD}<rdf:Description>{'word ' * 3_000_000}</rdf:Description>{TAIL}".encode()
    tracemalloc.start()
    assert rewritten(text, SAME) == text
    assert tracemalloc.get_traced_memory()[1] < 8 * len(text)
    tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_of_xmp_is_read(encoding: str) -> None:
    text = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Artist="Žofie 漢"/>'
    after = rewritten(f"{HEAD}{text}{TAIL}".encode(encoding), SAME)
    assert b'tiff:Orientation="1"' in after
    assert "Žofie 漢" in after.decode("utf-8")


LETTERS = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
)


@given(value=LETTERS, text=LETTERS)
def test_what_is_written_says_what_was_read(value: str, text: str) -> None:
    root = parse(f"{HEAD}<a><b/></a>{TAIL}".encode())
    element = root.root.elements[0].elements[0]
    element.elements[0].value = text
    element.attributes += parse(b'<z q="1"/>').root.attributes
    element.attributes[0].value = value
    again = parse(root.serialised()).root.elements[0].elements[0]
    assert again.attributes[0].value == value
    assert again.elements[0].value == text


@pytest.mark.parametrize(
    "root", ["<x/>", '<x a="&gt;"/>', "<x></x>", "<x>text</x  >", '<?xpacket?> <x y=">"/>\n<?end?>  ']
)
def test_what_stands_around_the_root_stays(root: str) -> None:
    packet = parse(root.encode())
    start = root.index("<x") if not root.startswith("<?") else root.index("<x ")
    assert packet.head == root[:start]
    assert packet.tail == root[len(root.rstrip()) :] if "?" not in root else packet.tail == "\n<?end?>  "


NAMES = [name.replace("*", "Any") for name in XMP] + [
    "rdf:li",
    "rdf:Seq",
    "rdf:Description",
    "exif:GPSLatitude",
]
NAMES += [f"stArea:{key}" for key in ("x", "y", "w", "h", "d", "unit")] + [
    "stDim:w",
    "stDim:h",
    "lr:anything",
]
NAMES += [f"Iptc4xmpExt:{key}" for key in ("rbX", "rbY", "rbW", "rbH", "rbRx", "rbUnit", "rbVertices")]
VALUES = st.one_of(
    st.sampled_from(
        ["0.5", "1", "-3", "1/0", "0/1", "1e999", "nan", "1, 2, 3, 4", "0.1,0.2,0.3,0.4", "pixel", ""]
    ),
    st.floats().map(repr),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=8),
)
TREES = st.recursive(
    st.tuples(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), VALUES),
    lambda inner: st.tuples(
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
        st.lists(inner, max_size=5),
    ),
    max_leaves=20,
)


def xml(tree: tuple[str, dict[str, str], object]) -> str:
    name, attributes, inside = tree
    text = escape(inside) if isinstance(inside, str) else "".join(map(xml, inside))  # type: ignore[call-overload]
    return (
        f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items())}>{text}</{name}>"
    )


@settings(max_examples=150)
@given(
    tree=TREES,
    orientation=st.integers(1, 8),
    before=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    after=st.tuples(st.integers(1, 99_000), st.integers(1, 99_000)),
    known=st.booleans(),
)
def test_any_structure_is_followed_or_left_out(
    tree: tuple[str, dict[str, str], object],
    orientation: int,
    before: tuple[int, int],
    after: tuple[int, int],
    known: bool,
) -> None:
    packet = f"{HEAD}{xml(tree)}{TAIL}".encode()
    change = Change(orientation=orientation, before=before if known else None, after=after)
    made = rewritten(packet, Wanted(change=change, resolution=Resolution(x=300, y=300), strip_place=True))
    assert b"GPS" not in made
    same = Wanted(
        change=Change(before=after, after=after), resolution=Resolution(x=300, y=300), strip_place=True
    )
    assert rewritten(made, same) == made  # once true, it stays as it is


def test_joining_keeps_both_and_their_prefixes() -> None:
    first = (
        f'{HEAD}<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="one"/>{TAIL}'.encode()
    )
    more = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:q="urn:q"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description q:two="2"/></rdf:RDF></x:xmpmeta>'
    )
    both = parse(joined(first, more)).root
    names = {one.name: one.value for element in both.walk() for one in element.attributes}
    assert names["http://purl.org/dc/elements/1.1/", "source"] == "one"
    assert names["urn:q", "two"] == "2"
    assert joined(first, b"<no") == first
    assert joined(b"<no", more) == b"<no"
