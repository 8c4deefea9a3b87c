//! The heights of rows as a Fenwick tree: every question costs O(log n).

/// Heights of rows, in points; a row is estimated until it is measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Heights {
    /// `sums[i]` holds the sum of the `i & -i` rows that end before row `i`.
    sums: Vec<f64>,
    rows: Vec<f32>,
    measured: Vec<bool>,
}

impl Heights {
    /// Rows with estimated heights.
    pub(super) fn new(estimates: impl IntoIterator<Item = f32>) -> Self {
        let rows: Vec<f32> = estimates.into_iter().collect();
        let mut heights = Self {
            sums: vec![0.0; rows.len() + 1],
            measured: vec![false; rows.len()],
            rows: vec![0.0; rows.len()],
        };
        for (row, estimate) in rows.into_iter().enumerate() {
            heights.add(row, estimate);
        }
        heights
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The height of a row.
    pub(super) fn height(&self, row: usize) -> f32 {
        self.rows.get(row).copied().unwrap_or(0.0)
    }

    /// Whether the row's height is exact.
    pub(super) fn is_measured(&self, row: usize) -> bool {
        self.measured.get(row).copied().unwrap_or(true)
    }

    /// Sets the exact height of a row.
    pub(super) fn measure(&mut self, row: usize, height: f32) {
        if let Some(measured) = self.measured.get_mut(row) {
            *measured = true;
            self.add(row, height - self.height(row));
        }
    }

    /// The distance from the first row's top to this row's top.
    pub(super) fn top(&self, row: usize) -> f64 {
        let mut index = row.min(self.rows.len());
        let mut sum = 0.0;
        while index > 0 {
            sum += self.sums.get(index).copied().unwrap_or(0.0);
            index &= index - 1;
        }
        sum
    }

    /// The height of all rows.
    pub(super) fn total(&self) -> f64 {
        self.top(self.rows.len())
    }

    /// The row at this distance from the top; the last one if it lies beyond.
    pub(super) fn row_at(&self, y: f64) -> usize {
        let len = self.rows.len();
        let mut row = 0;
        let mut rest = y.max(0.0);
        let mut step = len.next_power_of_two();
        while step > 0 {
            if let Some(sum) = self.sums.get(row + step)
                && row + step <= len
                && *sum <= rest
            {
                row += step;
                rest -= sum;
            }
            step /= 2;
        }
        row.min(len.saturating_sub(1))
    }

    fn add(&mut self, row: usize, difference: f32) {
        if let Some(height) = self.rows.get_mut(row) {
            *height += difference;
        }
        let mut index = row + 1;
        while let Some(sum) = self.sums.get_mut(index) {
            *sum += f64::from(difference);
            index += index & index.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, so that a failure can be repeated by its seed.
    fn next(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    /// A height from 1 to 250.
    fn random_height(state: &mut u64) -> f32 {
        f32::from(u8::try_from(next(state) % 250 + 1).unwrap())
    }

    #[test]
    fn agrees_with_plain_sums_on_random_rows() {
        for seed in 1..40_u64 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let len = usize::try_from(next(&mut state) % 70).unwrap();
            let mut rows: Vec<f32> = (0..len).map(|_| random_height(&mut state)).collect();
            let mut heights = Heights::new(rows.iter().copied());
            for _ in 0..50 {
                if len > 0 {
                    let row = usize::try_from(next(&mut state)).unwrap_or(7) % len;
                    let height = random_height(&mut state);
                    rows[row] = height;
                    heights.measure(row, height);
                    assert!(heights.is_measured(row));
                }
                let mut top = 0.0;
                for (row, height) in rows.iter().enumerate() {
                    assert!((heights.top(row) - top).abs() < 0.01, "seed {seed}");
                    assert_eq!(heights.row_at(top + 0.5), row, "seed {seed}");
                    top += f64::from(*height);
                }
                assert!((heights.total() - top).abs() < 0.01, "seed {seed}");
                assert_eq!(
                    heights.row_at(top + 1000.0),
                    len.saturating_sub(1),
                    "seed {seed}"
                );
            }
        }
    }

    #[test]
    fn no_rows_have_no_height() {
        let heights = Heights::default();
        assert_eq!(heights.len(), 0);
        assert!(heights.total().abs() < f64::EPSILON);
        assert_eq!(heights.row_at(10.0), 0);
    }
}
