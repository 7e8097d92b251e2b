"""Gives TensorFlow the one device, the memory and the threads of the order. Call it before any operation runs."""

from __future__ import annotations

import os

from ml.estimates.fitting import RUNTIME_BYTES
from records.errors import RecipeFailed
from records.orders import OrderedDevice

FIRST_REGIONS_BYTES = 64 * 2**20


def hide_other_devices(device: OrderedDevice) -> None:
    """Let CUDA see the ordered GPU alone, or none. Only the environment is touched, before CUDA reads it."""
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = str(device.index) if device.kind == "gpu" else "-1"


def prepare_device(device: OrderedDevice) -> None:
    """Set threads, devices, the memory cap and determinism.

    On the CPU operations are made deterministic, so that a resumed run ends with the same bits (it costs nothing
    that could be measured on LeNet-5). On a GPU they are not: it is slower there, and some have no such version.

    Raises:
        RecipeFailed: the order names a GPU that TensorFlow cannot see.
    """
    import tensorflow as tf

    hide_other_devices(device)
    tf.config.threading.set_intra_op_parallelism_threads(device.threads)
    tf.config.threading.set_inter_op_parallelism_threads(device.threads)
    if device.kind == "gpu":
        _cap_gpu(tf, device)
    else:
        _bound_cpu_allocator(device)
        tf.config.set_visible_devices([], "GPU")
        tf.config.experimental.enable_op_determinism()


def _bound_cpu_allocator(device: OrderedDevice) -> None:
    """Keep TensorFlow's CPU allocator from asking for regions that it would never be allowed to fill.

    Each new region is twice as large as the last. Near the limit that the worker set, the one refused would be made
    as large as it just fits, and leave nothing for anybody else in this process.
    """
    os.environ["TF_MKL_ALLOC_MAX_BYTES"] = str(max(FIRST_REGIONS_BYTES, device.memory_bytes - RUNTIME_BYTES["cpu"]))


def _cap_gpu(tf, device: OrderedDevice) -> None:  # type: ignore[no-untyped-def]
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) != 1:
        raise RecipeFailed(
            f"Expected to see one GPU, number {device.index} of this machine, but TensorFlow sees {len(gpus)}. "
            "Check that the driver works (nvidia-smi) and that the container was given the GPU."
        )
    # CUDA's context and the kernels' code lie beside what TensorFlow's allocator deals, and count as lent too.
    cap_mib = max(1, (device.memory_bytes - RUNTIME_BYTES["gpu"]) // 2**20)
    tf.config.set_logical_device_configuration(gpus[0], [tf.config.LogicalDeviceConfiguration(memory_limit=cap_mib)])
