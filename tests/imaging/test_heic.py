"""HEIC photos are read with the extra `heic`, and named with the way out without it."""

import base64
import sys
from pathlib import Path

import numpy as np
import pytest

from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging import Limits

# Nothing at hand writes HEVC, so these were made with pillow-heif 1.8.1 (x265):
#   y, x = np.mgrid[:8, :16]; rgb = np.stack([x * 16, y * 32, 128 + 0 * x], axis=2).astype(np.uint8)
#   pillow_heif.from_bytes(mode=mode, size=(16, 8), data=data.tobytes()).save(out, quality=60)
# with data rgb; rgb and alpha x * 16; rgb * 257 as "RGB;16" (10 bit); the red channel as "L"; and rgb through Pillow's
# Image.save(out, "HEIF", quality=60, exif=…) with EXIF orientation 6, which becomes a rotation of the container.
SAMPLES = {
    "rgb": (
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "ACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAFYAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
        "AAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
        "AAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNs"
        "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAIAAAAAf///9AAAAAC////yAAAAAIAAAAQcGl4"
        "aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAXm1kYXQAAABSKAGvCchryBo97tLNW06r6h4PP5sjSdUirxAOYsSJ"
        "v0JK9GUwpgOBKGwtnn5ZKWP676Jnfc9Ej0D9Zw5eJnX+bNTj0rJpHoggKYlpCo25OK4tsA=="
    ),
    "alpha": (
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAmttZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "ADRpbG9jAAAAAERAAAIAAQAAAAACjwABAAAAAAAAAFYAAgAAAAAC5QABAAAAAAAAADcAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
        "AAABAABodmMxAAAAABVpbmZlAgAAAAACAABodmMxAAAAAA5waXRtAAAAAAABAAABqmlwcnAAAAGCaXBjbwAAAHVodmNDAQNwAAAA"
        "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
        "rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
        "AAAAEAAAAAEAAAAIAAAAAf///9AAAAAC////yAAAAAIAAAAQcGl4aQAAAAADCAgIAAAAcWh2Y0MBBAgAAACf+AAAAAAe8AD8/Pj4"
        "AAAPA2AAAQAXQAEMAf//BAgAAAMAn/gAAAMAAB66AkBhAAEAJkIBAQQIAAADAJ/4AAADAAAewIIEFluqumubAgAAAwAyAAADAAIQ"
        "YgABAAZEAcFzwYkAAAAOcGl4aQAAAAABCAAAACdhdXhDAAAAAHVybjptcGVnOmhldmM6MjAxNTphdXhpZDoxAAAAACBpcG1hAAAA"
        "AAAAAAIAAQWBAgMFhAACBYYDB4iEAAAAGmlyZWYAAAAAAAAADmF1eGwAAgABAAEAAACVbWRhdAAAAFIoAa8JyGvIGj3u0s1bTqvq"
        "Hg8/myNJ1SKvEA5ixIm/Qkr0ZTCmA4EobC2eflkpY/rvomd9z0SPQP1nDl4mdf5s1OPSsmkeiCApiWkKjbk4ri2wAAAAMygBrhOQ"
        "r3Gga2chdvxQu9aKuvLj+7J27VtCaIWfPKIEAGmgwVExIpF7yhdvCBDT5oS6YA=="
    ),
    "deep": (
        "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "ACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAFUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
        "AAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQQIAAAAnbgAAAAAHvAA/P36+gAADwNgAAEAF0ABDAH//wQIAAADAJ24AAAD"
        "AAAeugJAYQABACpCAQEECAAAAwCduAAAAwAAHqAggQTZbqrprm4CGgwIAAADAMgAAAMACEBiAAEABkQBwXPBiQAAABNjb2xybmNs"
        "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAIAAAAAf///9AAAAAC////yAAAAAIAAAAQcGl4"
        "aQAAAAADCgoKAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAXW1kYXQAAABRKAGvCchqkBo97tLNW07AmZrHn82RpOqRV4iXMWJE"
        "36EleePqdt/wuBKG1sA2jbNsaRR6/bhtjLvWs1703KfsuvkzL6DM4l2hMK3QymJK1CNc"
    ),
    "gray": (
        "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAXZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "ACJpbG9jAAAAAERAAAEAAQAAAAABmgABAAAAAAAAADcAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
        "AAAAAAABAAAA9mlwcnAAAADWaXBjbwAAAHFodmNDAQQIAAAAn/gAAAAAHvAA/Pz4+AAADwNgAAEAF0ABDAH//wQIAAADAJ/4AAAD"
        "AAAeugJAYQABACZCAQEECAAAAwCf+AAAAwAAHsCCBBZbqrprmwIAAAMAMgAAAwACEGIAAQAGRAHBc8GJAAAAE2NvbHJuY2x4AAEA"
        "DQAGgAAAABRpc3BlAAAAAAAAAEAAAABAAAAAKGNsYXAAAAAQAAAAAQAAAAgAAAAB////0AAAAAL////IAAAAAgAAAA5waXhpAAAA"
        "AAEIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAP21kYXQAAAAzKAGuE5CvcaBrZyF2/FC71oq68uP7snbtW0JohZ88ogQAaaDB"
        "UTEikXvKF28IENPmhLpg"
    ),
    "turned": (
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "ADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAAFYAAgAAAAACQQABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
        "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABBmlwcnAAAADlaXBjbwAAAHVodmNDAQNwAAAA"
        "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
        "rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
        "AAAAEAAAAAEAAAAIAAAAAf///9AAAAAC////yAAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQAB"
        "BoECAwWEhgAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAgm1kYXQAAABSKAGvCchryBo97tLNW06r6h4PP5sjSdUirxAOYsSJ"
        "v0JK9GUwpgOBKGwtnn5ZKWP676Jnfc9Ej0D9Zw5eJnX+bNTj0rJpHoggKYlpCo25OK4tsAAAAAZFeGlmAABJSSoACAAAAAEAEgED"
        "AAEAAAAGAAAAAAAAAA=="
    ),
}
Y, X = np.mgrid[:8, :16]
RGB = np.stack([X * 16, Y * 32, 128 + 0 * X], axis=2)


