//! Small cells hidden, also by subtraction (R-MON-02).
//!
//! A sheet holds additive cells and the sums between them: a year and its halves, a total and its categories. A cell about
//! too few people is hidden; then the sheet is attacked as a reader would, by solving all sums at once for what is hidden,
//! and one more cell is hidden for every one that was found, until nothing is. The attack is exact (elimination over a
//! prime field), so it also finds what only several sums together give away.

/// One cell of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// How many events it counts.
    pub count: i64,
    /// How many people it is about; never more than `count`.
    pub people: i64,
    /// Who may be hidden for the sake of others.
    pub kind: CellKind,
    /// Which cell goes first when one must be hidden for another: the lowest.
    pub rank: (bool, i8),
}

/// How a cell stands towards the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Given out, unless hidden.
    Given,
    /// Decided in another sheet, and given out there.
    ShownElsewhere,
    /// Decided in another sheet, and hidden there.
    HiddenElsewhere,
    /// Never given out, but it could be found by subtraction.
    Implied,
}

/// Additive cells and the sums between them.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// The cells.
    pub cells: Vec<Cell>,
    /// Each total with its parts, as indexes of cells.
    pub sums: Vec<(usize, Vec<usize>)>,
}

impl Sheet {
    /// Adds a cell and gives its index.
    pub fn add(&mut self, cell: Cell) -> usize {
        self.cells.push(cell);
        self.cells.len() - 1
    }

    /// Says for every cell whether it is hidden, with at least `minimum` people in each cell that is shown. Zero is shown.
    pub fn hide(&self, minimum: i64) -> Vec<bool> {
        let small = |cell: &Cell| cell.people > 0 && cell.people < minimum;
        let mut hidden: Vec<bool> = self
            .cells
            .iter()
            .map(|cell| match cell.kind {
                CellKind::Given => small(cell),
                CellKind::ShownElsewhere => false,
                CellKind::HiddenElsewhere | CellKind::Implied => true,
            })
            .collect();
        loop {
            let found = self.found(&hidden);
            let exposed = (0..self.cells.len()).filter(|&i| match self.cells[i].kind {
                CellKind::Given | CellKind::HiddenElsewhere => found[i],
                CellKind::Implied => found[i] && small(&self.cells[i]),
                CellKind::ShownElsewhere => false,
            });
            // A shown total over hidden parts that together stay under the minimum tells almost as much.
            let thin = self.sums.iter().enumerate().filter(|(_, (total, parts))| {
                let of_hidden = || parts.iter().filter(|&&part| hidden[part]);
                let together: i64 = of_hidden().map(|&part| self.cells[part].count).sum();
                !hidden[*total] && of_hidden().any(|&part| small(&self.cells[part])) && together < minimum
            });
            let in_need: Vec<Vec<usize>> = exposed
                .map(|cell| (0..self.sums.len()).filter(|&s| self.members(s).any(|m| m == cell)).collect())
                .chain(thin.map(|(sum, _)| vec![sum]))
                .collect();
            if in_need.is_empty() {
                return hidden;
            }
            let mut touched = vec![false; self.sums.len()];
            let mut helped = false;
            for sums in in_need {
                if sums.iter().any(|&s| touched[s]) {
                    continue;
                }
                let nearby = self.first_to_hide(sums.iter().flat_map(|&s| self.members(s)), &hidden);
                if let Some(cell) = nearby.or_else(|| self.first_to_hide(0..self.cells.len(), &hidden)) {
                    hidden[cell] = true;
                    helped = true;
                    for (s, sum) in touched.iter_mut().enumerate() {
                        *sum |= self.members(s).any(|m| m == cell);
                    }
                }
            }
            if !helped {
                return hidden; // Nothing is left to hide.
            }
        }
    }

