//! Which views of a product stay: those that all others lie near.

use crate::goods::LookVector;

/// The places of at most `most` views, those that stand for the others best first: each is the one that brings all views nearest to the
/// nearest of those chosen before (the greedy solution of facility location, within 1 - 1/e of the best). All stay if they are no more.
pub fn representatives(views: &[LookVector], most: usize) -> Vec<usize> {
    if views.len() <= most {
        return (0..views.len()).collect();
    }
    let units: Vec<Vec<f32>> = views.iter().map(LookVector::to_unit).collect();
    let nearness: Vec<Vec<f32>> =
        views.iter().map(|view| units.iter().map(|unit| view.cosine(unit)).collect()).collect();
    let mut nearest = vec![-1.0f32; views.len()];
    let mut chosen: Vec<usize> = Vec::with_capacity(most);
    while chosen.len() < most {
        let gain =
            |view: usize| -> f32 { nearness[view].iter().zip(&nearest).map(|(n, had)| (n - had).max(0.0)).sum() };
        let free = (0..views.len()).filter(|view| !chosen.contains(view)).map(|view| (view, gain(view)));
        // The first of equals, so that the same views always leave the same ones.
        let Some((best, _)) = free.reduce(|best, next| if next.1 > best.1 { next } else { best }) else { break };
        for (had, n) in nearest.iter_mut().zip(&nearness[best]) {
            *had = had.max(*n);
        }
        chosen.push(best);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_face_keeps_one_view_before_any_has_two() {
        // Three faces at right angles, each seen four times with a little turn.
        let view = |face: usize, turn: usize| {
            let mut values = [0.02f32; 8];
            values[face] = 1.0;
            values[3 + turn] = 0.1;
            LookVector::quantise(&values)
        };
        let views: Vec<LookVector> = (0..12).map(|i| view(i / 4, i % 4)).collect();
        let mut faces: Vec<usize> = representatives(&views, 3).iter().map(|at| at / 4).collect();
        faces.sort_unstable();
        assert_eq!(faces, [0, 1, 2]);
        assert_eq!(representatives(&views, 12), (0..12).collect::<Vec<_>>());
        assert_eq!(representatives(&views, 5), representatives(&views, 5));
    }
}
