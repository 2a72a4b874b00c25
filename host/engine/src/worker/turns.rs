//! The order of a job's fits: every fold, then the final model; within each, every member. Each has a name and a slot.

/// One fit among a job's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// From 1; 0 when there is one fit.
    pub(crate) number: u32,
    /// How many there are; 0 when there is one fit.
    pub(crate) of: u32,
    /// What it is called, when there are several.
    pub(crate) name: Option<String>,
    /// The name of its checkpoint.
    pub(crate) slot: String,
}

/// Counts the fits.
#[derive(Debug)]
pub(crate) struct Turns {
    taken: u32,
    members: u32,
    folds: u32,
}

impl Turns {
    /// `members` is 1 where there is no ensemble.
    pub(crate) fn new(folds: u32, members: usize) -> Turns {
        Turns { taken: 0, members: members as u32, folds }
    }

    /// The next fit: of a fold (from 1) or the final model, of a member (from 1, with its model type) or the only model.
    pub(crate) fn next(&mut self, fold: Option<u32>, member: Option<(usize, &str)>) -> Turn {
        self.taken += 1;
        let whole = match fold {
            Some(fold) => Some(format!("fold {fold}")),
            None => (self.folds > 0).then(|| "the final model".to_owned()),
        };
        let part = member.map(|(member, model_type)| format!("member {member} `{model_type}`"));
        let name: Vec<String> = whole.into_iter().chain(part).collect();
        let slot = [fold.map(|fold| format!("fold-{fold}")), member.map(|(member, _)| format!("member-{member}"))];
        let slot = slot.into_iter().flatten().collect::<Vec<_>>().join("-");
        let of = self.members * (self.folds + 1);
        let (number, of) = if of > 1 { (self.taken, of) } else { (0, 0) };
        Turn {
            number,
            of,
            name: Some(name.join(", ")).filter(|name| !name.is_empty()),
            slot: if slot.is_empty() { "fit".to_owned() } else { slot },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_are_counted_and_named() {
        let mut one = Turns::new(0, 1);
        assert_eq!(one.next(None, None), Turn { number: 0, of: 0, name: None, slot: "fit".to_owned() });
        let mut folds = Turns::new(2, 1);
        let said: Vec<Turn> = [Some(1), Some(2), None].into_iter().map(|fold| folds.next(fold, None)).collect();
        assert_eq!(said[1], Turn { number: 2, of: 3, name: Some("fold 2".to_owned()), slot: "fold-2".to_owned() });
        assert_eq!((said[2].name.as_deref(), said[2].slot.as_str()), (Some("the final model"), "fit"));
        let mut both = Turns::new(2, 2);
        both.next(Some(1), Some((1, "lstm")));
        let second = both.next(Some(1), Some((2, "har")));
        assert_eq!((second.number, second.of, second.name.as_deref()), (2, 6, Some("fold 1, member 2 `har`")));
        assert_eq!(second.slot, "fold-1-member-2");
        assert_eq!(Turns::new(0, 2).next(None, Some((1, "lstm"))).slot, "member-1");
    }
}
