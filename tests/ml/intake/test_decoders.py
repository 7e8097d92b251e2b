"""Decoders: limits that hold, and what a crash costs."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.intake.decoder_process import DecoderProcess
from ml.intake.decoders import DecoderPool, take_in_image
from ml.intake.refusals import FileProblem
from records.intake import IntakeLimits
from tests.ml.intake.making import BAD_DECODER, file_of, jpeg, picture, png

MEMORY = 2**29


@pytest.fixture
def pool():
    """One decoder that does what the bytes say."""
    with DecoderPool(IntakeLimits(processes=1, memory_bytes=MEMORY), command=BAD_DECODER) as pool:
        yield pool


def problem_of(pool, data):
    with pytest.raises(FileProblem) as caught:
        pool.decode(data)
    return caught.value


def ask(pool, data):
    """The bare answer of the decoder."""
    with pool._lend() as decoder:
        return decoder.ask("pixels", data)[0]


# ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_image_comes_back_as_pixels_with_what_was_done():
    exif = Image.Exif()
    exif[0x0112] = 6
    taken = take_in_image(file_of(picture(1), exif=exif), IntakeLimits(), longest_px=32)
    assert taken.pixels.shape == (32, 24, 3)
    assert taken.pixels.dtype == np.uint8
    assert taken.came_as == "PNG"
    assert taken.conversions == ("turned", "shrunk")
    with pytest.raises(ValueError, match="read-only"):
        taken.pixels[0] = 0


def test_a_grey_image_has_one_channel():
    taken = take_in_image(file_of(Image.new("L", (10, 8), 77)), IntakeLimits())
    assert taken.pixels.shape == (8, 10, 1)
    assert (taken.pixels == 77).all()


def test_the_limits_of_the_caller_count():
    with pytest.raises(FileProblem, match="32 px a side"):
        take_in_image(png(1), IntakeLimits(largest_image_px=32))


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
def test_every_format_and_oddity_decodes_behind_the_limits():
    """Nothing is imported or opened late: behind the limits it could not be."""
    exif = Image.Exif()
    exif[0x0112] = 3
    small = picture(1)
    cmyk = small.convert("CMYK")
    files = [
        jpeg(1, exif=exif),
        file_of(small, "JPEG", progressive=True),
        file_of(cmyk, "JPEG"),
        file_of(small, "MPO", save_all=True, append_images=[small]),
        file_of(small.convert("1")),
        file_of(small.convert("LA")),
        file_of(small.convert("RGBA"), exif=exif),
        file_of(small.quantize(8), transparency=0),
        file_of(small, save_all=True, append_images=[picture(2)]),
        file_of(Image.fromarray(np.full((9, 9), 40_000, np.uint16))),
        file_of(small, "GIF", save_all=True, append_images=[picture(2)]),
        file_of(small, "WEBP", lossless=True, exif=exif),
        file_of(small, "WEBP", save_all=True, append_images=[picture(2)]),
        *(file_of(small, "TIFF", compression=f"tiff_{packing}") for packing in ("lzw", "adobe_deflate", "jpeg")),
        file_of(small.convert("1"), "TIFF", compression="group4"),
        file_of(small.convert("YCbCr"), "TIFF"),
        file_of(cmyk, "TIFF", compression="packbits"),
        file_of(small.convert("L"), "BMP"),
    ]
    with DecoderPool(IntakeLimits(processes=1)) as pool:
        assert {pool.decode(data).pixels.shape[2] for data in files} == {1, 3}
        (pid,) = [decoder._process.pid for decoder in pool._decoders]
        with pool._lend() as decoder:
            assert all("look" in decoder.ask("rewrite", data, longest_px=32)[0] for data in files)
            grey = decoder.ask("rewrite", file_of(small.convert("L")), longest_px=None)[1]
            decoder.ask("in_colour", grey, photograph=True)
            decoder.ask("in_colour", grey, photograph=False)
            decoder.ask("mask", grey, came_size=(64, 48), stored_size=(32, 24))
            decoder.ask("mask_values", grey, came_size=(64, 48), stored_size=(32, 24))
            decoder.ask("relabel", grey, table=[0] * 256)
            assert decoder._process.pid == pid


def test_results_come_in_the_order_of_the_items_from_two_decoders_at_once():
    def size(decoder: DecoderProcess, number: int) -> tuple[int, int]:
        facts, _ = decoder.ask("pixels", png(1, 200 if number % 3 else 2000, 8 + number), longest_px=None)
        return facts["shape"][0], id(decoder)

    with DecoderPool(IntakeLimits(processes=2)) as pool:
        results = list(pool.map(size, range(20)))
    assert [height for height, _ in results] == list(range(8, 28))
    assert len({decoder for _, decoder in results}) == 2


def test_only_a_few_items_are_begun_ahead():
    begun = []

    def items():
        for number in range(100):
            begun.append(number)
            yield number

    with DecoderPool(IntakeLimits(processes=2)) as pool:
        results = pool.map(lambda decoder, number: number, items())
        assert next(results) == 0
        assert len(begun) <= 8


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_costs_one_image_and_the_next_is_decoded(pool, number):
    problem = problem_of(pool, b"die %d" % number)
    assert problem.code == "decoder_crashed"
    assert number.name in problem.text
    assert pool.decode(png(1)).pixels.shape == (48, 64, 3)


def test_an_error_that_nobody_foresaw_costs_one_image_and_is_named(pool):
    problem = problem_of(pool, b"raise ")
    assert problem.code == "decoder_crashed"
    assert "ZeroDivisionError: division by zero" in problem.text
    assert pool.decode(png(1)).came_as == "PNG"


def test_a_decoder_that_hangs_is_ended():
    with DecoderPool(IntakeLimits(processes=1, decode_s=0.5), command=BAD_DECODER) as pool:
        problem = problem_of(pool, b"hang ")
        assert problem.code == "decoder_crashed"
        assert "longer than 0.5 s" in problem.text
        assert pool.decode(png(1)).came_as == "PNG"


def test_a_decoder_that_hangs_while_it_is_sent_to_is_ended(tmp_path):
    """It says that it is ready, and never reads."""
    script = tmp_path / "deaf.py"
    script.write_text("print('{\"bytes\": 0}', flush=True)\nimport signal; signal.pause()")
    limits = IntakeLimits(processes=1, decode_s=0.5)
    with DecoderPool(limits, command=(sys.executable, str(script))) as pool:
        assert "longer than 0.5 s" in problem_of(pool, bytes(5_000_000)).text


@pytest.mark.parametrize("order", [b"babble ", b"flood "])
def test_nonsense_from_a_decoder_costs_one_image(pool, order):
    problem = problem_of(pool, order)
    assert problem.code == "decoder_crashed"
    assert "nonsense" in problem.text
    assert pool.decode(png(1)).came_as == "PNG"


def test_a_decoder_that_cannot_start_is_no_problem_of_the_image(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit(3)")
    with (
        DecoderPool(IntakeLimits(processes=1), command=(sys.executable, str(script))) as pool,
        pytest.raises(RuntimeError, match="Expected a decoder to start"),
    ):
        pool.decode(png(1))


def test_closing_ends_the_decoders_and_nothing_starts_again(pool):
    pool.decode(png(1))
    (decoder,) = pool._decoders
    pid = decoder._process.pid
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="closed"):
        pool.decode(png(1))


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_memory_is_capped_and_the_decoder_lives_on(pool):
    assert ask(pool, b"grow %d" % (MEMORY // 8)) == {"grown": MEMORY // 8}
    (decoder,) = pool._decoders
    pid = decoder._process.pid
    problem = problem_of(pool, b"grow %d" % MEMORY)
    assert problem.code == "decoder_crashed"
    assert "512 MiB" in problem.text
    assert pool.decode(png(1)).came_as == "PNG"
    assert decoder._process.pid == pid


def test_an_image_that_needs_more_memory_than_the_cap_is_a_problem():
    large = file_of(Image.new("RGBA", (6000, 6000)), compress_level=1)  # 144 MB, and twice that to flatten it
    with DecoderPool(IntakeLimits(processes=1, memory_bytes=2**28)) as pool:
        problem = problem_of(pool, large)
        assert problem.code == "decoder_crashed"
        assert "memory" in problem.text
        assert pool.decode(png(1)).came_as == "PNG"


def test_processor_time_is_capped_by_the_kernel():
    limits = IntakeLimits(processes=1, decode_s=1)
    with DecoderPool(limits.model_copy(update={"decode_s": 60.0}), command=BAD_DECODER) as pool:
        (decoder,) = pool._decoders
        decoder._command[-1] = decoder._command[-1].replace('"decode_s": 60.0', '"decode_s": 1.0')
        problem = problem_of(pool, b"burn ")
    assert "processor time" in problem.text


def test_processor_time_is_counted_anew_for_each_image():
    limits = IntakeLimits(processes=1, decode_s=1)
    big = file_of(picture(1, 2500, 2500), "WEBP")
    with DecoderPool(limits.model_copy(update={"decode_s": 60.0})) as pool:
        (decoder,) = pool._decoders
        decoder._command[-1] = decoder._command[-1].replace('"decode_s": 60.0', '"decode_s": 1.0')
        pool.decode(png(1))
        pid = decoder._process.pid
        started = _processor_s(pid)
        while _processor_s(pid) - started < 2.5:
            pool.decode(big)
        assert decoder._process.pid == pid


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("order", [b"open ", b"connect "])
def test_a_decoder_can_open_neither_files_nor_sockets(pool, order):
    assert ask(pool, order) == {"error": "EMFILE"}


def test_a_decoder_can_write_no_file(pool, tmp_path):
    """Even where it gives up its standard error to have a descriptor for it."""
    path = tmp_path / "written"
    assert ask(pool, b"write %s" % os.fsencode(path)) == {"error": "EFBIG"}
    assert path.stat().st_size == 0


@pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
def test_a_decoder_has_no_way_to_more_privileges(pool):
    status = ask(pool, b"limits ")["status"]
    assert "NoNewPrivs:\t1" in status


def test_a_decoder_sees_nothing_of_the_environment(pool, monkeypatch, tmp_path):
    monkeypatch.setenv("TRAINYARD_TOKEN", "a secret")
    pool.decode(png(1))
    (decoder,) = pool._decoders
    environment = Path(f"/proc/{decoder._process.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"secret" not in environment


def test_a_large_image_passes_the_pipes_both_ways():
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    data = file_of(Image.fromarray(noise), compress_level=1)
    assert len(data) > 6_000_000
    taken = take_in_image(data, IntakeLimits())
    assert np.array_equal(taken.pixels, np.asarray(Image.open(io.BytesIO(data))))
