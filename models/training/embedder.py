"""The item embedder: plain backbone features, projected to 256 numbers that tell products apart.

The projection is fitted in closed form: features are power-normalised, centred, whitened by the
(shrunk) spread of pictures within a product, and the 256 directions kept in which products
differ most. That is linear discriminant analysis with a shrunk within-class covariance; without
labels it would be PCA whitening.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import backbone

SIZE_PX = 192
DIMENSIONS = 256
PAD = 114  # the contract's grey around what is not square
MARGIN = 0.08


class Embedder(nn.Module):
    """What stands in the ONNX file: uint8 [N,192,192,3] to unit vectors [N,256]."""

    def __init__(self, base: backbone.MobileNetV2, mean: np.ndarray, projection: np.ndarray):
        super().__init__()
        self.features = Features(base)
        self.project = nn.Linear(backbone.FEATURES, DIMENSIONS)
        self.project.weight.data.copy_(torch.from_numpy(projection.T.astype(np.float32)))
        self.project.bias.data.copy_(torch.from_numpy((-mean @ projection).astype(np.float32)))

    def forward(self, crops: Tensor) -> Tensor:
        y = self.project(self.features(crops))
        return y / torch.sqrt((y * y).sum(dim=1, keepdim=True) + 1e-12)


def square(image: Image.Image, box: tuple[float, float, float, float] | None = None) -> Image.Image:
    """The crop of the contract: box + 8 % margin on each side, squared by grey, 192 px."""
    x0, y0, x1, y1 = (0.0, 0.0, *image.size) if box is None else box
    margin = 0.0 if box is None else MARGIN
    dx, dy = (x1 - x0) * margin, (y1 - y0) * margin
    x0, y0 = max(math.floor(x0 - dx), 0), max(math.floor(y0 - dy), 0)
    x1, y1 = min(math.ceil(x1 + dx), image.width), min(math.ceil(y1 + dy), image.height)
    side = max(x1 - x0, y1 - y0, 1)
    canvas = Image.new("RGB", (side, side), (PAD, PAD, PAD))
    canvas.paste(image.crop((x0, y0, x1, y1)), ((side - (x1 - x0)) // 2, (side - (y1 - y0)) // 2))
    return canvas.resize((SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR)


def turned(image: Image.Image, chance: random.Random) -> Image.Image:
    """The square crop turned by any angle about its middle, the corners filled with grey."""
    return image.rotate(chance.uniform(0, 360), Image.Resampling.BILINEAR, fillcolor=(PAD, PAD, PAD))


class Features(nn.Module):
    """Power-normalised backbone features [N,1280] of crops uint8 [N,192,192,3]."""

    def __init__(self, base: backbone.MobileNetV2):
        super().__init__()
        base.classifier = nn.Identity()
        self.base = base

    def forward(self, crops: Tensor) -> Tensor:
        return torch.sqrt(self.base.features(backbone.normalise(crops)))


def fit(rows: np.ndarray, identity: np.ndarray, shrink: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean [1280] and projection [1280,256] from features [N,1280] and their product numbers [N].

    `shrink` in 0..1 mixes the within-product covariance with the scaled identity.
    """
    names, index, counts = np.unique(identity, return_inverse=True, return_counts=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, index, rows)
    centres = sums / counts[:, None]
    mean = centres.mean(axis=0)
    inner = rows - centres[index]
    within = inner.T @ inner / max(len(rows) - len(names), 1)
    within = (1 - shrink) * within + shrink * np.trace(within) / len(within) * np.eye(len(within))
    value, vector = np.linalg.eigh(within)
    whiten = vector / np.sqrt(value)
    # The spread of all pictures, not of the few centres alone, so that 256 directions exist.
    centred = (rows - mean) @ whiten
    value, vector = np.linalg.eigh(centred.T @ centred / len(rows))
    best = np.argsort(-value)[:DIMENSIONS]
    return mean, whiten @ vector[:, best]


