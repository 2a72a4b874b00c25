//! Ordinary least squares from running moments, in memory that does not grow with the rows.
//!
//! On centred columns scaled to unit variance the normal equations are R·b = r with the correlations R and r, solved by
//! Cholesky. Where a column is a combination of others (a pivot below 1e-10) a ridge of 1e-8 on R makes the solution
//! unique; a constant column gets the coefficient 0. The squared condition number that speaks against normal equations
//! is harmless here: a pivot of 1e-10 still leaves six digits.
use bellwether_sdk::{Error, Result};

/// Smallest pivot of a correlation matrix taken for regular.
const LEAST_PIVOT: f64 = 1e-10;

/// Added to the diagonal of a singular one.
const RIDGE: f64 = 1e-8;

/// Sums over rows of the features followed by the target, around given centres.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    /// What is subtracted from each column.
    centres: Vec<f64>,
    rows: u64,
    sums: Vec<f64>,
    /// Sums of products, row-major, the target last.
    products: Vec<f64>,
    scratch: Vec<f64>,
}

impl Moments {
    /// Of rows with this many features, around zero.
    pub(crate) fn new(features: usize) -> Moments {
        Moments::around(vec![0.0; features + 1])
    }

    fn around(centres: Vec<f64>) -> Moments {
        let width = centres.len();
        Moments { centres, rows: 0, sums: vec![0.0; width], products: vec![0.0; width * width], scratch: vec![0.0; width] }
    }

    /// Empty moments around the means found here.
    pub(crate) fn centred(&self) -> Moments {
        let rows = self.rows.max(1) as f64;
        Moments::around(self.centres.iter().zip(&self.sums).map(|(centre, sum)| centre + sum / rows).collect())
    }

    /// Takes one row.
    pub(crate) fn add(&mut self, features: &[f64], target: f64) {
        let width = self.centres.len();
        for (place, value) in features.iter().copied().chain([target]).enumerate() {
            self.scratch[place] = value - self.centres[place];
            self.sums[place] += self.scratch[place];
        }
        for row in 0..width {
            for column in 0..=row {
                self.products[row * width + column] += self.scratch[row] * self.scratch[column];
            }
        }
        self.rows += 1;
    }

    /// Rows taken.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Intercept and coefficients. Errors: `invalid-input` for fewer than twice as many rows as coefficients.
    pub(crate) fn solve(&self, names: &[String]) -> Result<Vec<f64>> {
        let width = self.centres.len();
        let count = width - 1;
        if count == 0 || self.rows < 2 * width as u64 {
            return Err(Error::invalid_input(format!(
                "{} complete rows are too few for {count} features ({}): {} are needed",
                self.rows,
                names.join(", "),
                2 * width
            )));
        }
        let rows = self.rows as f64;
        let product = |row: usize, column: usize| {
            let raw = self.products[row.max(column) * width + row.min(column)];
            raw - self.sums[row] * self.sums[column] / rows
        };
        let scales: Vec<f64> = (0..count).map(|place| product(place, place).max(0.0).sqrt()).collect();
        // Relative to the column's own size: a constant of 1e6 leaves rounding, not variance.
        let constant = |place: usize| scales[place] <= 1e-12 * rows.sqrt() * self.centres[place].abs().max(f64::MIN_POSITIVE);
        let used: Vec<usize> = (0..count).filter(|place| !constant(*place)).collect();
        let matrix: Vec<f64> =
            used.iter().flat_map(|row| used.iter().map(|column| product(*row, *column) / (scales[*row] * scales[*column]))).collect();
        let right: Vec<f64> = used.iter().map(|place| product(*place, count) / scales[*place]).collect();
        let solution = cholesky(&matrix, &right, 0.0).or_else(|| cholesky(&matrix, &right, RIDGE));
        let solution = solution.ok_or_else(|| Error::invalid_input("the features are too alike to be told apart"))?;

        let mut coefficients = vec![0.0; width];
        for (place, value) in used.iter().zip(solution) {
            coefficients[place + 1] = value / scales[*place];
        }
        let mean = |place: usize| self.centres[place] + self.sums[place] / rows;
        coefficients[0] = mean(count) - (0..count).map(|place| coefficients[place + 1] * mean(place)).sum::<f64>();
        Ok(coefficients)
    }
}

/// Solves (A + ridge·I)·x = b for a symmetric A; none when a pivot says that it is singular.
fn cholesky(matrix: &[f64], right: &[f64], ridge: f64) -> Option<Vec<f64>> {
    let n = right.len();
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = matrix[i * n + j] - inner;
            if i > j {
                lower[i * n + j] = rest / lower[j * n + j];
            } else if rest + ridge > LEAST_PIVOT {
                lower[i * n + i] = (rest + ridge).sqrt();
            } else {
                return None;
            }
        }
    }
    let mut x = right.to_vec();
    for i in 0..n {
        let inner: f64 = (0..i).map(|k| lower[i * n + k] * x[k]).sum();
        x[i] = (x[i] - inner) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
        x[i] = (x[i] - inner) / lower[i * n + i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::Moments;

    fn fit(rows: &[(&[f64], f64)]) -> Vec<f64> {
        let features = rows[0].0.len();
        let names = vec!["x".to_owned(); features];
        let mut first = Moments::new(features);
        rows.iter().for_each(|(row, target)| first.add(row, *target));
        let mut second = first.centred();
        rows.iter().for_each(|(row, target)| second.add(row, *target));
        second.solve(&names).unwrap()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7), "{found:?} {expected:?}");
    }

    #[test]
    fn longley() {
        // Longley (1967), employment on GNP deflator, GNP and unemployment; coefficients by NumPy's SVD least squares.
        let rows: &[(&[f64], f64)] = &[
            (&[83.0, 234.289, 235.6], 60.323),
            (&[88.5, 259.426, 232.5], 61.122),
            (&[88.2, 258.054, 368.2], 60.171),
            (&[89.5, 284.599, 335.1], 61.187),
            (&[96.2, 328.975, 209.9], 63.221),
            (&[98.1, 346.999, 193.2], 63.639),
            (&[99.0, 365.385, 187.0], 64.989),
            (&[100.0, 363.112, 357.8], 63.761),
            (&[101.2, 397.469, 290.4], 66.019),
            (&[104.6, 419.18, 282.2], 67.857),
            (&[108.4, 442.769, 293.6], 68.169),
            (&[110.8, 444.546, 468.1], 66.513),
            (&[112.6, 482.704, 381.3], 68.655),
            (&[114.2, 502.601, 393.1], 69.564),
            (&[115.7, 518.173, 480.6], 69.331),
            (&[116.9, 554.894, 400.7], 70.551),
        ];
        close(&fit(rows), LONGLEY);
    }

    const LONGLEY: &[f64] = &[53.92717443610398, -0.025942427463540026, 0.04057575327137008, -0.005334498666424393];

    #[test]
    fn constant_and_repeated_columns_do_no_harm() {
        let column: Vec<[f64; 3]> = (0..20).map(|k| [f64::from(k), 1e6, f64::from(k)]).collect();
        let rows: Vec<(&[f64], f64)> = column.iter().map(|row| (&row[..], 3.0 + 2.0 * row[0])).collect();
        let found = fit(&rows);
        assert_eq!(found[2], 0.0);
        assert!((found[1] + found[3] - 2.0).abs() < 1e-6 && (found[0] - 3.0).abs() < 1e-5, "{found:?}");
    }
}
