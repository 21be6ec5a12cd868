//! The AWS Query protocol: a form becomes JSON, JSON becomes XML.
