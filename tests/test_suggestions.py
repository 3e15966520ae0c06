"""`did you mean …`, and texts made printable."""

import pytest

from wildsr.errors import did_you_mean, nearest, printable


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("lpip", "did you mean lpips?"),
        ("PSNR", "did you mean psnr?"),
        ("xyz", "known are psnr, ssim, lpips"),
        ("", "known are psnr, ssim, lpips"),
    ],
)
def test_hints(given: str, hint: str) -> None:
    assert did_you_mean(given, ("psnr", "ssim", "lpips")) == hint


def test_a_name_of_a_million_letters_is_compared_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    import difflib

    lengths: list[int] = []
    real = difflib.get_close_matches

    def watched(word: str, *rest: object, **options: object) -> list[str]:
        lengths.append(len(word))
        return real(word, *rest, **options)  # type: ignore[arg-type,call-overload]

    monkeypatch.setattr(difflib, "get_close_matches", watched)
    assert nearest("psnr" * 250_000, ("psnr",)) == []
    assert lengths == [100]


def test_spaces_of_all_scripts_stay_and_bytes_show() -> None:
    assert printable("写真\u3000集\u00a0x") == "写真\u3000集\u00a0x"
    assert printable("a\nb", keep="\n") == "a\nb"
    assert printable("\udce9\u202e\ud800") == r"\xe9\u202e\ud800"
