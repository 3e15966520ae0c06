"""The rule for output names: files and folders, mirrored trees, collisions, escapes, long names."""

import os
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wildsr.errors import OutputError, UsageError
from wildsr.files import Found, Job, find_pictures, make_folder, plan_outputs, refuse_existing, scale_suffix

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def found(root: str | Path, *relatives: str, explicit: bool = False) -> list[Found]:
    base = Path(root)
    return [Found(path=base / one, root=base, relative=Path(one), explicit=explicit) for one in relatives]


def targets(pictures: list[Found], output: str | Path | None, **options: str) -> list[str]:
    plan = plan_outputs(
        pictures, output, suffix=options.get("suffix", "_x4"), extension=options.get("extension")
    )
    return [job.target.as_posix() for job in plan.jobs]


def test_a_file_name_for_one_picture(tmp_path: Path) -> None:
    one = found(tmp_path, "a.jpg", explicit=True)
    assert targets(one, tmp_path / "new" / "big.JPG") == [f"{tmp_path}/new/big.JPG"]
    assert plan_outputs(one, tmp_path / "new" / "big.jpg").folder == tmp_path / "new"


@pytest.mark.parametrize("output", ["out", "out.v2", "out/", "out.png/"])
def test_anything_else_is_a_folder(tmp_path: Path, output: str) -> None:
    one = found(tmp_path, "a.jpg", explicit=True)
    assert targets(one, f"{tmp_path}/{output}") == [f"{tmp_path}/{output.rstrip('/')}/a_x4.png"]


def test_an_existing_folder_is_a_folder_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "trip.png").mkdir()
    assert targets(found(tmp_path, "a.jpg", explicit=True), tmp_path / "trip.png") == [
        f"{tmp_path}/trip.png/a_x4.png"
    ]


def test_beside_the_picture_without_output() -> None:
    assert targets(found("/photos", "x/a.jpg", "b.webp"), None) == ["/photos/x/a_x4.png", "/photos/b_x4.png"]


def test_the_tree_is_mirrored_below_the_output() -> None:
    plan = plan_outputs(found("/photos", "2024/trip/a.jpg", "2024/a.jpg", "a.jpg"), "/out", extension=".JPG")
    assert [job.target.as_posix() for job in plan.jobs] == [
        "/out/2024/trip/a_x4.jpg",
        "/out/2024/a_x4.jpg",
        "/out/a_x4.jpg",
    ]
    assert plan.folder == Path("/out")


