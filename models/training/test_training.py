"""What the figures rest on, held against numbers worked out by hand.

    python3 -m unittest discover -s models/training
"""

import random
import unittest

import numpy as np
import torch
from PIL import Image

import augment
import backbone
import detector as det
import embedder as emb
import evaluate
import export
import recording


def frame_with(box: tuple[int, int, int, int]) -> np.ndarray:
    """A black 640x480 picture with one pure red rectangle."""
    image = np.zeros((480, 640, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2], 0] = 255
    return image


class Augment(unittest.TestCase):
    def test_letterbox_puts_a_wide_picture_in_the_middle(self):
        frame, scale, dx, dy = augment.letterbox(frame_with((0, 0, 640, 480)), (0.0, 0.0, 640.0, 480.0))
        self.assertEqual((scale, dx, dy), (0.5, 0.0, 40.0))
        self.assertTrue((frame[39] == augment.PAD).all() and (frame[280] == augment.PAD).all())
        self.assertTrue((frame[40:280, :, 0] == 255).all())

    def test_boxes_follow_every_turn_and_mirror(self):
        box = (200, 150, 330, 210)
        for seed in range(40):
            image, boxes, visible = augment.draw_frame(
                frame_with(box), np.array([box], np.float32), np.ones(1, np.float32), random.Random(seed)
            )
            red = (image[:, :, 0].astype(int) - image[:, :, 1] > 60).nonzero()
            seen = [red[1].min(), red[0].min(), red[1].max() + 1, red[0].max() + 1]
            # A picture made unsharp has wider edges.
            self.assertLessEqual(np.abs(boxes[0] - seen).max(), 2.6, f"seed {seed}")
            self.assertAlmostEqual(float(visible[0]), 1.0, places=3)

    def test_what_the_edge_cuts_off_counts_as_hidden(self):
        boxes, visible = augment.clip_boxes(np.array([[-50.0, 0, 50, 100]]), np.array([0.8]))
        np.testing.assert_allclose(boxes, [[0, 0, 50, 100]])
        np.testing.assert_allclose(visible, [0.4])


class Targets(unittest.TestCase):
    def test_centre_is_hot_and_hardly_visible_is_ignored(self):
        boxes = np.array([[80, 80, 144, 120], [200, 200, 260, 280]], np.float32)
        heat, goal, weight, care = det.targets(boxes, np.array([0.9, 0.1], np.float32))
        self.assertEqual(np.argwhere(heat == 1.0).tolist(), [[12, 14]])  # centre 112, 100 in cells of 8
        np.testing.assert_allclose(goal[12, 14], boxes[0])
        self.assertEqual(weight[30, 28], 0.0)
        self.assertEqual(care[30, 28], 0.0)
        self.assertEqual(care[5, 5], 1.0)


class Distances(unittest.TestCase):
    def test_the_loss_is_least_where_the_mean_is_the_true_distance(self):
        table = det.bin_distances()
        self.assertEqual((float(table[0]), float(table[-1])), (0.0, det.FARTHEST_PX))
        # Half way between the sixth and the seventh distance: both get one half.
        true = (table[5] + table[6]) / 2
        sure = torch.full((1, 4, det.BINS), -30.0)
        sure[:, :, 5:7] = 0.0
        loss = det.distance_loss(sure, true.expand(1, 4))
        np.testing.assert_allclose(loss, np.log(2), atol=1e-4)
        mean = (torch.softmax(sure, dim=2) * table).sum(dim=2)
        np.testing.assert_allclose(mean, float(true), rtol=1e-4)
        off = sure.roll(2, dims=2)
        self.assertGreater(float(det.distance_loss(off, true.expand(1, 4)).min()), 10.0)