    fn members(&self, sum: usize) -> impl Iterator<Item = usize> + '_ {
        let (total, parts) = &self.sums[sum];
        std::iter::once(*total).chain(parts.iter().copied())
    }

    /// The shown cell that goes first: one with something in it, of the lowest rank, the smallest.
    fn first_to_hide(&self, among: impl Iterator<Item = usize>, hidden: &[bool]) -> Option<usize> {
        among
            .filter(|&i| !hidden[i] && self.cells[i].kind == CellKind::Given)
            .min_by_key(|&i| (self.cells[i].count == 0, self.cells[i].rank, self.cells[i].count, i))
    }

    /// Which hidden cells a reader can work out from the shown ones: all sums solved at once for the hidden cells.
    fn found(&self, hidden: &[bool]) -> Vec<bool> {
        let columns: Vec<usize> = (0..self.cells.len()).filter(|&i| hidden[i]).collect();
        let column_of = |cell: usize| columns.binary_search(&cell).ok();
        let mut rows: Vec<Vec<u64>> = Vec::new();
        for (total, parts) in &self.sums {
            let mut row = vec![0; columns.len()];
            for (cell, factor) in std::iter::once((*total, 1)).chain(parts.iter().map(|&part| (part, PRIME - 1))) {
                if let Some(column) = column_of(cell) {
                    row[column] = factor;
                }
            }
            if row.iter().any(|&factor| factor != 0) {
                rows.push(row);
            }
        }
        let mut done = 0;
        for column in 0..columns.len() {
            let Some(pivot) = (done..rows.len()).find(|&r| rows[r][column] != 0) else { continue };
            rows.swap(done, pivot);
            let scale = inverse(rows[done][column]);
            let leading: Vec<u64> = rows[done].iter().map(|&factor| times(factor, scale)).collect();
            for (r, row) in rows.iter_mut().enumerate() {
                if r != done && row[column] != 0 {
                    let by = PRIME - row[column];
                    for (factor, lead) in row.iter_mut().zip(&leading).filter(|(_, lead)| **lead != 0) {
                        *factor = (*factor + times(*lead, by)) % PRIME;
                    }
                }
            }
            rows[done] = leading;
            done += 1;
        }
        let mut found = vec![false; self.cells.len()];
        for row in &rows[..done] {
            let mut unknowns = (0..columns.len()).filter(|&c| row[c] != 0);
            if let (Some(only), None) = (unknowns.next(), unknowns.next()) {
                found[columns[only]] = true;
            }
        }
        found
    }
}

/// The field in which the sums are solved: large enough that no small determinant vanishes in it.
const PRIME: u64 = (1 << 61) - 1;

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

