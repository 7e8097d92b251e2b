"""Gives TensorFlow the one device, the memory and the threads of the order. Call it before any operation runs."""

from __future__ import annotations

import os

from records.errors import RecipeFailed
from records.orders import OrderedDevice


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
        tf.config.set_visible_devices([], "GPU")
        tf.config.experimental.enable_op_determinism()


def _cap_gpu(tf, device: OrderedDevice) -> None:  # type: ignore[no-untyped-def]
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) != 1:
        raise RecipeFailed(
            f"Expected to see one GPU, number {device.index} of this machine, but TensorFlow sees {len(gpus)}. "
            "Check that the driver works (nvidia-smi) and that the container was given the GPU."
        )
    cap_mib = device.memory_bytes // 2**20
    tf.config.set_logical_device_configuration(gpus[0], [tf.config.LogicalDeviceConfiguration(memory_limit=cap_mib)])
