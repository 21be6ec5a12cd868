//! The embedded catalog, and what is said about bad templates.

use super::*;
use crate::view::problem;

#[test]
fn every_embedded_template_reads() {
    match Catalog::embedded().describe() {
        Ok(described) => assert_eq!(described.len(), Catalog::embedded().names().len()),
        Err(problems) => panic!("{}", problem::text(&problems, 100)),
    }
}