def project(rows: np.ndarray, mean: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Unit embeddings [N,256] of features [N,1280]: what the network computes."""
    y = (rows - mean) @ projection
    return y / np.linalg.norm(y, axis=1, keepdims=True)


@dataclass(frozen=True)
class Calibration:
    """LLR of "this crop shows this product", natural logarithm: by the curve, or a * cosine + b where a line must do."""

    a: float
    b: float
    curve: tuple[tuple[float, float], ...] = ()  # (cosine, LLR), both rising; level beyond the ends

    def llr(self, cosine: np.ndarray) -> np.ndarray:
        """Log likelihood ratio of cosines."""
        if not self.curve:
            return self.a * cosine + self.b
        return np.interp(cosine, *zip(*self.curve, strict=True))


def calibrate(match: np.ndarray, other: np.ndarray) -> Calibration:
    """Logistic regression of best cosines of true products against those of others, both sides weighing the same."""
    x = np.concatenate([match, other])
    y = np.concatenate([np.ones(len(match)), np.zeros(len(other))])
    w = np.where(y > 0, 0.5 / len(match), 0.5 / len(other))
    design, theta = np.stack([x, np.ones_like(x)], axis=1), np.zeros(2)
    for _ in range(50):  # Newton; two parameters, convex
        p = 1 / (1 + np.exp(-design @ theta))
        gradient = design.T @ (w * (p - y))
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        theta -= np.linalg.solve(hessian, gradient)
    return Calibration(float(theta[0]), float(theta[1]))


def calibrate_by_curve(
    scores: np.ndarray, match: np.ndarray, used: np.ndarray, pieces: int = 8, stiffness: float = 2e-3
) -> Calibration:
    """The rising chain of lines by which one best says which of a shop's goods a crop shows, or that it shows none of them.

    `scores` [crops,products] best cosines, `match` [crops,products] one true product a crop, `used` [crops,products] the products of the crop's
    shop without its declared look-alikes. Every crop counts once with its product in the shop and once without; "none" weighs
    as much as all other products together, so that the curve is a ratio against "some other product" in a shop of any size. Pairs alone
    would teach too flat a curve: what resembles everything a little is told from its rivals only beside them. `stiffness`
    is the price of neighbouring slopes that differ.
    """
    other = used & ~match
    line = calibrate(scores[match], scores[other])
    low, high = np.quantile(scores[other], 0.02), np.quantile(scores[match], 0.98)
    knots = torch.linspace(float(low), float(high), pieces + 1, dtype=torch.float64)
    x = torch.from_numpy(scores.astype(np.float64)).clamp(knots[0], knots[-1])
    mine, rivals = torch.from_numpy(match), torch.from_numpy(other)
    none = rivals.sum(dim=1, keepdim=True).double().log()
    start = torch.full((pieces + 1,), math.log(max(line.a, 1e-3)), dtype=torch.float64)
    start[0] = line.a * float(low) + line.b
    theta = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        slopes = theta[1:]
        llr = theta[0] + sum(
            torch.exp(slope) * (x - left).clamp(min=0.0).minimum(right - left)
            for slope, left, right in zip(slopes, knots[:-1], knots[1:], strict=True)
        )
        out = torch.logsumexp(torch.cat([llr.masked_fill(~rivals, -torch.inf), none], dim=1), dim=1)
        there = torch.logaddexp(out, llr[mine])
        loss = (0.5 * (there - llr[mine]) + 0.5 * (out - none[:, 0])).mean()
        loss = loss + stiffness * (slopes[1:] - slopes[:-1]).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        rises = torch.cat([torch.zeros(1).double(), torch.exp(theta[1:]) * (knots[1:] - knots[:-1])]).cumsum(0)
        points = [(round(float(c), 4), round(float(theta[0] + r), 3)) for c, r in zip(knots, rises, strict=True)]
    return Calibration(line.a, line.b, tuple(points))
