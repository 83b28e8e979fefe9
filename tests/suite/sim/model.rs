//! Against the model.

use tidemark_tests::sim::run;

use super::{Seeds, live};

const SEEDS: Seeds = Seeds { variable: "TIDEMARK_SEEDS", usual: 2_000, parts: 4 };

macro_rules! parts {
    ($($name:ident: $part:expr;)*) => {$(
        #[test]
        fn $name() {
            live(SEEDS.of($part), "sim::model::nothing_is_lost", |seed| run(seed, None));
        }
    )*};
}

parts! {
    nothing_is_lost_and_all_converges_whatever_the_network_does_first_part: 0;
    nothing_is_lost_and_all_converges_whatever_the_network_does_second_part: 1;
    nothing_is_lost_and_all_converges_whatever_the_network_does_third_part: 2;
    nothing_is_lost_and_all_converges_whatever_the_network_does_fourth_part: 3;
}
