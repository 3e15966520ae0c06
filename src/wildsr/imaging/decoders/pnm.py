"""Netpbm pictures (PBM, PGM, PPM, PAM), plain and raw; read here, since Pillow cuts 16 bits to 8."""

import io
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples

_HEAD_BYTES = 1 << 16
_PIECE = 1 << 18
_LONGEST_NUMBER = 9
_SPACES = (b" ", b"\n", b"\t", b"\r", b"\v", b"\f")
_COMMENT, _LINE_END = re.compile(rb"#[^\n\r]*"), re.compile(rb"[\n\r]")
_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*(\d{1,9})")
_CHANNELS = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 3}


class PnmDecoder:
    """P1 to P6 by the Netpbm specification, and P7 (PAM) with one to four channels."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        self._file, self._name = file, name
        head = file.read(_HEAD_BYTES)
        self._kind = head[1] - ord("0")
        numbers, self._start = self._pam(head) if self._kind == 7 else self._classic(head)
        width, height, channels, self._maximum = numbers
        if min(width, height) < 1 or not 1 <= self._maximum <= 65535 or not 1 <= channels <= 4:
            raise InputError(
                f"{name} says it is {width} × {height}, {channels} channels, maximum {self._maximum}; "
                "PNM has sizes from 1, 1 to 4 channels and maxima from 1 to 65535"
            )
        limits.check_size(name, width, height)
        self.header = Header(
            format="pnm",
            width=width,
            height=height,
            channels=channels,
            bits=1 if self._kind in (1, 4) else self._maximum.bit_length(),
            depth=8 if self._maximum <= 255 else 16,
            colour="gray" if channels < 3 else "rgb",
            alpha=channels in (2, 4),
            file_bytes=file.seek(0, io.SEEK_END),
        )

    def _classic(self, head: bytes) -> tuple[tuple[int, int, int, int], int]:
        wanted = 2 if self._kind in (1, 4) else 3
        numbers, at = [], 2
        for _ in range(wanted):
            found = _TOKEN.match(head, at)
            if found is None:
                raise InputError(f"{self._name} is damaged: its PNM header is incomplete")
            numbers.append(int(found[1]))
            at = found.end()
        width, height = numbers[:2]
        return (width, height, _CHANNELS[self._kind], numbers[2] if wanted == 3 else 1), at + 1

    def _pam(self, head: bytes) -> tuple[tuple[int, int, int, int], int]:
        end = head.find(b"ENDHDR\n")
        fields = dict(re.findall(rb"^(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})\s*$", head[: max(end, 0)], re.M))
        if end < 0 or len(fields) < 4:
            raise InputError(f"{self._name} is damaged: its PAM header is incomplete")
        width, height, channels, maximum = (
            int(fields[k]) for k in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
        )
        return (width, height, channels, maximum), end + len(b"ENDHDR\n")

    def decode(self) -> Raw:
        """Return all pixels; raise InputError where some are missing or beyond the stated maximum."""
        header = self.header
        wanted = header.width * header.height * header.channels
        # pages nobody writes to cost nothing: memory follows what is read, not what the header says
        samples: Samples = np.empty(wanted, np.uint8 if header.depth == 8 else np.uint16)
        if self._kind in (1, 2, 3):
            pieces, least = self._plain(wanted), wanted if self._kind == 1 else 2 * wanted - 1
        else:
            pieces, least = self._binary(), self._row * header.height
        self._require(header.file_bytes - self._start, least)
        done = 0
        for values in pieces:
            if int(values.max(initial=0)) > self._maximum:
                raise InputError(
                    f"{self._name} is damaged: it has values above its stated maximum {self._maximum}"
                )
            samples[done : done + len(values)] = self._scaled(values)
            done += len(values)
        self._require(done, wanted)
        return Raw(samples=samples.reshape(header.height, header.width, header.channels))

    def _scaled(self, values: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return values on the scale of their depth, rounded, so that the stated maximum becomes white exactly."""
        full = 255 if self.header.depth == 8 else 65535
        if self._maximum == full:
            return values
        scaled: NDArray[np.uint32] = (values * full + self._maximum // 2) // self._maximum
        return scaled

    @property
    def _row(self) -> int:
        """Bytes of a row of a binary picture."""
        header = self.header
        return (
            -(-header.width // 8) if self._kind == 4 else header.width * header.channels * header.depth // 8
        )

    def _binary(self) -> Iterator[NDArray[np.uint32]]:
        """Yield the samples of some rows at a time."""
        self._file.seek(self._start)
        rows = max(1, _PIECE // self._row)
        for y in range(0, self.header.height, rows):
            count = min(rows, self.header.height - y)
            data = self._file.read(count * self._row)
            self._require(len(data), count * self._row)
            if self._kind == 4:
                bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(count, self._row), axis=1)
                yield (1 - bits[:, : self.header.width]).ravel().astype(np.uint32)
            else:
                yield np.frombuffer(data, ">u2" if self.header.depth == 16 else np.uint8).astype(np.uint32)

    def _plain(self, wanted: int) -> Iterator[NDArray[np.uint32]]:
        """Yield `wanted` samples written as text, some at a time; P1's digits may touch each other."""
        rest = b""
        for piece in self._without_comments():
            text = rest + piece
            cut = len(text) if self._kind == 1 else 1 + max(text.rfind(space) for space in _SPACES)
            words, rest = text[:cut].split(), text[cut:]
            if self._kind == 1:
                words = [b"".join(words)[:wanted]] if words else []
            numbers = self._numbers(words[:wanted], rest)
            wanted -= len(numbers)
            yield numbers
            if not wanted:
                return
        yield self._numbers(rest.split()[:wanted], b"")

    def _numbers(self, words: list[bytes], rest: bytes) -> NDArray[np.uint32]:
        longest = max(map(len, (*words, rest))) if self._kind != 1 else 0
        if longest > _LONGEST_NUMBER or (words and not b"".join(words).isdigit()):
            raise InputError(f"{self._name} is damaged: something in it is no number")
        if self._kind == 1:  # 1 is black
            return (np.uint8(ord("1")) - np.frombuffer(b"".join(words), np.uint8)).astype(np.uint32)
        return np.array(words, dtype=f"S{_LONGEST_NUMBER}").astype(np.uint32)

    def _without_comments(self) -> Iterator[bytes]:
        """Yield the text behind the header in pieces, comments (from `#` to the end of a line) left out."""
        self._file.seek(self._start - 1)
        inside = False
        while piece := self._file.read(_PIECE):
            if inside:
                end = _LINE_END.search(piece)
                if end is None:
                    continue
                piece = piece[end.start() :]
            last = piece.rfind(b"#")
            inside = last >= 0 and _LINE_END.search(piece, last) is None
            yield _COMMENT.sub(b"", piece)

    def _require(self, given: int, wanted: int) -> None:
        if given < wanted:
            raise InputError(
                f"{self._name} is damaged: {given:,} of {wanted:,} samples or bytes are there",
                hint="copy or download it again; half a picture is never used",
            )