/// By Fermat: a^(p-2).
fn inverse(a: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(count: i64) -> Cell {
        Cell { count, people: count, kind: CellKind::Given, rank: (true, 0) }
    }

    /// A total of a higher rank over its parts.
    fn table(parts: &[i64]) -> Sheet {
        let mut sheet = Sheet::default();
        let total = sheet.add(Cell { rank: (true, 1), ..given(parts.iter().sum()) });
        let parts = parts.iter().map(|&count| sheet.add(given(count))).collect();
        sheet.sums.push((total, parts));
        sheet
    }

    /// R-MON-02
    #[test]
    fn a_count_of_one_to_four_is_hidden_and_zero_is_shown() {
        let cells = [0, 1, 4, 5, 90];
        let mut sheet = Sheet::default();
        cells.iter().for_each(|&count| {
            sheet.add(given(count));
        });
        assert_eq!(sheet.hide(5), [false, true, true, false, false]);
    }

    /// R-MON-02
    #[test]
    fn many_events_of_few_people_are_hidden() {
        let mut sheet = Sheet::default();
        sheet.add(Cell { people: 2, ..given(60) });
        assert_eq!(sheet.hide(5), [true]);
    }

    /// R-MON-02
    #[test]
    fn a_hidden_cell_never_stands_alone_under_a_shown_total() {
        let cases: [(&[i64], &[bool]); 6] = [
            (&[44, 30, 3], &[false, false, true, true]),
            (&[44, 3, 3], &[false, false, true, true]),
            (&[44, 20, 1, 1], &[false, false, true, true, true]),
            (&[9, 0, 0], &[false, false, false, false]),
            (&[3, 0], &[true, true, false]),
            // The origins of domain section 7: Leerdam and Molenlanden 1, unknown 2, two of 3 or more join them.
            (&[44, 6, 1], &[false, false, true, true]),
        ];
        for (parts, hidden) in cases {
            assert_eq!(table(parts).hide(5), hidden, "{parts:?}");
        }
    }

    /// R-MON-02
    #[test]
    fn what_is_implied_by_a_difference_is_not_told_either() {
        let mut sheet = Sheet::default();
        let total = sheet.add(Cell { rank: (true, 1), ..given(25) });
        let of_which = sheet.add(given(23));
        let rest = sheet.add(Cell { kind: CellKind::Implied, ..given(2) });
        sheet.sums.push((total, vec![of_which, rest]));
        assert_eq!(sheet.hide(5), [false, true, true]);
        sheet.cells[of_which] = given(15);
        sheet.cells[rest].count = 10;
        sheet.cells[rest].people = 10;
        assert!(!sheet.hide(5)[of_which]);
    }

    /// R-MON-02
    #[test]
    fn an_unfinished_period_is_given_up_before_a_finished_one() {
        let mut sheet = table(&[47, 3]);
        sheet.cells[0].rank = (false, 3);
        sheet.cells[2].rank = (false, 2);
        assert_eq!(sheet.hide(5), [true, false, true]);
    }

    /// Works a cell out by trying: the shown cells fixed, every hidden one free, does any other value fit?
    fn other_world_fits(sheet: &Sheet, hidden: &[bool], cell: usize) -> bool {
        // Nudges along hidden cells keep every sum: search a move with this cell in it, small steps only.
        let free: Vec<usize> = (0..sheet.cells.len()).filter(|&i| hidden[i]).collect();
        let mut moves = vec![-1i64; free.len()];
        loop {
            let at = |i: usize| free.iter().position(|&f| f == i).map_or(0, |p| moves[p]);
            if at(cell) != 0 && sheet.sums.iter().all(|(t, parts)| at(*t) == parts.iter().map(|&p| at(p)).sum::<i64>())
            {
                return true;
            }
            let Some(next) = moves.iter().position(|&m| m < 1) else { return false };
            moves[next] += 1;
            moves[..next].fill(-1);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// R-MON-02: rows by columns, with all their totals; a reader who knows every shown cell still has another world
        /// that fits for each hidden one.
        #[test]
        fn no_hidden_cell_can_be_found_by_subtraction(counts in prop::collection::vec(prop_oneof![Just(0i64), 1i64..5, 5i64..40], 9)) {
            let mut sheet = Sheet::default();
            let inner: Vec<usize> = counts.iter().map(|&count| sheet.add(given(count))).collect();
            let high = |sheet: &mut Sheet, parts: Vec<usize>, level| {
                let sum = parts.iter().map(|&p| sheet.cells[p].count).sum();
                let total = sheet.add(Cell { rank: (true, level), ..given(sum) });
                sheet.sums.push((total, parts));
                total
            };
            let rows: Vec<usize> = (0..3).map(|r| high(&mut sheet, inner[r * 3..r * 3 + 3].to_vec(), 1)).collect();
            let columns: Vec<usize> = (0..3).map(|c| high(&mut sheet, vec![inner[c], inner[c + 3], inner[c + 6]], 1)).collect();
            let all = high(&mut sheet, rows, 2);
            sheet.sums.push((all, columns));
            let hidden = sheet.hide(5);
            for (i, cell) in sheet.cells.iter().enumerate() {
                prop_assert!(hidden[i] || cell.count == 0 || cell.count >= 5);
                if hidden[i] && hidden.iter().filter(|h| **h).count() <= 11 {
                    prop_assert!(other_world_fits(&sheet, &hidden, i), "cell {} of {:?} with {:?}", i, sheet, hidden);
                }
            }
        }
    }
}
