"""Pictures over HTTP: what is taken, what becomes of it, how long it stays. Real decoders in processes of their own."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from api import views
from api.yard import the_yard
from records.picture_tables import PictureTable
from records.pictures import expire_pictures
from records.runs import note_run
from records.set_tables import DroppedBlobTable
from tests.api.test_predictions import form


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))


def send(caller, *images):
    return caller.send("POST", "pictures", **form(*images))


@pytest.fixture
def picture(ada):
    """The number of a picture of ada's, 30 by 20."""
    reply = send(ada, ("a.png", encoded(COLOURS)))
    assert reply.status_code == 201, reply.text
    return reply.json["items"][0]["id"]


def fetched(caller, picture_id):
    with Image.open(io.BytesIO(caller.send("GET", f"pictures/{picture_id}/file").data)) as image:
        image.load()
    return image


def test_pictures_come_in_in_their_order_and_are_shown(ada):
    reply = send(ada, ("b.png", encoded(COLOURS)), ("a.jpg", encoded(COLOURS.resize((40, 10)), "JPEG")))
    shown = [views.Picture.model_validate(item) for item in reply.json["items"]]
    assert [(one.name, one.width, one.height) for one in shown] == [("b.png", 30, 20), ("a.jpg", 40, 10)]
    listed = ada.send("GET", "pictures").json["items"]
    assert [one["id"] for one in listed] == [shown[1].id, shown[0].id]
    assert ada.send("GET", f"pictures/{shown[0].id}").json == reply.json["items"][0]


def test_one_picture_may_be_the_body(ada):
    reply = ada.send("POST", "pictures", data=encoded(COLOURS), content_type="image/png")
    assert (reply.status_code, len(reply.json["items"])) == (201, 1)


def test_metadata_ends_here_and_the_picture_stands_upright(ada):
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Somebody"  # lies on its side; the artist
    sent = encoded(COLOURS, "JPEG", exif=exif, quality=95)
    assert b"Somebody" in sent
    (item,) = send(ada, ("a.jpg", sent)).json["items"]
    assert (item["width"], item["height"]) == (20, 30)
    kept = ada.send("GET", f"pictures/{item['id']}/file").data
    assert b"Somebody" not in kept
    assert not fetched(ada, item["id"]).getexif()


@pytest.mark.parametrize(
    ("image", "format"),
    [
        (COLOURS.convert("L"), "PNG"),
        (COLOURS.convert("P"), "PNG"),
        (COLOURS.convert("CMYK"), "JPEG"),
        (Image.fromarray(np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)), "PNG"),
        (COLOURS.convert("RGBA"), "WEBP"),
    ],
    ids=["grey", "palette", "cmyk", "16-bit", "see-through"],
)
def test_pictures_of_many_kinds_become_plain(ada, image, format):
    (item,) = send(ada, ("a", encoded(image, format))).json["items"]
    assert fetched(ada, item["id"]).mode in ("L", "RGB")
    assert (item["width"], item["height"]) == (30, 20)


def test_of_an_animated_picture_the_first_frame_is_taken(ada):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    (item,) = send(ada, ("a.gif", moving)).json["items"]
    assert fetched(ada, item["id"]).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"hello, I am no picture", "begins like none"),
        (encoded(Image.new("RGB", (1, 1))), "at least 8 px"),
        (encoded(Image.new("L", (20_000, 8))), "20,000"),
        (encoded(COLOURS)[:200], "ends too early"),
    ],
    ids=["text", "1x1", "20000", "cut"],
)
def test_what_is_no_good_picture_is_refused_by_name_and_nothing_is_kept(ada, database, content, word):
    reply = send(ada, ("good.png", encoded(COLOURS)), ("bad.png", content))
    assert (reply.status_code, reply.json["code"]) == (422, "unreadable_images")
    (problem,) = reply.json["problems"]
    assert problem["path"] == "bad.png"
    assert word in problem["text"]
    with database.read() as session:
        assert not session.scalars(select(PictureTable)).all()


