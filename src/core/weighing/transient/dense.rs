//! Small symmetric systems of a size known only at run time, without allocation.

/// Largest system: a mass and three waves of four parameters each.
pub const SIZE: usize = 13;

/// A symmetric matrix (its lower triangle) and the right side that goes with it.
#[derive(Clone, Debug)]
pub struct Normal {
    /// Order, at most [`SIZE`].
    pub order: usize,
    /// Lower triangle.
    pub matrix: [[f64; SIZE]; SIZE],
    /// Right side.
    pub right: [f64; SIZE],
}

impl Normal {
    /// All zero.
    pub fn new(order: usize) -> Self {
        Self { order: order.min(SIZE), matrix: [[0.0; SIZE]; SIZE], right: [0.0; SIZE] }
    }

    /// Adds one observation: `row` times the unknowns should be `value`.
    pub fn add(&mut self, row: &[f64; SIZE], value: f64) {
        for i in 0..self.order {
            let scale = row[i];
            for (sum, other) in self.matrix[i][..=i].iter_mut().zip(row) {
                *sum += scale * other;
            }
            self.right[i] += scale * value;
        }
    }

    /// Adds the belief that unknown `index` is `value`, with this precision (1 over variance).
    pub fn believe(&mut self, index: usize, value: f64, precision: f64) {
        self.matrix[index][index] += precision;
        self.right[index] += precision * value;
    }

    /// Factor of the matrix; `None` if it is not positive definite.
    pub fn factor(&self) -> Option<Factor> {
        let mut factor = Factor { order: self.order, lower: self.matrix };
        for i in 0..self.order {
            for j in 0..=i {
                let mut sum = factor.lower[i][j];
                for k in 0..j {
                    sum -= factor.lower[i][k] * factor.lower[j][k];
                }
                factor.lower[i][j] = if i == j {
                    if sum.is_nan() || sum <= 0.0 {
                        return None;
                    }
                    sum.sqrt()
                } else {
                    sum / factor.lower[j][j]
                };
            }
        }
        Some(factor)
    }
}

/// Cholesky's lower triangular factor.
#[derive(Clone, Debug)]
pub struct Factor {
    order: usize,
    lower: [[f64; SIZE]; SIZE],
}

impl Factor {
    /// Solves `L x = b` in place: half of the way, enough for quadratic forms.
    pub fn halfway(&self, b: &mut [f64; SIZE]) {
        for i in 0..self.order {
            let mut sum = b[i];
            for (l, x) in self.lower[i][..i].iter().zip(b.iter()) {
                sum -= l * x;
            }
            b[i] = sum / self.lower[i][i];
        }
    }

    /// Solves the whole system in place.
    pub fn solve(&self, b: &mut [f64; SIZE]) {
        self.halfway(b);
        for i in (0..self.order).rev() {
            let mut sum = b[i];
            for (lower, x) in self.lower.iter().zip(b.iter()).take(self.order).skip(i + 1) {
                sum -= lower[i] * x;
            }
            b[i] = sum / self.lower[i][i];
        }
    }

    /// Logarithm of the matrix's determinant.
    pub fn ln_det(&self) -> f64 {
        2.0 * (0..self.order).map(|i| self.lower[i][i].ln()).sum::<f64>()
    }
}

/// Scalar product of the first `order` entries.
pub fn dot(a: &[f64; SIZE], b: &[f64; SIZE], order: usize) -> f64 {
    a[..order].iter().zip(&b[..order]).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (4 2; 2 3) x = (10, 9) has x = (1.5, 2) and the determinant 8.
    #[test]
    fn a_system_solved_by_hand() {
        let mut normal = Normal::new(2);
        normal.matrix[0][0] = 4.0;
        normal.matrix[1][0] = 2.0;
        normal.matrix[1][1] = 3.0;
        let factor = normal.factor().unwrap();
        let mut x = [0.0; SIZE];
        (x[0], x[1]) = (10.0, 9.0);
        let mut half = x;
        factor.solve(&mut x);
        assert!((x[0] - 1.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
        assert!((factor.ln_det() - 8.0_f64.ln()).abs() < 1e-12);
        // b' A^-1 b = 10 * 1.5 + 9 * 2.
        factor.halfway(&mut half);
        assert!((dot(&half, &half, 2) - 33.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_definite_has_no_factor() {
        let mut normal = Normal::new(2);
        normal.add(
            &{
                let mut row = [0.0; SIZE];
                (row[0], row[1]) = (1.0, 2.0);
                row
            },
            1.0,
        );
        assert!(normal.factor().is_none());
        normal.believe(0, 0.0, 1.0);
        normal.believe(1, 0.0, 1.0);
        assert!(normal.factor().is_some());
        normal.matrix[0][0] = f64::NAN;
        assert!(normal.factor().is_none());
    }
}
