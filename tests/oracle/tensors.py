"""Reads and writes safetensors files (F64, F32, I64, I32) with numpy alone."""
import json
import struct

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4"}


def load(path):
    """The tensors of a safetensors file, by name."""
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def save(path, tensors):
    """Writes float64 and int64 tensors; a tensor without axes is written as [1]."""
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        tensor = np.atleast_1d(np.asarray(tensor))
        integral = np.issubdtype(tensor.dtype, np.integer)
        blob = tensor.astype("<i8" if integral else "<f8").tobytes()
        header[name] = {"dtype": "I64" if integral else "F64", "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
