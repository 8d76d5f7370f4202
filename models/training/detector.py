"""The item detector: where something lies in a picture from above, whatever it is.

MobileNetV2's C2-C5, a depthwise feature pyramid down to stride 8, one heat map of box centres
(Zhou et al., "Objects as Points", 2019), distances to the four sides, and the expected overlap
of each box, by which the heat is scaled so that well placed boxes rank first.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import backbone

SIZE_PX = 320
STRIDE_PX = 8
GRID = SIZE_PX // STRIDE_PX
MOST_BOXES = 64
CHANNELS = 96
# Neighbouring cells whose boxes overlap by more mean one good. Chosen on the scenes that choose the threshold.
PEAK_IOU = 0.8
POSITIVE_VISIBLE = 0.2  # share of an object that must be seen for it to count
# Last blocks of the backbone that feed the pyramid, at strides 4, 8, 16 and 32.
TAPS = (2, 5, 12, 15)
TAP_CHANNELS = (24, 32, 96, 160)
# The blocks up to C3 see edges, colours and textures, which ImageNet taught them. They stay as they
# are: their maps are the largest, and learning them would cost more than all the rest of a step.
FROZEN_BLOCKS = 6
# A side's distance is the mean of a distribution over so many distances (Li et al., "Generalized Focal
# Loss", 2020), here closer to each other where they are small: what counts is the relative error.
BINS = 18
FARTHEST_PX = 224.0
BIN_POWER = 1.8


def bin_distances() -> Tensor:
    """[18] the distances in px, from 0 upwards."""
    return FARTHEST_PX * torch.linspace(0.0, 1.0, BINS) ** BIN_POWER


class Separable(nn.Module):
    """Depthwise 3x3, then 1x1, each followed by batch normalisation; ReLU at the end."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        self.depthwise_norm: nn.Module = nn.BatchNorm2d(inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pointwise_norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = backbone.in_full_precision(self.depthwise, x) if self.depthwise.stride == (2, 2) else self.depthwise(x)
        return F.relu(self.pointwise_norm(self.pointwise(self.depthwise_norm(y))))

    def fold(self) -> None:
        """Folds the normalisation into the convolutions; for evaluation only."""
        self.depthwise = fuse_conv_bn_eval(self.depthwise, self.depthwise_norm)
        self.pointwise = fuse_conv_bn_eval(self.pointwise, self.pointwise_norm)
        self.depthwise_norm = self.pointwise_norm = nn.Identity()


