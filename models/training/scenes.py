"""Scenes and product pictures from `firmware-sim`, the only renderer, and how they are read."""

from __future__ import annotations

import csv
import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# As in firmware-sim: every fourth invented good is a look-alike of the one before.
FAMILY = 4


@dataclass(frozen=True)
class Labelled:
    """One scene: `boxes` [K,4] xyxy px of the picture, `visible` [K] in 0..1, `ids` of the K goods."""

    path: Path
    boxes: np.ndarray
    visible: np.ndarray
    ids: tuple[str, ...]

    def image(self) -> np.ndarray:
        """The picture, uint8 [H,W,3] RGB."""
        return np.asarray(Image.open(self.path).convert("RGB"))


def read(folder: Path) -> list[Labelled]:
    """All scenes of a folder that `firmware-sim render` wrote."""
    scenes = []
    for line in (folder / "labels.ndjson").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        boxes = np.array([b["xyxy"] for b in row["boxes"]], np.float32).reshape(-1, 4)
        visible = np.array([b["visible"] for b in row["boxes"]], np.float32)
        scenes.append(Labelled(folder / row["image"], boxes, visible, tuple(b["id"] for b in row["boxes"])))
    return scenes


def number_of(identity: str) -> int:
    """Number of an invented good, from its id."""
    return int(identity.rsplit("-", 1)[1])


def family_of(identity: str) -> int:
    """Number shared by an invented good and its look-alike."""
    number = number_of(identity)
    return number - 1 if number % FAMILY == FAMILY - 1 else number


def render(simulator: Path, out: Path, *, scenes: int, seed: int, split: str, manner: str = "usual") -> None:
    """Draws scenes 1..`scenes` of a seed unless they are there already."""
    labels = out / "labels.ndjson"
    done = len(labels.read_text(encoding="utf-8").splitlines()) if labels.exists() else 0
    if done < scenes:
        options = ["--first", str(done + 1), "--scenes", str(scenes - done), "--seed", str(seed)]
        goods = ["--goods", "random", "--split", split, "--manner", manner]
        subprocess.run([str(simulator), "render", "--out", str(out), *options, *goods], check=True)


def looks(simulator: Path, out: Path, *, wanted: list[str], pictures: int, seed: int, split: str) -> None:
    """Takes enrolment pictures of the wanted invented goods unless they are there already.

    The simulator takes runs of numbers, so goods of one run that nobody wants are drawn as well.
    """
    missing = sorted({number_of(i) for i in wanted if not (out / i / f"{pictures - 1}.png").exists()})
    runs: list[list[int]] = []
    for number in missing:
        if runs and number - runs[-1][1] < 8:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    for first, last in runs:
        goods = ["--goods", "random", "--split", split, "--first", str(first), "--identities", str(last - first + 1)]
        options = ["--per-product", str(pictures), "--seed", str(seed)]
        subprocess.run([str(simulator), "looks", "--out", str(out), *options, *goods], check=True)


def pictures(out: Path, identity: str, count: int) -> list[Image.Image]:
    """Enrolment pictures of a good, already cropped with their margin."""
    return [Image.open(out / identity / f"{k}.png").convert("RGB") for k in range(count)]


def grocery(folder: Path) -> list[tuple[Path, str]]:
    """Photographs with their class."""
    with (folder / "index.csv").open(encoding="utf-8") as file:
        return [(folder / row["path"], row["class"]) for row in csv.DictReader(file)]


def sampled(items: list, count: int, seed: int) -> list:
    """At most `count` of the items, always the same for the same seed, in their own order."""
    chosen = random.Random(seed).sample(range(len(items)), min(count, len(items)))
    return [items[k] for k in sorted(chosen)]
