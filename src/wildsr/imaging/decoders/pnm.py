"""Netpbm pictures (PBM, PGM, PPM, PAM), plain and raw; read here, since Pillow cuts 16 bits to 8."""

import io
import re

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.picture import Samples

_HEAD_BYTES = 1 << 16
_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*(\d{1,9})")
_CHANNELS = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 3}


class PnmDecoder:
    """P1 to P6 by the Netpbm specification, and P7 (PAM) with one to four channels."""

    def __init__(self, file: io.FileIO, name: str, limits: Limits) -> None:
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
        values = self._plain() if self._kind in (1, 2, 3) else self._binary()
        if values.size and int(values.max()) > self._maximum:
            raise InputError(
                f"{self._name} is damaged: it has values above its stated maximum {self._maximum}"
            )
        full = 255 if self.header.depth == 8 else 65535
        if self._maximum != full:  # rounded, so that its own maximum becomes white exactly
            wide = values.astype(np.uint32)
            values = ((wide * full + self._maximum // 2) // self._maximum).astype(values.dtype)
        return Raw(samples=values.reshape(self.header.height, self.header.width, self.header.channels))

    def _binary(self) -> Samples:
        header = self.header
        row = -(-header.width // 8) if self._kind == 4 else header.width * header.channels * header.depth // 8
        self._file.seek(self._start)
        reader = io.BufferedReader(self._file)
        data = reader.read(row * header.height)
        reader.detach()  # else its end would close the file of our caller
        self._require(len(data), row * header.height)
        if self._kind == 4:
            bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(header.height, row), axis=1)
            inverted: NDArray[np.uint8] = 1 - bits[:, : header.width]
            return inverted
        if header.depth == 16:
            return np.frombuffer(data, ">u2").astype(np.uint16)
        return np.frombuffer(data, np.uint8)

    def _plain(self) -> Samples:
        """Read ASCII samples; P1's digits may touch each other."""
        header = self.header
        self._file.seek(self._start - 1)
        text = re.sub(rb"#[^\n\r]*", b"", self._file.readall())
        wanted = header.width * header.height * header.channels
        words = re.findall(rb"[01]", text) if self._kind == 1 else text.split()
        self._require(len(words), wanted)
        words = words[:wanted]
        if not all(word.isdigit() and len(word) <= 9 for word in words):
            raise InputError(f"{self._name} is damaged: something in it is no number")
        values = np.array(words, dtype="S9").astype(np.uint32)
        if int(values.max()) > self._maximum:  # before the cast below could hide it
            raise InputError(
                f"{self._name} is damaged: it has values above its stated maximum {self._maximum}"
            )
        if self._kind == 1:
            values = 1 - values
        return values.astype(np.uint8 if header.depth == 8 else np.uint16)

    def _require(self, given: int, wanted: int) -> None:
        if given < wanted:
            raise InputError(
                f"{self._name} is damaged: {given:,} of {wanted:,} samples or bytes are there",
                hint="copy or download it again; half a picture is never used",
            )