class Detector(nn.Module):
    """Heat, box and overlap maps at stride 8."""

    def __init__(self, base: backbone.MobileNetV2):
        super().__init__()
        self.stem = base.stem
        self.blocks = base.blocks[: TAPS[-1] + 1]
        self.fine = Separable(TAP_CHANNELS[0], CHANNELS, stride=2)
        self.lateral = nn.ModuleList(nn.Conv2d(c, CHANNELS, 1) for c in TAP_CHANNELS[1:])
        self.smooth = nn.ModuleList(Separable(CHANNELS, CHANNELS) for _ in range(2))
        self.heat_tower = nn.Sequential(*(Separable(CHANNELS, CHANNELS) for _ in range(2)))
        self.box_tower = nn.Sequential(*(Separable(CHANNELS, CHANNELS) for _ in range(2)))
        self.heat = nn.Conv2d(CHANNELS, 1, 1)
        self.box = nn.Conv2d(CHANNELS, 4 * BINS, 1)
        self.overlap = nn.Conv2d(CHANNELS, 1, 1)
        nn.init.constant_(self.heat.bias, -3.5)  # a few objects on 1 600 cells
        nn.init.normal_(self.box.weight, std=0.01)

    def shallow(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised [N,3,320,320] to C2 [N,24,80,80] and C3 [N,32,40,40]: the frozen part."""
        taps, x = [], F.relu6(self.stem(x))
        for i, block in enumerate(self.blocks[:FROZEN_BLOCKS]):
            x = block(x)
            if i in TAPS:
                taps.append(x)
        return taps[0], taps[1]

    def deep(self, c2: Tensor, c3: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """C2 and C3 to heat logits [N,1,40,40], sides [N,4,18,40,40] as logits of distances, overlap logits [N,1,40,40]."""
        taps, x = [c3], c3
        for i, block in enumerate(self.blocks[FROZEN_BLOCKS:], start=FROZEN_BLOCKS):
            x = block(x)
            if i in TAPS:
                taps.append(x)
        c3, c4, c5 = (layer(tap) for layer, tap in zip(self.lateral, taps, strict=True))
        p4 = self.smooth[0](c4 + F.interpolate(c5, scale_factor=2.0, mode="nearest"))
        p3 = self.smooth[1](c3 + self.fine(c2) + F.interpolate(p4, scale_factor=2.0, mode="nearest"))
        box = self.box_tower(p3)
        return self.heat(self.heat_tower(p3)), self.box(box).reshape(-1, 4, BINS, GRID, GRID), self.overlap(box)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised [N,3,320,320] to the maps of `deep`."""
        return self.deep(*self.shallow(x))

    def fold(self) -> Detector:
        """Evaluation mode with all normalisation folded away."""
        self.eval()
        for module in self.modules():
            if isinstance(module, Separable):
                module.fold()
        return self


class Shallow(nn.Module):
    """The frozen part alone, from bytes [N,320,320,3]."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.detector.shallow(backbone.normalise(image))


def _neighbours(x: Tensor) -> list[Tensor]:
    """The eight maps [N,C,H,W] of what lies next to each cell; 0 beyond the edge."""
    wide = F.pad(x, (1, 1, 1, 1))
    return [wide[:, :, dy : dy + GRID, dx : dx + GRID] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1)]


def _overlaps(a: Tensor, b: Tensor) -> Tensor:
    """IoU [N,1,H,W] of the boxes of each cell, [N,4,H,W] xyxy."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0.0)
    shared = inner[:, :1] * inner[:, 1:]
    area_a, area_b = ((x[:, 2:3] - x[:, :1]) * (x[:, 3:] - x[:, 1:2]) for x in (a, b))
    return shared / (area_a + area_b - shared + 1e-6)


class Exported(nn.Module):
    """What stands in the ONNX file: bytes in, the best 64 boxes out."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector
        self.register_buffer("centres", cell_centres().permute(2, 0, 1)[None].contiguous())
        moments = torch.stack([torch.ones(BINS), bin_distances()])
        self.register_buffer("moments", moments.repeat(4, 1)[:, :, None, None])

    def _sides(self, logits: Tensor) -> Tensor:
        """Mean distances [N,4,40,40], px, of their distributions' logits [N,4,18,40,40].

        The sums of a softmax by a convolution: along this dimension ONNX Runtime's own takes ten times as long.
        """
        mass = torch.exp(logits.clamp(-60.0, 60.0)).reshape(-1, 4 * BINS, GRID, GRID)
        sums = F.conv2d(mass, self.moments, groups=4).reshape(-1, 4, 2, GRID, GRID)
        return sums[:, :, 1] / sums[:, :, 0]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 [1,320,320,3] to boxes [1,64,4] xyxy px and scores [1,64], best first.

        The picture is also looked at upside down, and both opinions are averaged: from above no side is the upper one.
        Peaks are those of 3x3 cells, as in "Objects as Points", but a better neighbour counts only where its
        box is nearly the same: a small good before a large one keeps its own peak.
        """
        picture = backbone.normalise(image)
        heat, logits, overlap = self.detector(torch.cat([picture, picture.flip(2, 3)]))
        sides = self._sides(logits)
        heat, overlap = ((m[:1] + m[1:].flip(2, 3)) / 2 for m in (heat, overlap))
        turned = sides[1:].flip(2, 3)
        sides = (sides[:1] + torch.cat([turned[:, 2:], turned[:, :2]], dim=1)) / 2
        score = torch.sqrt(torch.sigmoid(heat) * torch.sigmoid(overlap))
        boxes = torch.cat([self.centres - sides[:, :2], self.centres + sides[:, 2:]], dim=1).clamp(0.0, float(SIZE_PX))
        peak = torch.ones_like(score)
        for better, other in zip(_neighbours(score), _neighbours(boxes), strict=True):
            beaten = (better > score).to(score.dtype) * (_overlaps(boxes, other) > PEAK_IOU).to(score.dtype)
            peak = peak * (1.0 - beaten)
        score = (score * peak).reshape(1, GRID * GRID)
        boxes = boxes.reshape(1, 4, GRID * GRID).transpose(1, 2)
        scores, index = torch.topk(score, MOST_BOXES, dim=1)
        return torch.gather(boxes, 1, index.unsqueeze(2).expand(1, MOST_BOXES, 4)), scores


def cell_centres() -> Tensor:
    """[40,40,2] x and y, in px, of the middle of each cell."""
    line = (torch.arange(GRID, dtype=torch.float32) + 0.5) * STRIDE_PX
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=2)


CENTRES = cell_centres().numpy()


