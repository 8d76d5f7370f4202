"""From a camera picture with boxes to one 320 px frame of the detector's contract."""

from __future__ import annotations

import io
import random

import numpy as np
from PIL import Image, ImageFilter

from detector import SIZE_PX

PAD = 114
Frame = tuple[np.ndarray, np.ndarray, np.ndarray]


def letterbox(image: np.ndarray, view: tuple[float, float, float, float]) -> tuple[np.ndarray, float, float, float]:
    """The part `view` (xyxy px) of a picture fitted into 320 px, the rest 114.

    Returns the frame and scale, dx, dy with frame = picture * scale + d.
    """
    x0, y0, x1, y1 = view
    scale = SIZE_PX / max(x1 - x0, y1 - y0)
    width, height = (max(round(v * scale), 1) for v in (x1 - x0, y1 - y0))
    left, top = (SIZE_PX - width) // 2, (SIZE_PX - height) // 2
    frame = np.full((SIZE_PX, SIZE_PX, 3), PAD, np.uint8)
    part = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, box=view)
    frame[top : top + height, left : left + width] = np.asarray(part)
    return frame, scale, left - x0 * scale, top - y0 * scale


def _view(width: int, height: int, chance: random.Random) -> tuple[float, float, float, float]:
    """The whole picture, or a part of it as a station's `view_px` or platform crop would cut it."""
    if chance.random() < 0.35:
        return 0.0, 0.0, float(width), float(height)
    share = chance.uniform(0.6, 1.0)
    w, h = width * share, height * min(share * chance.uniform(0.9, 1.25), 1.0)
    x, y = (width - w) * chance.uniform(0.25, 0.75), (height - h) * chance.uniform(0.25, 0.75)
    return x, y, x + w, y + h


def _colours(frame: np.ndarray, chance: random.Random) -> np.ndarray:
    """Other exposure, gamma and white balance, by a table for each channel."""
    line = np.arange(256, dtype=np.float32) / 255
    gain, gamma = chance.uniform(0.75, 1.25), chance.uniform(0.8, 1.25)
    out = np.empty_like(frame)
    for c in range(3):
        table = np.clip(line**gamma * gain * chance.uniform(0.9, 1.1) * 255, 0, 255).astype(np.uint8)
        out[:, :, c] = table[frame[:, :, c]]
    return out


def _worsen(frame: np.ndarray, chance: random.Random) -> np.ndarray:
    """Now and then out of focus, noisy, or compressed hard: what cheap cameras and long cables do."""
    if chance.random() < 0.2:
        frame = np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 1.4))))
    if chance.random() < 0.2:
        noise = np.random.default_rng(chance.randrange(1 << 30)).normal(0, chance.uniform(2, 10), frame.shape)
        frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
    if chance.random() < 0.15:
        packed = io.BytesIO()
        Image.fromarray(frame).save(packed, "JPEG", quality=chance.randrange(30, 80))
        frame = np.asarray(Image.open(packed))
    return frame


def clip_boxes(boxes: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes cut at the frame's edge; what is cut off counts as hidden; nothing left: dropped."""
    cut = np.clip(boxes, 0, SIZE_PX)
    area, whole = ((b[:, 2:] - b[:, :2]).prod(1) for b in (cut, boxes))
    keep = area > 9.0
    return cut[keep], (visible * area / np.maximum(whole, 1e-6))[keep]


def draw_frame(image: np.ndarray, boxes: np.ndarray, visible: np.ndarray, chance: random.Random) -> Frame:
    """A training frame: part of the picture, turned, mirrored, recoloured."""
    frame, scale, dx, dy = letterbox(image, _view(image.shape[1], image.shape[0], chance))
    boxes = boxes * scale + np.array([dx, dy, dx, dy], np.float32)
    if chance.random() < 0.5:
        frame, boxes = frame[:, ::-1], np.stack([SIZE_PX - boxes[:, 2], boxes[:, 1], SIZE_PX - boxes[:, 0], boxes[:, 3]], 1)
    for _ in range(chance.randrange(4)):  # a quarter turn to the left each
        frame = np.rot90(frame)
        boxes = np.stack([boxes[:, 1], SIZE_PX - boxes[:, 2], boxes[:, 3], SIZE_PX - boxes[:, 0]], 1)
    boxes, visible = clip_boxes(boxes, visible)
    return _worsen(_colours(np.ascontiguousarray(frame), chance), chance), boxes.astype(np.float32), visible.astype(np.float32)


def test_frame(image: np.ndarray, boxes: np.ndarray, visible: np.ndarray) -> Frame:
    """The whole picture as it is."""
    frame, scale, dx, dy = letterbox(image, (0.0, 0.0, float(image.shape[1]), float(image.shape[0])))
    boxes, visible = clip_boxes(boxes * scale + np.array([dx, dy, dx, dy], np.float32), visible)
    return frame, boxes.astype(np.float32), visible.astype(np.float32)
