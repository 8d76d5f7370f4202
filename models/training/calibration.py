"""What the embedder is fitted on, and how well "this crop shows this product" holds on goods it never saw.

The trial copies what a station does: products are enrolled from pictures taken alone, each with
its quarter turns; crops are what the shipped detector finds in scenes, small, turned and half
hidden. Score of a product: the best cosine over its enrolled vectors.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

import augment
import detector as det
import embedder as emb
import evaluate
import scenes

SMALLEST_PX = 14  # shorter boxes of a scene teach nothing
FIT_VISIBLE = 0.35
MATCH_IOU = 0.5
QUARTER_TURNS = 4
FOLDS = 5
SCENES_PER_SET = 25  # as in firmware-sim: so many scenes share one set of goods


def take_looks(program: Path, work: Path, plan: Any) -> None:
    """Has the enrolment pictures taken that fitting and trial need."""
    for split, count, pictures in (
        ("train", plan.fit_scenes, plan.fit_pictures),
        ("test", plan.enrolled_scenes, plan.enrolled_pictures),
    ):
        wanted = sorted({i for s in scenes.read(work / split)[:count] for i in s.ids})
        scenes.looks(program, work / f"looks-{split}", wanted=wanted, pictures=pictures, seed=plan.seed, split=split)


def fitting_rows(
    model: onnxruntime.InferenceSession, work: Path, grocery: Path, plan: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Features [N,1280] and product numbers [N]: scene crops, enrolment pictures and photographs, all turned at random."""
    chance, crops, names = random.Random(plan.seed), [], []
    seen: set[str] = set()
    for scene in scenes.read(work / "train")[: plan.fit_scenes]:
        image = Image.fromarray(scene.image())
        for box, visible, identity in zip(scene.boxes, scene.visible, scene.ids, strict=True):
            if visible >= FIT_VISIBLE and min(box[2] - box[0], box[3] - box[1]) >= SMALLEST_PX:
                crops.append(emb.square(image, tuple(box)))
                names.append(identity)
                seen.add(identity)
    for identity in sorted(seen):
        for picture in scenes.pictures(work / "looks-train", identity, plan.fit_pictures):
            crops.append(emb.turned(emb.square(picture), chance))
            names.append(identity)
    for path, label in scenes.grocery(grocery):
        picture = emb.square(Image.open(path).convert("RGB"))
        crops += [picture, emb.turned(picture, chance), emb.turned(picture, chance)]
        names += [f"photo {label}"] * 3
    return evaluate.run_crops(model, crops), np.unique(names, return_inverse=True)[1]


@dataclass(frozen=True)
class Trial:
    """Crops found in test scenes and the products enrolled for them; all features, not yet projected."""

    crops: list[Image.Image]
    found: np.ndarray  # [crops,1280]
    truth: np.ndarray  # [crops] product number
    shop: np.ndarray  # [crops] which set of goods the crop's scene was drawn from
    enrolled: np.ndarray  # [vectors,1280]
    owner: np.ndarray  # [vectors] product number
    home: np.ndarray  # [vectors] which set of goods that product belongs to
    pictures: list[Image.Image]  # some of the enrolled ones


