"""What the models see, as `proving evaluate` draws it: `proving/data/vision.json`.

How well a crop fits its own product and a stranger, how many crops a good gives, how fast that falls where goods hide each
other, and how many crops show nothing of the list. Cosines are told less the mean of strangers, who lie about 0 there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import augment
import calibration
import evaluate
import scenes

SHARES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
# Between the looks of goods of one aisle: the prototype's figure (nothing here has aisles).
AISLE_COSINE = 0.49
FEW = 3  # so many goods lie as they would when put down one after the other
NEVER_CROWDED = 80
RAREST_CLUTTER = 0.01
# Of a standard normal 1 % lies above.
NORMAL_99 = 2.326


@dataclass(frozen=True)
class Plate:
    """One scene: goods that lie there, hidden ones too, boxes that show one of them, and boxes that show none."""

    lying: int
    hits: int
    others: int


def plates(detector: Path, threshold: float, drawn: Sequence[scenes.Labelled]) -> list[Plate]:
    """What the detector finds in scenes."""
    frames = [augment.test_frame(s.image(), s.boxes, s.visible) for s in drawn]
    told = []
    for scene, found in zip(drawn, evaluate.detect(detector, frames), strict=True):
        boxes = found.boxes[found.scores >= threshold]
        hits = int((evaluate.iou(boxes, found.truth).max(axis=1, initial=0.0) >= calibration.MATCH_IOU).sum())
        told.append(Plate(len(scene.boxes), hits, len(boxes) - hits))
    return told


def sights(seen: Sequence[Plate]) -> dict[str, dict[str, float]]:
    """Crops of a good and of nothing, for whole baskets and for goods one by one.

    Whole: lying * rate * min(1, crowded_above / lying) ** crowding, the least squares over a grid.
    """
    lying, hits, others = (np.array([getattr(p, name) for p in seen], float) for name in ("lying", "hits", "others"))
    best = None
    for above in range(3, 14):
        for power in np.arange(0.0, 1.21, 0.05):
            shown = np.minimum(1.0, above / np.maximum(lying, 1.0)) ** power * lying
            rate = hits.sum() / shown.sum()
            error = ((hits - rate * shown) ** 2).sum()
            if best is None or error < best[0]:
                best = (error, above, power, rate)
    _, above, power, rate = best
    few = (lying >= 1) & (lying <= FEW)
    return {
        "whole": {
            "crops_a_unit": round(float(rate), 2),
            "crowded_above": above,
            "crowding": round(float(power), 2),
            "clutter_crops": round(float(others[lying > FEW].mean()), 2),
        },
        "one_by_one": {
            "crops_a_unit": round(float(hits[few].sum() / lying[few].sum()), 2),
            "crowded_above": NEVER_CROWDED,
            "crowding": 0.0,
            "clutter_crops": round(max(float(others[few].mean()), RAREST_CLUTTER), 2),
        },
    }


def cosines(scores: np.ndarray, match: np.ndarray, used: np.ndarray) -> dict[str, Any]:
    """Distribution of the best cosines [crops,products] of matches, and the dimension of a space in which as many strangers lie as near.

    `match` and `used` as `emb.calibrate_by_curve` takes them.
    """
    strangers, own = scores[used & ~match], scores[match]
    middle = float(strangers.mean())
    points = [float(v) - middle for v in np.quantile(own, SHARES)]
    for k in range(1, len(points)):
        points[k] = max(points[k], points[k - 1] + 0.001)
    # A random direction's cosine has a spread of 1 / sqrt(dimensions).
    dimensions = (NORMAL_99 / (float(np.quantile(strangers, 0.99)) - middle)) ** 2
    return {
        "dimensions": int(np.clip(round(dimensions), 4, 256)),
        "aisle_cosine": AISLE_COSINE,
        "genuine_cosine": [[share, round(v, 3)] for share, v in zip(SHARES, points, strict=True)],
        "crops": len(own),
    }


def write(path: Path, models: str, cosine: dict[str, Any], sight: dict[str, Any]) -> None:
    """Writes the record, a figure a line; `models` says whose it is."""
    source = f"recorded by models/training/train.py from {models}, goods not trained on; aisle_cosine is the prototype's, not measured"
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in {"source": source, **cosine, **sight}.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
