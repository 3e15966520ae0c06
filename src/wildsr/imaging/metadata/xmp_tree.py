"""XMP packets as a tree of XML elements, prefixes kept as written; parsed by expat, without DTDs or entities."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from wildsr.imaging.metadata.fields import NAMESPACES

MOST_NODES: Final = 100_000
"""Elements and attributes of one packet; Camera Raw's with hundreds of masks have some tens of thousands."""
MOST_DEPTH: Final = 100
_MOST_PREFIXES: Final = 250

RDF: Final = NAMESPACES["rdf"]

Name = tuple[str, str]
"""Namespace and local name."""


class XmpError(ValueError):
    """A packet that is no XML, or more than may be read."""


@dataclass(slots=True)
class Attribute:
    """An attribute of an element."""

    prefixed: str
    """As written: `exif:GPSLatitude`."""

    name: Name
    value: str


@dataclass(slots=True)
class Element:
    """An element, with what is in it in order."""

    prefixed: str
    name: Name
    attributes: list[Attribute] = field(default_factory=list)
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def elements(self) -> "list[Element]":
        """The elements directly inside."""
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def value(self) -> str:
        """The text directly inside."""
        return "".join(child for child in self.children if isinstance(child, str))

    @value.setter
    def value(self, text: str) -> None:
        self.children = [text]

    def walk(self) -> "Iterator[Element]":
        """Yield this element and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.elements)

    def keep(self, wanted: Callable[[Name], bool]) -> None:
        """Leave out the attributes and elements below that aren't wanted, with all they hold."""
        for element in self.walk():
            element.attributes = [one for one in element.attributes if wanted(one.name)]
            element.children = [
                child for child in element.children if isinstance(child, str) or wanted(child.name)
            ]


@dataclass
class Packet:
    """A packet: the root element, and what stands before and behind it (`<?xpacket …?>`, padding)."""

    root: Element
    head: str
    tail: str

    def serialised(self) -> bytes:
        """Return the packet as UTF-8."""
        pieces = [self.head]
        waiting: list[Element | str] = [self.root]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                pieces.append(one)
                continue
            attributes = "".join(f" {a.prefixed}={_quoted(a.value)}" for a in one.attributes)
            if not one.children:
                pieces.append(f"<{one.prefixed}{attributes}/>")
                continue
            pieces.append(f"<{one.prefixed}{attributes}>")
            waiting.append(f"</{one.prefixed}>")
            waiting += [escape(c) if isinstance(c, str) else c for c in reversed(one.children)]
        return "".join((*pieces, self.tail)).encode("utf-8")


def _quoted(value: str) -> str:
    return quoteattr(value, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def parse(packet: bytes) -> Packet:
    """Return a packet as a tree.

    Raises:
        XmpError: It is not well-formed, has a document type (and so could have entities), or is larger than
            `MOST_NODES` or deeper than `MOST_DEPTH`.
    """
    try:
        text = _decoded(packet)
        return _Builder(text).packet()
    except (expat.ExpatError, UnicodeDecodeError, ValueError) as error:
        raise error if isinstance(error, XmpError) else XmpError("it is no well-formed XML") from error


def _decoded(packet: bytes) -> str:
    for mark, encoding in ((b"\xfe\xff", "utf-16"), (b"\xff\xfe", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if packet.startswith(mark):
            return packet.decode(encoding)
    if packet[:2] == b"\0<":
        return packet.decode("utf-16-be")
    if packet[:2] == b"<\0":
        return packet.decode("utf-16-le")
    return packet.rstrip(b"\0").decode("utf-8")


class _Builder:
    """Makes elements of expat's events."""

    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-8")
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._root: Element | None = None
        self._open: list[Element] = []
        self._scopes: list[dict[str, str]] = [{"xml": "http://www.w3.org/XML/1998/namespace", "": ""}]
        self._nodes = 0
        self._begin = self._stop = 0

    def packet(self) -> Packet:
        """Parse and return the packet."""
        self._parser.Parse(self._data, True)
        if self._root is None:
            raise XmpError("it is empty")
        return Packet(
            self._root, self._data[: self._begin].decode("utf-8"), self._data[self._stop :].decode("utf-8")
        )

    def _start(self, tag: str, pairs: list[str]) -> None:
        self._nodes += 1 + len(pairs) // 2
        if self._nodes > MOST_NODES:
            raise XmpError(f"it has more than {MOST_NODES:,} elements and attributes")
        if len(self._open) >= MOST_DEPTH:
            raise XmpError(f"it is nested more than {MOST_DEPTH} deep")
        both = list(zip(pairs[::2], pairs[1::2], strict=True))
        bound = {name[6:]: value for name, value in both if name == "xmlns" or name.startswith("xmlns:")}
        scope = self._scopes[-1] | bound if bound else self._scopes[-1]
        if len(scope) > _MOST_PREFIXES:
            raise XmpError("it has more namespaces than any packet")
        element = Element(
            tag,
            _resolved(tag, scope, default=scope[""]),
            [Attribute(name, _resolved(name, scope, default=""), value) for name, value in both],
        )
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._begin = self._parser.CurrentByteIndex
            self._root = element
        self._open.append(element)
        self._scopes.append(scope)

    def _end(self, tag: str) -> None:
        self._open.pop()
        self._scopes.pop()
        if not self._open:
            at = self._parser.CurrentByteIndex
            behind = self._data[at : at + 2] != b"</"  # an empty element's end is told behind its tag
            self._stop = at if behind else self._data.index(b">", at) + 1

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].children.append(text)

    def _refuse(self, *_: object) -> None:
        raise XmpError("it has a document type, which could hold entities without end")


def _resolved(prefixed: str, scope: dict[str, str], *, default: str) -> Name:
    prefix, colon, local = prefixed.partition(":")
    if not colon:
        return default, prefix
    if prefix == "xmlns":
        return "xmlns", local
    return scope.get(prefix) or NAMESPACES.get(
        prefix, prefix
    ), local  # some writers forget to bind their prefixes