def targets(boxes: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, ...]:
    """What the maps should say of one frame.

    `boxes` [K,4] xyxy px of the frame, `visible` [K] in 0..1. Returns heat [40,40], box
    xyxy [40,40,4], its weight [40,40] (0: no box to learn there) and care [40,40] (0: the heat
    there is neither right nor wrong, because something hardly visible lies there).
    """
    heat = np.zeros((GRID, GRID), np.float32)
    goal = np.zeros((GRID, GRID, 4), np.float32)
    weight = np.zeros((GRID, GRID), np.float32)
    care = np.ones((GRID, GRID), np.float32)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for k in np.argsort(-area):
        x0, y0, x1, y1 = boxes[k]
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        if not (0 <= cx < SIZE_PX and 0 <= cy < SIZE_PX):
            continue
        # 0.54 / 3 of a side: the spread that TTFNet (Liu et al., 2020) found for side-shaped Gaussians.
        sx, sy = max((x1 - x0) * 0.09, 3.0), max((y1 - y0) * 0.09, 3.0)
        bell = np.exp(-((CENTRES[:, :, 0] - cx) ** 2 / (2 * sx * sx)) - (CENTRES[:, :, 1] - cy) ** 2 / (2 * sy * sy))
        if visible[k] < POSITIVE_VISIBLE:
            care[bell > 0.05] = 0.0
            continue
        i, j = min(int(cy / STRIDE_PX), GRID - 1), min(int(cx / STRIDE_PX), GRID - 1)
        bell[i, j] = 1.0
        np.maximum(heat, bell, out=heat)
        # Larger ones first: where two claim a cell the smaller, which lies on top, has it, unless it is off by more.
        mine = (bell > 0.3) & (bell >= weight * 0.8)
        goal[mine], weight[mine] = boxes[k], bell[mine]
    care[heat > 0.3] = 1.0
    return heat, goal, weight, care


def heat_loss(logit: Tensor, heat: Tensor, care: Tensor) -> Tensor:
    """Penalty-reduced focal loss of "Objects as Points", equation 1, by object."""
    p = torch.sigmoid(logit).clamp(1e-4, 1 - 1e-4)
    top = (heat >= 0.999).float()
    positive = top * (1 - p) ** 2 * torch.log(p)
    negative = (1 - top) * (1 - heat) ** 4 * p**2 * torch.log(1 - p) * care
    return -(positive.sum() + negative.sum()) / top.sum().clamp(min=1.0)


def overlap_and_giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al., 2019) of boxes [K,4] with boxes [K,4], xyxy."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inner
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    iou = inner / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def distance_loss(logits: Tensor, distance: Tensor) -> Tensor:
    """Cross entropy [K,4] of logits [K,4,18] with the two distances next to the true one, px [K,4]."""
    place = (distance / FARTHEST_PX).clamp(0.0, 0.9999) ** (1 / BIN_POWER) * (BINS - 1)
    lower = place.floor().long()
    table = bin_distances()
    share = (distance.clamp(0.0, FARTHEST_PX) - table[lower]) / (table[lower + 1] - table[lower])
    log = torch.log_softmax(logits, dim=2)
    near, far = (log.gather(2, k.unsqueeze(2)).squeeze(2) for k in (lower, lower + 1))
    return -(near * (1 - share) + far * share)


def loss(maps: tuple[Tensor, Tensor, Tensor], goals: list[Tensor]) -> Tensor:
    """Heat + box + distance + overlap loss of a batch; `goals` as from `targets`, stacked."""
    (heat_logit, logits, overlap_logit), (heat, goal, weight, care) = (m.float() for m in maps), goals
    where = weight > 0
    centres = torch.from_numpy(CENTRES).expand(len(heat), -1, -1, -1)[where]
    logits, w, goal = logits.permute(0, 3, 4, 1, 2)[where], weight[where], goal[where]
    sides = (torch.softmax(logits, dim=2) * bin_distances()).sum(dim=2)
    boxes = torch.cat([centres - sides[:, :2], centres + sides[:, 2:]], dim=1)
    iou, giou = overlap_and_giou(boxes, goal)
    share = w.sum().clamp(min=1.0)
    box = ((1 - giou) * w).sum() / share
    true_sides = torch.cat([centres - goal[:, :2], goal[:, 2:] - centres], dim=1)
    distance = (distance_loss(logits, true_sides).mean(dim=1) * w).sum() / share
    overlap = (F.binary_cross_entropy_with_logits(overlap_logit[:, 0][where], iou.detach(), reduction="none") * w).sum() / share
    return heat_loss(heat_logit[:, 0], heat, care) + 4.0 * box + 0.5 * distance + 0.5 * overlap
