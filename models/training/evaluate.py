"""Figures of both models, from the ONNX files as they ship."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image


NMS_IOU = 0.6  # what callers of the detector apply, by contract
EMBED_BATCH = 8
COUNTED_VISIBLE = 0.3  # what is seen less of is not promised to be found


def session(path: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session as the daemon makes it: CPU, no spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = path if isinstance(path, bytes) else str(path)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Overlaps [N,M] of boxes [N,4] with boxes [M,4], xyxy."""
    inner = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    inner = inner.clip(min=0).prod(axis=2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b))
    return inner / np.maximum(area_a[:, None] + area_b[None] - inner, 1e-9)


def keep_best(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices that survive IoU NMS, best first."""
    left, kept = list(np.argsort(-scores, kind="stable")), []
    overlap = iou(boxes, boxes)
    while left:
        first = left.pop(0)
        kept.append(first)
        left = [k for k in left if overlap[first, k] <= NMS_IOU]
    return np.array(kept, dtype=int)


@dataclass(frozen=True)
class Found:
    """One frame's detections after NMS with the truth they are held against."""

    boxes: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    visible: np.ndarray


def detect(path: Path, frames: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[Found]:
    """Runs the detector over frames (image uint8 [320,320,3], boxes, visible shares)."""
    model, found = session(path, 2), []
    for image, truth, visible in frames:
        boxes, scores = model.run(["boxes", "scores"], {"image": image[None]})
        kept = keep_best(boxes[0], scores[0])
        found.append(Found(boxes[0][kept], scores[0][kept], truth, visible))
    return found


def _match(frame: Found, least_iou: float, least_visible: float) -> tuple[np.ndarray, int]:
    """+1 hit, 0 ignored, -1 false, for each detection best first; and how many there were to find.

    Greedy by score, as in COCO. What is less visible than `least_visible` neither counts nor hurts.
    """
    overlap = iou(frame.boxes, frame.truth) if len(frame.truth) else np.zeros((len(frame.boxes), 0))
    wanted = frame.visible >= least_visible
    free, marks = np.ones(len(frame.truth), bool), np.full(len(frame.boxes), -1)
    for k in range(len(frame.boxes)):
        fits = np.where((overlap[k] >= least_iou) & free)[0]
        if len(fits) == 0:
            continue
        best = max(fits, key=lambda t: (wanted[t], overlap[k, t]))
        free[best] = False
        marks[k] = 1 if wanted[best] else 0
    return marks, int(wanted.sum())


Matched = tuple[np.ndarray, np.ndarray, int]


def matches(found: Sequence[Found], least_iou: float, least_visible: float) -> list[Matched]:
    """Of each frame: scores, marks, and how many there were to find."""
    return [(f.scores, *_match(f, least_iou, least_visible)) for f in found]


def curve(matched: Sequence[Matched]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (descending), precision and recall down to each of them."""
    frames, marks, total = zip(*matched, strict=True)
    scores, marks = np.concatenate(frames), np.concatenate(marks)
    order = np.argsort(-scores, kind="stable")
    scores, marks = scores[order][marks[order] != 0], marks[order][marks[order] != 0]
    hits, n = np.cumsum(marks > 0), np.arange(1, len(marks) + 1)
    return scores, hits / n, hits / max(sum(total), 1)


def average_precision(precision: np.ndarray, recall: np.ndarray) -> float:
    """Area under the precision envelope at COCO's 101 recalls."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101))
    return float(np.mean([envelope[i] if i < len(envelope) else 0.0 for i in at]))


def count_errors(matched: Sequence[Matched], threshold: float) -> np.ndarray:
    """By how many each scene's count of boxes above the threshold is off; boxes on hardly visible goods count neither way."""
    return np.array([abs(int(((marks != 0) & (scores >= threshold)).sum()) - wanted) for scores, marks, wanted in matched])


def best_threshold(found: Sequence[Found], least_visible: float = COUNTED_VISIBLE) -> float:
    """The score, in hundredths, with the least mean count error among those whose F1 at IoU 0.5 is at least 0.97 of the best."""
    matched = matches(found, 0.5, least_visible)
    scores, precision, recall = curve(matched)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    good = scores[f1 >= 0.97 * f1.max()]
    steps = np.arange(np.floor(good.min() * 100), np.floor(good.max() * 100) + 1) / 100
    errors = [count_errors(matched, step).mean() for step in steps]
    return round(float(steps[int(np.argmin(errors))]), 2)


@dataclass(frozen=True)
class Counting:
    """How many goods a box stands for, by its score: a logistic curve; and how sure the sum is."""

    at: float
    width: float
    variance: float = 0.0
    variance_each: float = 0.0

    def mean(self, scores: np.ndarray) -> float:
        """Expected number of goods from the scores of one frame's boxes."""
        return float((1 / (1 + np.exp(-(scores - self.at) / self.width))).sum())

    def sd(self, mean: np.ndarray) -> np.ndarray:
        """Standard deviation of such a number."""
        return np.sqrt(self.variance + self.variance_each * mean)


def goods_in_sight(found: Sequence[Found]) -> np.ndarray:
    """How many goods each frame shows that are visible enough to be counted."""
    return np.array([int((f.visible >= COUNTED_VISIBLE).sum()) for f in found])


def fit_counting(found: Sequence[Found]) -> Counting:
    """The curve with the least mean absolute error over frames, by search on a grid; the variance by least squares on its residues."""
    truth = goods_in_sight(found)
    grid = [Counting(at, width) for at in np.arange(0.3, 0.7, 0.005) for width in np.arange(0.01, 0.1, 0.005)]
    means = [np.array([c.mean(f.scores) for f in found]) for c in grid]
    best = int(np.argmin([np.abs(m - truth).mean() for m in means]))
    mean, residue2 = means[best], (means[best] - truth) ** 2
    each = float(np.clip(np.cov(mean, residue2, bias=True)[0, 1] / mean.var(), 0.0, residue2.mean() / mean.mean()))
    rest = max(float(residue2.mean() - each * mean.mean()), 0.0)
    at, width = grid[best].at, grid[best].width
    return Counting(round(float(at), 3), round(float(width), 3), round(rest, 4), round(each, 4))


def counting_figures(found: Sequence[Found], folds: int = 5, rounds: int = 200) -> dict[str, Any]:
    """Mean error of the rounded estimate with its 95 % interval, exact ones, and how many lie within one and two standard deviations.

    Each fold of the frames is counted by a curve that was fitted on the others.
    """
    rng, truth, mean, sd = np.random.default_rng(7), goods_in_sight(found), np.zeros(len(found)), np.zeros(len(found))
    part = rng.permutation(len(found)) % folds
    for k in range(folds):
        counting = fit_counting([f for f, own in zip(found, part, strict=True) if own != k])
        mean[part == k] = [counting.mean(f.scores) for f, own in zip(found, part, strict=True) if own == k]
        sd[part == k] = counting.sd(mean[part == k])
    error, sd = np.abs(np.round(mean) - truth), np.maximum(sd, 1e-9)
    drawn = [error[rng.integers(0, len(error), len(error))].mean() for _ in range(rounds)]
    off = np.abs(mean - truth) / sd
    return {
        "scenes": len(found),
        "count_error": round(float(error.mean()), 3),
        "count_error_interval": [round(float(v), 3) for v in np.quantile(drawn, [0.025, 0.975])],
        "count_exact": round(float((error == 0).mean()), 3),
        "within_1_sd": round(float((off <= 1).mean()), 3),
        "within_2_sd": round(float((off <= 2).mean()), 3),
    }


def _figures(matched: Sequence[Matched], matched75: Sequence[Matched], threshold: float) -> dict[str, float]:
    scores, precision, recall = curve(matched)
    sure = recall[precision >= 0.9]
    above = max(int((scores >= threshold).sum()) - 1, 0)
    errors = count_errors(matched, threshold)
    return {
        "ap50": average_precision(precision, recall),
        "ap75": average_precision(*curve(matched75)[1:]),
        "recall_at_precision_0.9": float(sure.max()) if len(sure) else 0.0,
        "precision": float(precision[above]),
        "recall": float(recall[above]),
        "boxes_count_error": float(errors.mean()),
        "boxes_count_exact": float((errors == 0).mean()),
    }


def detector_figures(found: Sequence[Found], threshold: float, least_visible: float) -> dict[str, float]:
    """AP50, AP75, recall at precision 0.9, and at the threshold precision, recall, count error, exact counts."""
    figures = _figures(matches(found, 0.5, least_visible), matches(found, 0.75, least_visible), threshold)
    return {name: round(value, 3) for name, value in figures.items()}


def intervals(found: Sequence[Found], threshold: float, least_visible: float, rounds: int = 200) -> dict[str, list[float]]:
    """95 % intervals of the same figures, by drawing scenes with replacement."""
    rng = np.random.default_rng(7)
    both = [matches(found, least, least_visible) for least in (0.5, 0.75)]
    drawn = []
    for _ in range(rounds):
        chosen = rng.integers(0, len(found), len(found))
        drawn.append(_figures(*([m[k] for k in chosen] for m in both), threshold))
    quantiles = {name: np.quantile([d[name] for d in drawn], [0.025, 0.975]) for name in drawn[0]}
    return {name: [round(float(v), 3) for v in pair] for name, pair in quantiles.items()}


def run_crops(model: onnxruntime.InferenceSession, crops: Sequence[Image.Image | np.ndarray]) -> np.ndarray:
    """The first output [N,d] for square crops of 192 px, in small batches."""
    rows = []
    for i in range(0, len(crops), EMBED_BATCH):
        block = np.stack([np.asarray(c) for c in crops[i : i + EMBED_BATCH]])
        rows.append(model.run(None, {"crops": block})[0])
    return np.concatenate(rows)


def auc(match: np.ndarray, other: np.ndarray) -> float:
    """Chance that a match scores above a non-match."""
    both = np.concatenate([match, other])
    rank = np.empty(len(both))
    rank[np.argsort(both, kind="stable")] = np.arange(1, len(both) + 1)
    n = len(match)
    return float((rank[:n].sum() - n * (n + 1) / 2) / (n * len(other)))


def verification_figures(
    scores: np.ndarray, product: np.ndarray, query: np.ndarray, used: np.ndarray | None = None
) -> dict[str, float]:
    """R@1, AUC and true accepts at 1 % and 0.1 % false ones, from best cosines [crops, products].

    `used` [crops, products] says which pairs count as matches or non-matches; all if not given.
    """
    mine = product[None] == query[:, None]
    match, other = scores[mine], scores[~mine & (np.ones_like(mine) if used is None else used)]
    return {
        "r_at_1": round(float((product[scores.argmax(axis=1)] == query).mean()), 3),
        "auc": round(auc(match, other), 4),
        "tar_at_far_0.01": round(float((match > np.quantile(other, 0.99)).mean()), 3),
        "tar_at_far_0.001": round(float((match > np.quantile(other, 0.999)).mean()), 3),
    }


def calibration_error(llr: np.ndarray, is_match: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error at even prior odds: matches and non-matches weigh half each."""
    p = 1 / (1 + np.exp(-llr))
    weight = np.where(is_match, 0.5 / max(is_match.sum(), 1), 0.5 / max((~is_match).sum(), 1))
    slot = np.minimum((p * bins).astype(int), bins - 1)
    error = 0.0
    for k in range(bins):
        here = slot == k
        share = weight[here].sum()
        if share > 0:
            error += abs((weight[here] * is_match[here]).sum() - (weight[here] * p[here]).sum())
    return round(float(error), 4)


def latency_ms(path: Path, feed: dict[str, np.ndarray], runs: int = 40) -> float:
    """Median processor time of one run on one thread: other programs' load does not count."""
    model, times = session(path), []
    for _ in range(runs + 5):
        began = time.process_time()
        model.run(None, feed)
        times.append(time.process_time() - began)
    return round(float(np.median(times[5:])) * 1e3, 1)
