//! Against the functions themselves, in a real PostgreSQL.

use tidemark_tests::sim::postgres::Postgres;
use tidemark_tests::sim::run_against;

use super::{Seeds, live};

const SEEDS: Seeds = Seeds { variable: "TIDEMARK_POSTGRES_SEEDS", usual: 60, parts: 2 };

macro_rules! parts {
    ($($name:ident: $part:expr;)*) => {$(
        #[test]
        fn $name() {
            let mut server = Postgres::start().expect("a database");
            live(SEEDS.of($part), "sim::postgres::the_real", |seed| run_against(&mut server, seed));
        }
    )*};
}

parts! {
    the_real_functions_lose_nothing_and_all_converges_first_part: 0;
    the_real_functions_lose_nothing_and_all_converges_second_part: 1;
}
