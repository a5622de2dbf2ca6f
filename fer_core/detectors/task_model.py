"""Give a bare face network the metadata that MediaPipe's Tasks API asks for."""

from __future__ import annotations

from typing import Any

__all__ = ["with_normalisation"]

MEAN = STD = 127.5
"""The network takes (value - 127.5) / 127.5, that is -1 to 1."""

METADATA = b"TFLITE_METADATA"


def with_normalisation(model: bytes) -> bytes:
    """A copy of `model`, in memory, whose one input says how pictures are normalised.

    Tasks refuses a model file without. MediaPipe's own writer does not work in its current wheels,
    so the two flatbuffers are built from their generated schemas.

    Args:
        model: content of a .tflite file with one input picture.

    Returns:
        Content of a .tflite file with the same weights.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as tflite
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata

    options = metadata.NormalizationOptionsT()
    options.mean, options.std = [MEAN], [STD]
    unit = metadata.ProcessUnitT()
    unit.optionsType = metadata.ProcessUnitOptions.NormalizationOptions
    unit.options = options
    given = metadata.TensorMetadataT()
    given.name = "image"
    given.processUnits = [unit]
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata = [given]
    described = metadata.ModelMetadataT()
    described.name = "face detector"
    described.subgraphMetadata = [graph]

    network: Any = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(model, 0))
    content = tflite.BufferT()
    content.data = _packed(flatbuffers.Builder(256), described, b"M001")
    network.buffers.append(content)
    entry = tflite.MetadataT()
    entry.name = METADATA
    entry.buffer = len(network.buffers) - 1
    network.metadata = [*(network.metadata or []), entry]
    return _packed(flatbuffers.Builder(len(model) + 1024), network, b"TFL3")


def _packed(builder: Any, tree: Any, identifier: bytes) -> bytes:
    builder.Finish(tree.Pack(builder), identifier)
    return bytes(builder.Output())
