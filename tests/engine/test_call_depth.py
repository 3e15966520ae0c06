"""How many calls of ours lie between the command and the network: few, so that the way can be read in one go."""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest

import wildsr
from tests.cli.invoke import invoke
from tests.e2e.conftest import photo
from tests.engine.tiny import save, tiny_compact, tiny_rrdb
from wildsr.engine import ahead
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

MOST = 14
"""From the command's function to the one that runs the network, both counted."""
_PACKAGE = str(Path(wildsr.__file__).parent)


class _Here(ThreadPoolExecutor):
    """Runs what is handed in at once, on the caller's stack."""

    def submit(self, make: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # type: ignore[override]
        done = Future[object]()
        done.set_result(make(*args, **kwargs))
        return done


@pytest.mark.parametrize("graph", [tiny_compact(), tiny_rrdb()], ids=["whole", "body and tail in strips"])
def test_from_the_command_to_the_network(
    graph: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=12, halo_exact=12)
    model = save(embed_spec(graph, spec), tmp_path / "tiny.onnx")  # type: ignore[arg-type]
    photo(tmp_path / "a.png", size=(40, 30))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ahead, "ThreadPoolExecutor", _Here)
    seen = list[list[str]]()

    def trace(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "infer":
            stack, at = list[str](), frame.f_back
            while at is not None:
                if at.f_code.co_filename.startswith(_PACKAGE):
                    stack.append(at.f_code.co_qualname)
                at = at.f_back
            seen.append(stack[::-1])

    sys.setprofile(trace)
    try:
        done = invoke("upscale", "a.png", "-m", model, "-o", "out.png")
    finally:
        sys.setprofile(None)
    assert done.code == 0, done.err
    assert seen, "inference was not met: has its function another name now?"
    for stack in seen:
        assert stack[0] == "upscale"
        assert stack[-1] == "_infer"
        assert len(stack) <= MOST, "\n".join(stack)