def test_suffix_and_extension() -> None:
    assert targets(found("/p", "a.b.jpg"), "/out", suffix="", extension="webp") == ["/out/a.b.webp"]
    assert targets(found("/p", ".jpg", "noext"), "/out", suffix="_big") == [
        "/out/.jpg_big.png",
        "/out/noext_big.png",
    ]
    assert [scale_suffix(scale) for scale in (4, 4.0, 2.5, 16)] == ["_x4", "_x4", "_x2.5", "_x16"]


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("/out", {"extension": "gif"}, r"can't write \.gif"),
        ("/out", {"extension": "../png"}, "can't write"),
        ("big.bmp", {}, r"can't write \.bmp"),
        ("big.png", {"extension": "webp"}, "contradict"),
        ("/out", {"suffix": "/../x"}, "--suffix"),
        ("/out", {"suffix": "x" * 101}, "--suffix"),
        ("", {}, "empty"),
        ("a\0.png", {}, "NUL"),
    ],
)
def test_impossible_wishes_are_usage_errors(output: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        targets(found("/photos", "a.jpg", explicit=True), output, **options)


def test_jpg_and_jpeg_agree_or_say_so() -> None:
    assert targets(found("/p", "a.png", explicit=True), "b.jpg", extension="jpg") == ["b.jpg"]


def test_a_file_name_for_several_pictures_is_refused() -> None:
    with pytest.raises(UsageError, match="names one file"):
        targets(found("/photos", "a.jpg", "b.jpg", explicit=True), "/out/x.png")
    with pytest.raises(UsageError, match="names one file"):
        targets(
            found("/photos", "a.jpg"), "/out/x.png"
        )  # the one picture of a folder today may be two tomorrow


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("text")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        targets(found("/photos", "a.jpg", explicit=True), tmp_path / "out")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        make_folder(tmp_path / "out")
    with pytest.raises(OutputError, match="can't write"):
        make_folder(tmp_path / "out" / "below")


@pytest.mark.parametrize(
    ("pictures", "results"),
    [
        (("p3.jpg", "p3.png", "p4.png"), ("p3_jpg_x4.png", "p3_png_x4.png", "p4_x4.png")),
        (("P5.JPG", "p5.png"), ("P5_JPG_x4.png", "p5_png_x4.png")),
        (("a", "a.png"), ("a_x4.png", "a_png_x4.png")),
        (("p.jpg", "p.png", "p_jpg.png"), ("p_jpg_x4.png", "p_png_x4.png", "p_jpg_png_x4.png")),
        (("x/a.jpg", "y/a.png"), ("x/a_x4.png", "y/a_x4.png")),
        (("STRASSE.jpg", "straße.png"), ("STRASSE_jpg_x4.png", "straße_png_x4.png")),
        (("é.jpg", "e\u0301.png"), ("é_jpg_x4.png", "e\u0301_png_x4.png")),
    ],
)
def test_pictures_that_would_share_a_name_keep_their_extension(
    pictures: tuple[str, ...], results: tuple[str, ...]
) -> None:
    plan = plan_outputs(found("/photos", *pictures), "/out")
    assert [job.target.relative_to("/out").as_posix() for job in plan.jobs] == list(results)
    plain = [f"{Path(one).with_suffix('').as_posix()}_x4.png" for one in pictures]
    assert [job.target for job in plan.renamed] == [
        job.target for job, name in zip(plan.jobs, plain, strict=True) if job.target != Path("/out", name)
    ]


@pytest.mark.parametrize(("one", "two"), [("a.jpg", "A.jpg"), ("x/a.jpg", "X/a.jpg"), ("a.jpg", "a.JPG")])
def test_names_alike_but_for_case_are_told_apart_for_file_systems_without_it(one: str, two: str) -> None:
    first, second = targets(found("/photos", one, two), "/out")
    assert first.casefold() != second.casefold()
    assert (first, second) == tuple(targets(found("/photos", one, two), "/out"))
    assert second == targets(found("/photos", two, one), "/out")[0]  # whatever their order


def test_results_with_the_extension_in_their_name_are_known_as_results() -> None:
    plan = plan_outputs(
        found("/photos", "p3.jpg", "p3.png", "p3_jpg_x4.png", "p3_png_x4.png", "p3_x4.png"), None
    )
    assert [job.target.name for job in plan.jobs] == ["p3_jpg_x4.png", "p3_png_x4.png"]
    assert len(plan.earlier_results) == 3


def test_a_picture_whose_namesake_is_a_result_keeps_its_plain_name() -> None:
    plan = plan_outputs(found("/photos", "a.jpg", "a_x4.png", "a_x4.jpg"), None)
    assert [job.target.name for job in plan.jobs] == ["a_x4.png", "a_x4_x4.png"]
    assert plan.renamed == ()


def test_a_chain_of_clashes_ends() -> None:
    names = ["x.jpg", "x.png"] + [f"x{'_jpg' * n}.jpg" for n in range(1, 60)]
    jobs = plan_outputs(found("/photos", *names), "/out").jobs
    assert len({job.target for job in jobs}) == len(names)


def test_folders_with_equal_names_collide_only_in_one_output() -> None:
    both = found("/one", "a.jpg") + found("/two", "a.jpg")
    with pytest.raises(UsageError, match="one result") as caught:
        targets(both, "/out")
    assert "/one/a.jpg" in str(caught.value)
    assert "/two/a.jpg" in str(caught.value)
    assert targets(both, None) == ["/one/a_x4.png", "/two/a_x4.png"]


def test_a_result_that_is_an_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would replace the input"):
        targets(found(tmp_path, "a.png", explicit=True), None, suffix="")
    with pytest.raises(UsageError, match="would replace the input"):
        targets(found(tmp_path, "a.png", explicit=True), tmp_path / "x" / ".." / "a.png")
    with pytest.raises(UsageError, match="would replace the input"):
        targets(found(tmp_path, "a.jpg", "a_x4.png", explicit=True), None)


def test_a_link_does_not_hide_that_a_result_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    with pytest.raises(UsageError, match="would replace the input"):
        targets(found(tmp_path, "link.png", explicit=True), tmp_path / "real.png")
    (tmp_path / "alias").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="would replace the input"):
        targets(found(tmp_path / "alias", "real.png", explicit=True), tmp_path, suffix="")


def test_earlier_results_beside_their_pictures_are_left_out() -> None:
    plan = plan_outputs(found("/photos", "a.jpg", "a_x4.png", "a_x4_x4.png", "b_x4.png"), None)
    assert [job.source.name for job in plan.jobs] == ["a.jpg", "b_x4.png"]
    assert [path.name for path in plan.earlier_results] == ["a_x4.png", "a_x4_x4.png"]