def test_too_many_pixels_are_refused(make_app, member):
    from tests.api.calling import Caller

    small = Caller(make_app(picture_pixels=500), member.token)
    assert "the limit is" in send(small, ("a.png", encoded(COLOURS))).json["problems"][0]["text"]


def test_a_person_has_only_so_many(make_app, member):
    from tests.api.calling import Caller

    few = Caller(make_app(quota_pictures=1), member.token)
    assert send(few, ("a.png", encoded(COLOURS))).status_code == 201
    reply = send(few, ("b.png", encoded(COLOURS)))
    assert (reply.status_code, reply.json["code"]) == (409, "quota_reached")


def test_others_do_not_see_a_picture_and_cannot_use_it(bob, root, picture):
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        assert bob.send(method, f"pictures/{picture}{path}").status_code == 404
    assert root.send("GET", f"pictures/{picture}").status_code == 200
    reply = bob.send("POST", "jobs", json=style_of(picture))
    assert (reply.status_code, reply.json["problems"][0]["path"]) == (422, "content")


def style_of(picture_id, **changes):
    return {"kind": "style_transfer", "content": picture_id, "styles": [{"picture": picture_id}], **changes}


def test_a_picture_that_a_job_names_stays(ada, picture, database, clock):
    assert ada.send("POST", "jobs", json=style_of(picture)).status_code == 202
    reply = ada.send("DELETE", f"pictures/{picture}")
    assert (reply.status_code, reply.json["code"]) == (409, "picture_in_use")
    with database.write() as session:
        expire_pictures(session, at=clock() + timedelta(days=3))
    assert ada.send("GET", f"pictures/{picture}").status_code == 200


def test_a_picture_that_no_job_names_goes_after_a_day_and_its_bytes_with_it(ada, picture, database, clock):
    sha256 = ada.send("GET", f"pictures/{picture}").json["sha256"]
    with database.write() as session:
        expire_pictures(session, at=clock() + timedelta(hours=23))
    assert ada.send("GET", f"pictures/{picture}").status_code == 200
    with database.write() as session:
        expire_pictures(session, at=clock() + timedelta(hours=25))
    assert ada.send("GET", f"pictures/{picture}").status_code == 404
    with database.read() as session:
        assert session.get(DroppedBlobTable, sha256) is not None


def test_a_picture_can_be_deleted(ada, picture):
    assert ada.send("DELETE", f"pictures/{picture}").status_code == 204
    assert ada.send("GET", f"pictures/{picture}").status_code == 404


def test_the_cost_of_a_style_transfer_is_told_before_it_is_sent(ada, picture):
    reply = ada.send("POST", "estimates", json=style_of(picture, size=256))
    estimate = views.FullEstimate.model_validate(reply.json)
    assert estimate.multiply_adds.step > 10**9
    assert estimate.epoch == []  # nothing of the kind has run here


def test_the_decoders_of_a_request_are_few(ada, app, picture):
    yard = the_yard(app)
    taken = [yard.receiving.take() for _ in range(yard.receiving.capacity)]
    assert send(ada, ("a.png", encoded(COLOURS))).status_code == 429
    for release in taken:
        release()
    assert send(ada, ("a.png", encoded(COLOURS))).status_code == 201


def test_how_long_it_takes_is_told_from_a_past_one(ada, picture, hand, database):
    job_id = ada.send("POST", "jobs", json=style_of(picture, size=128)).json["id"]
    work = ada.send("POST", "estimates", json=style_of(picture, size=128)).json["multiply_adds"]["step"]
    claim = hand.take_up()
    with database.write() as session:
        note_run(session, claim.run_id, facts={"steps_s": 50.0, "multiply_adds": work * 100})
    hand.end(claim)
    assert claim.job_id == job_id
    one = {"size": 128, "steps": 200, "levels": 1}
    (pace,) = ada.send("POST", "estimates", json=style_of(picture, **one)).json["epoch"]
    assert pace == {"device_model": "Test CPU", "epoch_s": pytest.approx(100.0), "jobs": 1}
    assert ada.send("POST", "estimates", json=style_of(picture, precision="bfloat16", **one)).json["epoch"] == []
