"""MobileNetV2 1.0 as a float torch module, de-quantised from an int8 TFLite file.

The file is `tf2_mobilenet_v2_1.0_224_ptq.tflite` (Apache-2.0, ImageNet weights). Batch
normalisation is already folded into its convolutions, so the module has none: its statistics
are frozen by construction. Architecture: Sandler et al., "MobileNetV2", CVPR 2018, table 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite
import torch
import torch.nn.functional as F
from torch import Tensor, nn

FILE_NAME = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
# (expansion, output channels, repeats, stride of the first), table 2 of the paper.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
FEATURES = 1280
CLASSES = 1001  # ImageNet's thousand behind a background class
# The file's own input quantisation: real = (byte - 127) * scale, about -1..1.
INPUT_ZERO_POINT = 127.0
INPUT_SCALE = 0.00784313725490196


def in_full_precision(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The layer in float32 even where training computes in bfloat16.

    The gradient of a depthwise convolution with stride 2 takes twenty times as long in bfloat16 here.
    """
    if not torch.is_autocast_enabled("cpu"):
        return layer(x)
    with torch.autocast("cpu", enabled=False):
        return layer(x.float())


class SameConv(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME pads even inputs: with stride 2 only right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, 0 if stride == 2 else kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (2, 2):
            x = F.pad(x, (0, 1, 0, 1))
        if self.stride == (2, 2) and self.groups > 1:
            return in_full_precision(super().forward, x)
        return super().forward(x)


class Block(nn.Module):
    """Inverted residual: widen, filter by depth, narrow without a nonlinearity."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int):
        super().__init__()
        wide = inputs * expansion
        self.expand = SameConv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = SameConv(wide, wide, 3, stride, groups=wide)
        self.project = SameConv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def convolutions(self) -> list[nn.Conv2d]:
        """This block's convolutions in the order in which they run."""
        first = [] if self.expand is None else [self.expand]
        return [*first, self.depthwise, self.project]

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """The backbone. Input: float [N,3,H,W] from `normalise`, H and W multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, outputs, repeats, stride in STAGES:
            for i in range(repeats):
                blocks.append(Block(channels, outputs, expansion, stride if i == 0 else 1))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = SameConv(channels, FEATURES, 1)
        self.classifier = SameConv(FEATURES, CLASSES, 1)

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions in the order in which they run, the classifier last."""
        inner = [conv for block in self.blocks for conv in block.convolutions()]
        return [self.stem, *inner, self.last, self.classifier]

    def features(self, x: Tensor) -> Tensor:
        """Globally averaged features, [N,1280], all >= 0."""
        x = F.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.last(x)).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """ImageNet logits, [N,1001]; index 0 is the background."""
        return self.classifier(self.features(x)[:, :, None, None])[:, :, 0, 0]


def normalise(image: Tensor) -> Tensor:
    """uint8 [N,H,W,3] RGB to the backbone's float [N,3,H,W]."""
    return ((image.to(torch.float32) - INPUT_ZERO_POINT) * INPUT_SCALE).permute(0, 3, 1, 2)


@dataclass
class QuantisedConv:
    """One convolution as the file holds it, already back in float, in torch's layout."""

    weight: np.ndarray  # [out, in / groups, k, k]
    bias: np.ndarray  # [out]
    depthwise: bool


def _tensor(model: tflite.Model, index: int) -> np.ndarray:
    """The tensor as float: (q - zero point) * scale, by channel where it has several scales."""
    tensor = model.Subgraphs(0).Tensors(index)
    dtype = {tflite.TensorType.INT8: np.int8, tflite.TensorType.INT32: np.int32}[tensor.Type()]
    raw = model.Buffers(tensor.Buffer()).DataAsNumpy().view(dtype).reshape(tensor.ShapeAsNumpy())
    quantisation = tensor.Quantization()
    scale, zero = quantisation.ScaleAsNumpy(), quantisation.ZeroPointAsNumpy()
    shape = [1] * raw.ndim
    shape[quantisation.QuantizedDimension() if len(scale) > 1 else 0] = -1
    real = (raw.astype(np.float64) - zero.reshape(shape)) * scale.astype(np.float64).reshape(shape)
    return real.astype(np.float32)


def _read(path: Path) -> list[QuantisedConv]:
    """Every convolution of the file in the order in which it runs."""
    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    graph, found = model.Subgraphs(0), []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        depthwise = kind == tflite.BuiltinOperator.DEPTHWISE_CONV_2D
        if not depthwise and kind != tflite.BuiltinOperator.CONV_2D:
            continue
        weight = _tensor(model, operator.Inputs(1))
        # TFLite: ordinary OHWI, depthwise 1HWC.
        weight = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
        found.append(QuantisedConv(np.ascontiguousarray(weight), _tensor(model, operator.Inputs(2)), depthwise))
    return found


def load(path: Path) -> MobileNetV2:
    """Reads the TFLite file. Raises `ValueError` if its layers are not MobileNetV2 1.0's."""
    network, stored = MobileNetV2(), _read(path)
    convolutions = network.convolutions()
    if len(stored) != len(convolutions):
        raise ValueError(f"{path.name}: {len(stored)} convolutions, {len(convolutions)} expected")
    for i, (conv, data) in enumerate(zip(convolutions, stored, strict=True)):
        if conv.weight.shape != data.weight.shape or (conv.groups > 1) != data.depthwise:
            raise ValueError(f"{path.name}: convolution {i} is {data.weight.shape}, {tuple(conv.weight.shape)} expected")
        conv.weight.data.copy_(torch.from_numpy(data.weight))
        conv.bias.data.copy_(torch.from_numpy(data.bias))
    return network.eval()


def sha256_bytes(content: bytes) -> str:
    """Hex digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return sha256_bytes(path.read_bytes())