def sample(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.heic"
    path.write_bytes(base64.b64decode(SAMPLES[kind]))
    return path


@pytest.fixture(autouse=True)
def _extra() -> None:
    pytest.importorskip("pi_heif")


@pytest.mark.parametrize(
    ("kind", "channels", "depth", "bits"),
    [("rgb", 3, 8, 8), ("alpha", 4, 8, 8), ("deep", 3, 16, 10), ("gray", 1, 8, 8)],
)
def test_kinds(kind: str, channels: int, depth: int, bits: int, tmp_path: Path) -> None:
    path = sample(kind, tmp_path)
    header, source = imaging.probe(path), imaging.open_source(path)
    assert (header.width, header.height) == (16, 8)
    assert (header.channels, header.depth, header.bits) == (channels, depth, bits)
    assert source.samples.shape == (8, 16, channels)
    assert source.metadata.icc is None
    wanted = RGB if channels >= 3 else RGB[..., :1]
    top = 255 if depth == 8 else 65535
    error = np.abs(source.samples[..., : wanted.shape[2]] / top - wanted / 255)
    assert error.mean() < 0.06  # 4:2:0 at quality 60 on 8 rows
    if kind == "deep":
        assert set(np.unique(source.samples % 64)) != {0}  # spread to 65535, not left on top of 16 bits
    if kind == "alpha":
        assert np.abs(source.samples[..., 3] - X * 16.0).mean() < 16


def test_rotation_is_the_containers_and_exif_is_settled(tmp_path: Path) -> None:
    source = imaging.open_source(sample("turned", tmp_path))
    assert (source.height, source.width) == (16, 8)
    upright = np.rot90(RGB, k=3)
    assert np.abs(source.samples - upright.astype(float)).mean() < 16
    assert source.metadata.exif is not None
    assert source.metadata.exif.endswith(b"\x12\1\3\0\1\0\0\0\1\0\0\0\0\0\0\0")


def test_limits_and_damage(tmp_path: Path) -> None:
    path = sample("rgb", tmp_path)
    with pytest.raises(LimitError):
        imaging.probe(path, limits=Limits(max_pixels=100))
    whole = path.read_bytes()
    for size in (40, 200, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"rgb\.heic"):
            imaging.read(path)


def test_without_the_extra_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(InputError, match="this installation can't read") as raised:
        imaging.read(sample("rgb", tmp_path))
    assert raised.value.hint == "pip install 'wildsr[heic]'"
