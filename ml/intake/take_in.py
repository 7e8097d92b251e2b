"""Taking one set in, from top to bottom. What is known is in the report, also where the set is refused half-way."""

from __future__ import annotations

from collections.abc import Sequence

from ml.intake.class_layout import find_class_layout
from ml.intake.decoder_process import DECODER
from ml.intake.decoders import DecoderPool
from ml.intake.findings import Findings
from ml.intake.gathering import gather
from ml.intake.manifests import merge_classes, read_parent, write_manifest
from ml.intake.mask_layout import find_mask_layout
from ml.intake.mask_values import name_mask_values
from ml.intake.reading import colour_grey_ones, read_samples
from ml.intake.refusals import FileProblem, SetRefused
from ml.intake.reporting import make_report
from ml.intake.sheets import draw_sheets
from ml.intake.spool import Spool
from ml.intake.telling import Teller
from ml.intake.version import choose, find_kin
from ml.intake.writing import write_images
from records.intake import IntakeOrder, Manifest

PACKS = "packs"
MANIFEST, REPORT = "manifest.json", "report.json"


def take_in(order: IntakeOrder, teller: Teller, *, decoder: Sequence[str] = DECODER) -> None:
    """Unpack, read, compare, deal, write, draw and report.

    Args:
        order: what to take in, and where to write.
        teller: hears how far it is.
        decoder: what starts a decoder.

    Raises:
        SetRefused: the set cannot be taken; what is known of it is in the report all the same.
    """
    found = Findings(order.options)
    try:
        with Spool(order.folder) as made, DecoderPool(order.limits, command=decoder) as pool:
            found.parent = read_parent(order.parent_manifest, order.options.task)
            with Spool(order.folder) as came:
                _gather(order, found, came, teller)
                _read(order, found, pool, made, teller)
            _choose(order, found, teller)
            _refuse_if_bad(found)
            manifest = _write(order, found, pool, teller)
            draw_sheets(manifest, found, pool, order.folder, teller.progress("drawing"))
    except SetRefused:
        if found.gathered.entries:
            _write_report(order, found)
        raise
    _write_report(order, found)


def _gather(order: IntakeOrder, found: Findings, came: Spool, teller: Teller) -> None:
    tell = teller.progress("unpacking")
    gathered, problems = found.gathered, found.problems
    gather(order.source, came, order.limits, gathered=gathered, problems=problems, tell=tell)
    if order.options.task == "classification":
        found.layout = find_class_layout(gathered.files, order.options, problems)
    else:
        found.layout = find_mask_layout(gathered.files, problems)
    for file in gathered.files:
        if not file.is_image and file not in found.layout.used:
            gathered.ignore(file.name)


def _read(order: IntakeOrder, found: Findings, pool: DecoderPool, made: Spool, teller: Teller) -> None:
    found.taken = read_samples(
        found.samples,
        pool,
        made,
        longest_px=order.options.longest_px,
        problems=found.problems,
        tell=teller.progress("reading"),
    )
    if order.options.task == "segmentation":
        _name_values(found)
    if not found.taken:
        return
    grey_before = found.parent is None or found.parent.channels == 1
    found.channels = 1 if grey_before and all(one.grey for one in found.taken) else 3
    if found.channels == 3 and any(one.grey for one in found.taken):
        found.taken = colour_grey_ones(found.taken, pool, made)


def _name_values(found: Findings) -> None:
    """Say what the masks' values mean; masks that hold others become problems."""
    values = {value for one in found.taken for value, _ in one.mask_counts}
    found.values = name_mask_values(values, found.layout.value_names if found.layout else None)
    good = []
    for one in found.taken:
        try:
            found.values.check(dict(one.mask_counts))
            good.append(one)
        except FileProblem as problem:
            found.problems.add(one.sample.mask_name, problem.code, problem.text)
    found.taken = good


def _choose(order: IntakeOrder, found: Findings, teller: Teller) -> None:
    tell = teller.progress("comparing")
    found.kin = find_kin(found.parent, found.taken)
    tell(len(found.taken), len(found.taken))
    tell = teller.progress("splitting")
    found.chosen = choose(
        found.parent,
        found.taken,
        found.kin,
        splits=order.options.splits,
        keep_duplicates=order.options.keep_duplicates,
        problems=found.problems,
    )
    found.classes = merge_classes(found.parent, found.new_classes)
    tell(len(found.chosen.kept), len(found.chosen.kept))


def _refuse_if_bad(found: Findings) -> None:
    first = found.problems.first_bad
    if first and not found.options.skip_bad:
        bad = found.problems.bad
        raise SetRefused(
            "bad_files",
            f"{bad:,} {'file' if bad == 1 else 'files'} cannot be taken in; the report names them. The first is "
            f"{first.name}: {first.text} Correct or remove them, or accept the set without them (`skip_bad`).",
        )
    if found.chosen is None or not found.chosen.kept:
        if found.chosen and found.chosen.dropped:
            raise SetRefused("nothing_new", "Every image of the upload is already in the set.")
        raise SetRefused("no_images", "No image is left that can be taken in; the report says why.")


def _write(order: IntakeOrder, found: Findings, pool: DecoderPool, teller: Teller) -> Manifest:
    assert found.chosen
    assert found.channels
    packs = order.folder / PACKS
    packs.mkdir()
    images = write_images(
        found.chosen,
        pool,
        packs,
        prefix=order.pack_prefix,
        classes=found.classes,
        values=found.values,
        tell=teller.progress("writing"),
    )
    before = found.parent.images if found.parent else ()
    manifest = Manifest(
        task=order.options.task, classes=found.classes, channels=found.channels, images=(*before, *images)
    )
    write_manifest(order.folder / MANIFEST, manifest)
    found.written = images
    return manifest


def _write_report(order: IntakeOrder, found: Findings) -> None:
    report = make_report(found).model_dump_json(indent=1)
    (order.folder / REPORT).write_text(report + "\n", encoding="utf-8")