class Counting(unittest.TestCase):
    def frame(self, goods: int, scores: list[float]) -> evaluate.Found:
        """A frame that shows so many goods, and boxes of these scores."""
        return evaluate.Found(np.zeros((len(scores), 4)), np.array(scores), np.zeros((goods, 4)), np.ones(goods))

    def test_what_scores_count_for_is_found_and_spreads_with_what_is_doubtful(self):
        # High scores are goods; of two boxes in the middle one is: both stand for a half.
        sure = [self.frame(n, [0.9] * n + [0.1] * 3) for n in range(1, 9)]
        doubtful = [self.frame(n + extra, [0.9] * n + [0.5] * 2) for n in range(1, 5) for extra in (0, 1, 1, 2)]
        counting = evaluate.fit_counting(sure + doubtful)
        self.assertAlmostEqual(counting.mean(np.array([0.9, 0.9, 0.1])), 2.0, delta=0.05)
        self.assertAlmostEqual(counting.mean(np.array([0.5])), 0.5, delta=0.1)
        figures = evaluate.counting_figures(sure + sure)
        self.assertEqual((figures["count_error"], figures["count_exact"]), (0.0, 1.0))

    def test_hardly_visible_goods_are_not_counted(self):
        found = evaluate.Found(np.zeros((1, 4)), np.array([0.9]), np.zeros((3, 4)), np.array([0.9, 0.29, 0.3]))
        self.assertEqual(evaluate.goods_in_sight([found]).tolist(), [2])


class Recording(unittest.TestCase):
    def test_sights_are_what_the_plates_were_made_with(self):
        # A hundred plates in one: 90 crops a good up to six goods, then as the root of 6 / lying; 50 boxes that show nothing.
        full = [recording.Plate(n, round(100 * 0.9 * n * min(1, 6 / n) ** 0.5), 50) for n in range(1, 25)]
        told = recording.sights(full)
        self.assertEqual((told["whole"]["crowded_above"], told["whole"]["crowding"]), (6, 0.5))
        self.assertAlmostEqual(told["whole"]["crops_a_unit"], 90, delta=0.5)
        self.assertEqual(told["one_by_one"], {"crops_a_unit": 90.0, "crowded_above": 80, "crowding": 0.0, "clutter_crops": 50.0})

    def test_strangers_of_a_known_space_have_its_dimension(self):
        rng = np.random.default_rng(3)
        strangers = rng.normal(0.2, 1 / np.sqrt(40), (2000, 50))
        match = np.zeros((2000, 50), bool)
        match[:, 0] = True
        strangers[:, 0] = rng.uniform(0.3, 0.7, 2000)
        told = recording.cosines(strangers, match, np.ones_like(match))
        self.assertAlmostEqual(told["dimensions"], 40, delta=2)
        shares = dict(map(tuple, told["genuine_cosine"]))
        self.assertAlmostEqual(shares[0.5], 0.3, delta=0.02)
        self.assertEqual(told["crops"], 2000)


class Padding(unittest.TestCase):
    def test_pads_move_into_the_convolution_and_nothing_changes(self):
        base = backbone.MobileNetV2().eval()
        network = torch.nn.Sequential(base.stem, torch.nn.ReLU6())
        image = torch.randn(1, 3, 32, 32)
        folded = export._convert(network, image, ["x"], ["y"], None)
        self.assertNotIn("Pad", [node.op_type for node in folded.graph.node])
        convolution = next(node for node in folded.graph.node if node.op_type == "Conv")
        pads = next(list(a.ints) for a in convolution.attribute if a.name == "pads")
        self.assertEqual(pads, [0, 0, 1, 1])
        y = evaluate.session(folded.SerializeToString()).run(None, {"x": image.numpy()})[0]
        np.testing.assert_allclose(y, network(image).detach().numpy(), atol=1e-5)


class Sides(unittest.TestCase):
    def test_the_exported_mean_is_the_softmax_s(self):
        logits = 8 * torch.randn(2, 4, det.BINS, det.GRID, det.GRID)
        want = (torch.softmax(logits, dim=2) * det.bin_distances()[:, None, None]).sum(dim=2)
        module = det.Exported(det.Detector(backbone.MobileNetV2()))
        np.testing.assert_allclose(module._sides(logits), want, rtol=1e-4, atol=1e-3)


