"""What is wrong with a file of weights is said in one printable line, whatever the file is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wildsr.assets.torch_files import load_torch
from wildsr.errors import WildsrError
from wildsr.models import import_model, load_model

torch = pytest.importorskip("torch")

HOSTILE = "two\nlines \x1b[2J\x07"


def _load(path: Path) -> object:
    return load_model(path, offline=True)


def _import(path: Path) -> object:
    return import_model(path, path.with_name("out.onnx"))


def _fill(path: Path) -> object:
    from wildsr.checkpoints import load_weights

    return load_weights(torch.nn.Conv2d(3, 3, 3), path)


def _checkpoint(path: Path) -> object:
    from wildsr.training.checkpoint import load_checkpoint

    return load_checkpoint(path)


def _profile(path: Path) -> object:
    from wildsr.degradation.profile import Profile

    return Profile.load(path)


@pytest.mark.parametrize(
    ("call", "name", "content"),
    [
        (_load, "w.pth", b"PK\3\4"),
        (_load, "w.txt", b"abc"),
        (_load, "w.onnx", b"abc"),
        (_load, "w.onnx", b""),
        (_load, "w.param", b"abc"),
        (_load, "w.bin", b"abc"),
        (_load, "folder/a.txt", b""),
        (_load, "folder/a\n1.onnx", b""),
        (_import, "w.onnx", b"abc"),
        (_import, "missing\n.onnx", None),
        (_fill, "w.safetensors", b"abc"),
        (_fill, "w.pth", b"abc"),
        (_fill, "w.txt", b"abc"),
        (_fill, "missing\n.pth", None),
        (_checkpoint, "w.ckpt", b"abc"),
        (_profile, "w.profile", b"abc"),
        (load_torch, "w.pth", b"abc"),
        (load_torch, "w.pth", b"\x80\x02]."),
    ],
)
def test_a_hostile_name_is_shown_in_one_printable_line(
    call: Callable[[Path], object], name: str, content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / HOSTILE / name.replace("w.", f"{HOSTILE}.")
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
        if path.suffix == ".param":
            path.with_suffix(".bin").write_bytes(b"")
        if path.parent.name == "folder":
            (path.parent / "b\n2.onnx").write_bytes(b"")
            path = path.parent
            if name.endswith(".txt"):
                (path / "b\n2.onnx").unlink()
    with pytest.raises(WildsrError) as caught:
        call(path)
    assert str(caught.value).isprintable()
    assert str(caught.value.hint or "").isprintable()
    assert r"\n" in str(caught.value), "the name is there"