def trial(model: onnxruntime.InferenceSession, work: Path, detector: Path, plan: Any) -> Trial:
    """Detects in the enrolled test scenes and enrols their goods."""
    test = scenes.read(work / "test")[: plan.enrolled_scenes]
    frames, placed = [], []
    for scene in test:
        image = scene.image()
        frames.append(augment.test_frame(image, scene.boxes, scene.visible))
        placed.append(augment.letterbox(image, (0.0, 0.0, float(image.shape[1]), float(image.shape[0])))[1:])
    threshold = float(evaluate.session(detector).get_modelmeta().custom_metadata_map["threshold"])
    crops, truth, sets = [], [], []
    for scene, found, (scale, dx, dy) in zip(test, evaluate.detect(detector, frames), placed, strict=True):
        image = Image.fromarray(scene.image())
        boxes = (found.boxes[found.scores >= threshold] - [dx, dy, dx, dy]) / scale
        overlap = evaluate.iou(boxes, scene.boxes) * (scene.visible >= det.POSITIVE_VISIBLE)
        for box, row in zip(boxes, overlap, strict=True):
            if row.max(initial=0.0) >= MATCH_IOU:
                crops.append(emb.square(image, tuple(box)))
                truth.append(scenes.number_of(scene.ids[int(row.argmax())]))
                sets.append(int(scene.path.stem.rsplit("-", 1)[1]) // SCENES_PER_SET)
    turns, owner, home = [], [], []
    homes = {i: int(s.path.stem.rsplit("-", 1)[1]) // SCENES_PER_SET for s in test for i in s.ids}
    for identity in sorted({i for s in test for i in s.ids}):
        for picture in scenes.pictures(work / "looks-test", identity, plan.enrolled_pictures):
            square = np.asarray(emb.square(picture))
            turns += [np.ascontiguousarray(np.rot90(square, k)) for k in range(QUARTER_TURNS)]
            owner += [scenes.number_of(identity)] * QUARTER_TURNS
            home += [homes[identity]] * QUARTER_TURNS
    features = evaluate.run_crops(model, crops), evaluate.run_crops(model, turns)
    return Trial(crops, features[0], np.array(truth), np.array(sets), features[1], np.array(owner), np.array(home), [Image.fromarray(t) for t in turns[:64:QUARTER_TURNS]])


def best_cosines(t: Trial, mean: np.ndarray, projection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[crops, products] best cosine over each product's vectors, and the products' numbers."""
    cosine = emb.project(t.found, mean, projection) @ emb.project(t.enrolled, mean, projection).T
    products = np.unique(t.owner)
    return np.stack([cosine[:, t.owner == p].max(axis=1) for p in products], axis=1), products


def _family(numbers: np.ndarray) -> np.ndarray:
    """As `scenes.family_of`, of many."""
    return np.where(numbers % scenes.FAMILY == scenes.FAMILY - 1, numbers - 1, numbers)


@dataclass(frozen=True)
class Compared:
    """Crops beside products, all [crops,products] but `products` [products], their numbers."""

    products: np.ndarray
    scores: np.ndarray  # best cosines
    match: np.ndarray  # the product that the crop shows
    alike: np.ndarray  # its declared look-alikes: telling them apart is not asked of the eye
    used: np.ndarray  # what the crop's own shop sells, look-alikes left out


def compared(t: Trial, mean: np.ndarray, projection: np.ndarray) -> Compared:
    """Each crop with each product."""
    scores, products = best_cosines(t, mean, projection)
    homes = dict(zip(t.owner.tolist(), t.home.tolist(), strict=True))
    match = products[None] == t.truth[:, None]
    alike = ~match & (_family(products)[None] == _family(t.truth)[:, None])
    used = ~alike & (np.array([homes[p] for p in products.tolist()])[None] == t.shop[:, None])
    return Compared(products, scores, match, alike, used)


def measure(t: Trial, pairs: Compared) -> tuple[emb.Calibration, dict[str, Any]]:
    """The calibration from all crops, and figures; the calibration's own error over fifths of the goods left out in turn.

    A crop is compared with what its own shop sells. Declared look-alikes count neither as match nor as another product.
    """
    products, scores, match, alike, used = pairs.products, pairs.scores, pairs.match, pairs.alike, pairs.used
    fitted = emb.calibrate_by_curve(scores, match, used)
    families, place = np.unique(_family(t.truth), return_inverse=True)
    fold = np.random.default_rng(1).permutation(len(families))[place] % FOLDS
    errors = {}
    for name in ("curve", "line"):
        llr = np.zeros_like(scores)
        for k in range(FOLDS):
            x, m, u = scores[fold != k], match[fold != k], used[fold != k]
            learnt = emb.calibrate_by_curve(x, m, u) if name == "curve" else emb.calibrate(x[m], x[u & ~m])
            llr[fold == k] = learnt.llr(scores[fold == k])
        errors[name] = evaluate.calibration_error(llr[used], match[used])
    rounded = emb.Calibration(round(fitted.a, 4), round(fitted.b, 4), fitted.curve)
    hidden = np.where(used, scores, -1.0)
    figures = {
        "crops": len(scores),
        "products": len(products),
        **evaluate.verification_figures(hidden, products, t.truth, used),
        "r_at_1_look_alikes_told_apart": round(
            float((products[np.where(used | alike, scores, -1.0).argmax(axis=1)] == t.truth).mean()), 3
        ),
        "calibration_error": errors["curve"],
        "calibration_error_of_the_line": errors["line"],
        "median_cosine_match": round(float(np.median(scores[match])), 3),
        "median_cosine_other": round(float(np.median(scores[~match & used])), 3),
    }
    return rounded, figures


def grocery_folds(model: onnxruntime.InferenceSession, grocery: Path, plan: Any) -> dict[str, Any]:
    """Photographs of classes kept out of the fit, every third class, five pictures enrolled: means of three folds."""
    rows = scenes.grocery(grocery)
    chance = random.Random(plan.seed)
    upright = [emb.square(Image.open(path).convert("RGB")) for path, _ in rows]
    plain = evaluate.run_crops(model, upright)
    turned = evaluate.run_crops(model, [emb.turned(p, chance) for p in upright])
    classes = np.unique([label for _, label in rows], return_inverse=True)[1]
    folds = []
    for fold in range(3):
        kept = classes % 3 == fold
        both = np.concatenate([plain[~kept], turned[~kept]])
        mean, projection = emb.fit(both, np.tile(classes[~kept], 2), plan.shrink)
        vectors = emb.project(plain, mean, projection)
        products, galleries, queries = np.unique(classes[kept]), [], []
        for product in products:
            own = [int(k) for k in np.where(classes == product)[0]]
            chance.shuffle(own)
            galleries.append(own[:5])
            queries += own[5:]
        scores = np.stack([(vectors[queries] @ vectors[g].T).max(axis=1) for g in galleries], axis=1)
        folds.append(evaluate.verification_figures(scores, products, classes[queries]))
    means = {name: round(float(np.mean([f[name] for f in folds])), 4) for name in folds[0]}
    return {"what": "classes kept out, 18 a fold, 5 photographs enrolled, mean of three folds", **means}