class Figures(unittest.TestCase):
    def test_overlap(self):
        a, b = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [20, 20, 30, 30]])
        np.testing.assert_allclose(evaluate.iou(a, b), [[1 / 3, 0.0]])

    def test_nms_drops_the_weaker_of_two_alike(self):
        boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50]])
        self.assertEqual(evaluate.keep_best(boxes, np.array([0.5, 0.9, 0.3])).tolist(), [1, 2])

    def test_average_precision_of_hit_false_hit(self):
        truth = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
        boxes = np.array([[0.0, 0, 10, 10], [100, 0, 110, 10], [50, 50, 60, 60]])
        found = [evaluate.Found(boxes, np.array([0.9, 0.8, 0.7]), truth, np.ones(2))]
        _, precision, recall = evaluate.curve(evaluate.matches(found, 0.5, 0.2))
        np.testing.assert_allclose(precision, [1, 1 / 2, 2 / 3])
        np.testing.assert_allclose(recall, [0.5, 0.5, 1.0])
        # Recalls 0..0.5 at precision 1, the other 50 at 2/3.
        self.assertAlmostEqual(evaluate.average_precision(precision, recall), (51 + 50 * 2 / 3) / 101)

    def test_hidden_truth_neither_counts_nor_hurts(self):
        truth = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
        found = [evaluate.Found(truth, np.array([0.9, 0.8]), truth, np.array([1.0, 0.05]))]
        figures = evaluate.detector_figures(found, 0.5, 0.2)
        self.assertEqual((figures["precision"], figures["recall"], figures["boxes_count_error"]), (1.0, 1.0, 0.0))

    def test_the_threshold_is_the_one_that_counts_best(self):
        truth = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
        boxes = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60], [100, 0, 110, 10]])
        # Above 0.8 one is missed in each of two scenes, below 0.3 something is counted that is not there.
        found = [evaluate.Found(boxes, np.array([0.9, 0.8, 0.3]), truth, np.ones(2))] * 2
        threshold = evaluate.best_threshold(found)
        self.assertTrue(0.3 < threshold <= 0.8, threshold)
        self.assertEqual(evaluate.detector_figures(found, threshold, 0.3)["boxes_count_exact"], 1.0)
        self.assertEqual(evaluate.intervals(found, threshold, 0.3, 20)["boxes_count_error"], [0.0, 0.0])

    def test_auc_of_known_order(self):
        self.assertAlmostEqual(evaluate.auc(np.array([0.9, 0.4]), np.array([0.5, 0.1])), 0.75)


class Embedding(unittest.TestCase):
    def test_calibration_finds_the_line_of_two_gaussians(self):
        # N(1, 1) against N(0, 1): the log likelihood ratio is x - 1/2.
        chance = np.random.default_rng(3)
        line = emb.calibrate(chance.normal(1, 1, 40_000), chance.normal(0, 1, 40_000))
        self.assertAlmostEqual(line.a, 1.0, delta=0.04)
        self.assertAlmostEqual(line.b, -0.5, delta=0.04)

    def test_a_calibration_curve_bends_where_a_line_cannot(self):
        # Uniform on 0..1 against uniform on 0..0.5: the ratio is 1/2 below 0.5 and endless above.
        chance = np.random.default_rng(4)
        scores, match = chance.uniform(0, 0.5, (4_000, 11)), np.zeros((4_000, 11), bool)
        match[np.arange(4_000), np.arange(4_000) % 11] = True
        scores[match] = chance.uniform(0, 1, 4_000)
        curve = emb.calibrate_by_curve(scores, match, np.ones_like(match))
        self.assertAlmostEqual(float(curve.llr(np.array(0.2))), -np.log(2), delta=0.2)
        self.assertGreater(float(curve.llr(np.array(0.8))), 4.0)
        self.assertTrue((np.diff(np.array(curve.curve), axis=0) >= 0).all())

    def test_square_keeps_the_margin_and_pads_with_grey(self):
        crop = np.asarray(emb.square(Image.fromarray(frame_with((100, 100, 300, 200))), (100.0, 100.0, 300.0, 200.0)))
        self.assertEqual(crop.shape, (192, 192, 3))
        self.assertTrue((crop[2] == augment.PAD).all())  # 232 x 116 squared: grey above
        self.assertEqual(crop[96, 96].tolist(), [255, 0, 0])
        self.assertEqual(crop[96, 4].tolist(), [0, 0, 0])  # the margin beside the box

    def test_fit_gives_white_directions_within_a_product(self):
        chance = np.random.default_rng(5)
        centres = chance.normal(size=(400, 1280)).astype(np.float32)
        identity = np.repeat(np.arange(400), 4)
        rows = centres[identity] + 0.1 * chance.normal(size=(1600, 1280)).astype(np.float32)
        mean, projection = emb.fit(rows, identity, 0.3)
        vectors = emb.project(rows, mean, projection)
        self.assertEqual(projection.shape, (1280, 256))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        self.assertGreater((vectors[0] * vectors[1]).sum(), 0.8)
        self.assertLess(abs((vectors[0] * vectors[8]).sum()), 0.4)


if __name__ == "__main__":
    unittest.main()