@pytest.mark.parametrize("relative", ["../a.jpg", "x/../../a.jpg", "/etc/a.jpg", "."])
def test_names_never_leave_the_output_folder(relative: str) -> None:
    hostile = Found(path=Path("/photos/a.jpg"), root=Path("/photos"), relative=Path(relative))
    with pytest.raises(UsageError, match="leads out"):
        plan_outputs([hostile], "/out")


@pytest.mark.parametrize("stem", ["n" * 251, "é" * 124, "写" * 83, "\udcff" * 251, "📷" * 62 + "abc"])
def test_long_names_are_cut_to_fit_and_stay_apart(tmp_path: Path, stem: str) -> None:
    one, two = found(tmp_path, f"{stem}.jpg", f"{stem[:-1]}x.jpg")
    jobs = plan_outputs([one, two], tmp_path / "out", suffix="_x4_realsr").jobs
    (tmp_path / "out").mkdir()
    for job in jobs:
        assert len(os.fsencode(job.target.name)) <= 255
        assert job.target.name.endswith("_x4_realsr.png")
        job.target.write_bytes(b"")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_results_on_no_common_folder() -> None:
    with pytest.raises(UsageError, match="no folder in common"):
        plan_outputs([], None)


def test_the_common_folder_without_output() -> None:
    assert plan_outputs(found("/photos", "x/a.jpg", "y/b.jpg"), None).folder == Path("/photos")


def test_existing_results_are_named(tmp_path: Path) -> None:
    jobs = [Job(source=Path(f"{n}.jpg"), target=tmp_path / f"{n}_x4.png") for n in range(9)]
    refuse_existing(jobs)
    for job in jobs[:5]:
        job.target.write_bytes(b"")
    with pytest.raises(OutputError, match=r"5 of 9 results exist already: .*0_x4\.png, .* and 2 more"):
        refuse_existing(jobs)


name = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=80
).filter(lambda text: text not in (".", ".."))


@settings(max_examples=200)
@given(
    st.lists(st.lists(name, min_size=1, max_size=3), min_size=1, max_size=6),
    st.sampled_from(["_x4", "", "é"]),
)
def test_every_plan_stays_below_the_output_and_never_doubles(trees: list[list[str]], suffix: str) -> None:
    pictures = [Found(path=Path("/p", *tree), root=Path("/p"), relative=Path(*tree)) for tree in trees]
    assume(all(len(os.fsencode(part)) <= 255 for tree in trees for part in tree))
    try:
        jobs = plan_outputs(pictures, "/nowhere/out", suffix=suffix).jobs
    except UsageError as error:
        assert "one result" in str(error)  # noqa: PT017
        return
    assert all(job.target.is_relative_to("/nowhere/out") and ".." not in job.target.parts for job in jobs)
    assert len({str(job.target).casefold() for job in jobs}) == len(jobs) == len(trees)


def test_found_and_planned_together(tmp_path: Path) -> None:
    for relative in ("b/2.png", "b/10.png", "a.png"):
        path = tmp_path / "in" / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    walked = find_pictures([tmp_path / "in"], recursive=True)
    plan = plan_outputs(walked.pictures, tmp_path / "out")
    assert [job.target.relative_to(tmp_path / "out").as_posix() for job in plan.jobs] == [
        "a_x4.png",
        "b/2_x4.png",
        "b/10_x4.png",
    ]


def test_tiles_of_one_result_may_hold_no_other(tmp_path: Path) -> None:
    pictures = found(tmp_path, "a.jpg", "a_x4_files/b.jpg")
    plan_outputs(pictures, tmp_path, extension="png")
    for output in (tmp_path, None, tmp_path / "out"):
        with pytest.raises(UsageError, match="a_x4_files is to hold tiles"):
            plan_outputs(pictures, output, extension="dzi")
    assert [job.target.name for job in plan_outputs(pictures[:1], tmp_path, extension=".DZI").jobs] == [
        "a_x4.dzi"
    ]


def test_names_of_tiles_are_names_of_results(tmp_path: Path) -> None:
    jobs = plan_outputs(found(tmp_path, "a.jpg", explicit=True), tmp_path / "b.dzi").jobs
    assert [job.target for job in jobs] == [tmp_path / "b.dzi"]
    refuse_existing(jobs)
    (tmp_path / "b_files").mkdir()
    with pytest.raises(OutputError, match="b_files"):
        refuse_existing(jobs)


def test_tiles_are_no_pictures_to_work_on(tmp_path: Path) -> None:
    for name in ("a_files/0/0_0.png", "b_files/0_0.png", "c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "a.dzi").write_text("<Image/>")
    pictures = find_pictures([tmp_path], recursive=True).pictures
    assert [one.relative.as_posix() for one in pictures] == ["b_files/0_0.png", "c.png"]
