//! What a program holds in memory (keys, tokens, names) stays there: it is in no core dump, and no other program of the same
//! account reads it. Swap is the operator's.

use rustix::io::Result;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};

const NOTHING: Rlimit = Rlimit { current: Some(0), maximum: Some(0) };

/// The first thing that a program does, before it reads a key. There is no way back.
pub fn keep_to_itself() -> Result<()> {
    setrlimit(Resource::Core, NOTHING)?;
    // A size says nothing where dumps go to another program; this does, and keeps tracers out.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Whether this program does.
pub fn keeps_to_itself() -> bool {
    getrlimit(Resource::Core) == NOTHING && dumpable_behavior() == Ok(DumpableBehavior::NotDumpable)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_program_that_keeps_to_itself_leaves_no_core_dump() {
        super::keep_to_itself().unwrap();
        assert!(super::keeps_to_itself());
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    }
}
