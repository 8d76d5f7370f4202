"""Training of the detector: a second process draws frames and computes the frozen part, this one learns.

Pictures are decoded, turned and recoloured, and the backbone's frozen blocks run in ONNX Runtime,
while torch computes gradients on one thread in bfloat16, which is fastest on two shared cores.
"""

from __future__ import annotations

import math
import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import augment
import detector as det
import evaluate
import export
import scenes

QUEUED = 6  # batches drawn ahead
ECHO_POOL = 256  # frames that wait for their second showing
REREAD = 100  # batches after which folders that may still grow are read again


def _feed(queue: Any, early: bytes, folders: Sequence[Path], batch: int, seed: int) -> None:
    """Puts batches (C2, C3, heat, box, weight, care) into the queue for ever; they depend on seed and folders alone.

    Half of a batch is drawn anew, half are frames that were shown once before, some batches ago: drawing costs
    as much as learning, and a frame seen twice teaches nearly as much as two (Choi et al., "Data Echoing", 2019).
    """
    torch.set_num_threads(1)
    model, number, known = evaluate.session(early), 0, []
    chance, seen_once = random.Random(seed), []
    while True:
        if number % REREAD == 0:
            known = [scene for folder in folders for scene in scenes.read(folder)]
        echoed = [seen_once.pop(chance.randrange(len(seen_once))) for _ in range(batch // 2 if len(seen_once) >= ECHO_POOL else 0)]
        frames = []
        for _ in range(batch - len(echoed)):
            scene = chance.choice(known)
            frames.append(augment.draw_frame(scene.image(), scene.boxes, scene.visible, chance))
        maps = model.run(["c2", "c3"], {"images": np.stack([f[0] for f in frames])})
        maps = [m.astype(np.float16) for m in maps]
        fresh = [(maps[0][k], maps[1][k], *det.targets(f[1], f[2])) for k, f in enumerate(frames)]
        queue.put(_stacked(fresh + echoed))
        seen_once += fresh
        number += 1


def _stacked(examples: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    """Examples of one batch, one array a column."""
    return [np.stack(column) for column in zip(*examples, strict=True)]


def _average(average: Tensor, now: Tensor, updates: Tensor | int) -> Tensor:
    """Exponential average that is short at first, or the untrained start would weigh for long."""
    keep = min(0.999, (1.0 + float(updates)) / (10.0 + float(updates)))
    return average if not average.is_floating_point() else average * keep + now * (1 - keep)


@dataclass(frozen=True)
class Course:
    """How long and how fast. Training ends after `steps` or `seconds`, whichever comes first."""

    steps: int
    seconds: float = math.inf
    batch: int = 16
    seed: int = 1
    rate: float = 1.5e-3
    # The backbone's normalisation is folded in, so a full rate would undo it.
    backbone_rate: float = 0.15

    def rate_at(self, progress: float) -> float:
        """Share of the full rate: up within the first 4 %, then down a cosine."""
        if progress < 0.04:
            return 0.1 + 0.9 * progress / 0.04
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min((progress - 0.04) / 0.96, 1.0)))


def optimiser_of(network: det.Detector, course: Course) -> torch.optim.Optimizer:
    """AdamW over all that is not frozen, the backbone slower; freezes the rest."""
    frozen = [*network.stem.parameters(), *network.blocks[: det.FROZEN_BLOCKS].parameters()]
    for parameter in frozen:
        parameter.requires_grad_(False)
    base = list(network.blocks[det.FROZEN_BLOCKS :].parameters())
    known = {id(p) for p in [*frozen, *base]}
    fresh = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": base, "share": course.backbone_rate}, {"params": fresh, "share": 1.0}]
    return torch.optim.AdamW(groups, lr=course.rate, weight_decay=1e-3)


def train(
    network: det.Detector, folders: Sequence[Path], course: Course, kept: Path, log: Callable[[str], None] = print
) -> det.Detector:
    """Trains on all scenes of the folders; returns the exponential average of the weights.

    The average is written to `kept` every 100 steps, so that a run that is cut short is not lost.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(QUEUED)
    early = export.shallow_model(network)
    feeder = context.Process(target=_feed, args=(queue, early, folders, course.batch, course.seed), daemon=True)
    feeder.start()
    torch.set_num_threads(1)
    optimiser = optimiser_of(network, course)
    average = torch.optim.swa_utils.AveragedModel(network, avg_fn=_average, use_buffers=True)
    network.train().to(memory_format=torch.channels_last)
    began, totals, step = time.monotonic(), [], 0
    while True:
        elapsed = time.monotonic() - began
        progress = max(step / course.steps, elapsed / course.seconds)
        if progress >= 1.0:
            break
        for group in optimiser.param_groups:
            group["lr"] = course.rate * group["share"] * course.rate_at(progress)
        c2, c3, *goals = (torch.from_numpy(m) for m in queue.get())
        channels_last = (m.float().contiguous(memory_format=torch.channels_last) for m in (c2, c3))
        with torch.autocast("cpu", torch.bfloat16):
            maps = network.deep(*channels_last)
        value = det.loss(maps, goals)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        average.update_parameters(network)
        totals.append(value.item())
        step += 1
        if step % 100 == 0:
            torch.save(average.module.state_dict(), kept)
            log(f"detector step {step} progress {progress:.3f} loss {np.mean(totals[-100:]):.3f} {elapsed:.0f} s")
    feeder.terminate()
    torch.save(average.module.state_dict(), kept)
    log(f"detector ended after {step} steps")
    return average.module
