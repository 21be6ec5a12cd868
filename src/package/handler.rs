//! Whether an archive holds the file that a handler names, looked for as the runtimes look for it.
//!
//! Sources: `importlib.import_module` of what stands before the last dot (aws-lambda-python-runtime-interface-client,
//! `bootstrap.py`); a path whose last part ends at its first dot, with and without the endings of JavaScript, then Node's
//! own modules (aws-lambda-nodejs-runtime-interface-client, `UserFunction.js`).

use crate::model::Runtime;
use std::collections::BTreeSet;

/// The files of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// By their paths in the archive, with slashes.
    pub files: BTreeSet<String>,
    /// Whether these are all of them: dependencies that are not installed yet may bring more.
    pub complete: bool,
}

/// Why a runtime cannot call a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerProblem {
    /// It names no function behind its file: `app`.
    NoFunction,
    /// There is no such file.
    NoFile {
        /// The file that one would expect: `app.py`.
        expected: String,
        /// The name nearest to it among the files that could be called: `main.py`.
        nearest: Option<String>,
        /// The source that would have to be compiled to it first: `index.ts`.
        uncompiled: Option<String>,
    },
}

/// Returns what is wrong with a handler. An absolute path leads out of the archive, and is not judged.
pub fn problem(runtime: Runtime, handler: &str, files: &BTreeSet<String>) -> Option<HandlerProblem> {
    if handler.starts_with('/') {
        return None;
    }
    let Some(module) = module(runtime, handler) else { return Some(HandlerProblem::NoFunction) };
    let found = match runtime {
        Runtime::Python { .. } => python(&module, files),
        Runtime::Node { .. } => node(&module, files),
    };
    if found {
        return None;
    }
    let ending = ending(runtime);
    let expected = format!("{module}{ending}");
    let callable =
        files.iter().map(String::as_str).filter(|name| name.ends_with(ending) && !name.contains("node_modules/"));
    let nearest = crate::problem::nearest(&expected, callable).map(str::to_owned);
    let uncompiled = [".ts", ".mts", ".cts", ".tsx"].iter().map(|ending| format!("{module}{ending}"));
    let uncompiled = uncompiled.into_iter().find(|name| files.contains(name));
    Some(HandlerProblem::NoFile { expected, nearest, uncompiled })
}

fn ending(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Python { .. } => ".py",
        Runtime::Node { .. } => ".js",
    }
}

/// The path of a handler's file without its ending; none where nothing stands behind it.
fn module(runtime: Runtime, handler: &str) -> Option<String> {
    match runtime {
        Runtime::Python { .. } => Some(handler.rsplit_once('.')?.0.replace('.', "/")),
        Runtime::Node { .. } => {
            let handler = handler.strip_prefix("./").unwrap_or(handler);
            let start = handler.rfind('/').map_or(0, |at| at + 1);
            let dot = handler[start..].find('.')?;
            Some(handler[..start + dot].to_owned())
        }
    }
}

/// A module, a package, or one that was compiled for the interpreter (`app.cpython-313-x86_64-linux-gnu.so`).
fn python(module: &str, files: &BTreeSet<String>) -> bool {
    let compiled = |name: &String| {
        let ending = name.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
        ending.is_some_and(|ending| {
            !ending.contains('/') && (ending == "pyc" || ending == "so" || ending.ends_with(".so"))
        })
    };
    files.contains(&format!("{module}.py"))
        || files.contains(&format!("{module}/__init__.py"))
        || files.iter().any(compiled)
}

fn node(module: &str, files: &BTreeSet<String>) -> bool {
    let (folder, name) = module.rsplit_once('/').map_or(("", module), |(folder, name)| (folder, name));
    let is_module = |path: &str| {
        let endings = ["", ".js", ".mjs", ".cjs", ".json", "/index.js", "/package.json"];
        endings.iter().any(|ending| files.contains(&format!("{path}{ending}")))
    };
    let below = |folder: &str| is_module(&format!("{folder}node_modules/{name}"));
    is_module(module) || below("") || below(&format!("{folder}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(runtime: &str, handler: &str, files: &[&str]) -> Option<HandlerProblem> {
        let files = files.iter().map(|name| (*name).to_owned()).collect();
        problem(runtime.parse().expect("a runtime"), handler, &files)
    }

    #[test]
    fn files_are_found_as_the_runtimes_find_them() {
        let python = "python3.13";
        let node = "nodejs22.x";
        for (runtime, handler, file) in [
            (python, "app.handler", "app.py"),
            (python, "app.handler", "app/__init__.py"),
            (python, "app.handler", "app.cpython-313-x86_64-linux-gnu.so"),
            (python, "src.app.handler", "src/app.py"),
            (python, "src/app.handler", "src/app.py"),
            (python, "datadog_lambda.handler.handler", "datadog_lambda/handler.py"),
            (node, "index.handler", "index.js"),
            (node, "index.handler", "index.mjs"),
            (node, "index.handler", "index.cjs"),
            (node, "./index.handler", "index.js"),
            (node, "dist/index.handler", "dist/index.js"),
            (node, "my.app/index.api.get", "my.app/index.mjs"),
            (node, "api.handler", "api/index.js"),
            (node, "wrapper.handler", "node_modules/wrapper/package.json"),
            (node, "/opt/nodejs/wrapper.handler", "index.js"),
        ] {
            assert_eq!(judged(runtime, handler, &[file]), None, "{runtime} {handler} {file}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        let missing = |expected: &str, nearest: Option<&str>, uncompiled: Option<&str>| {
            let (nearest, uncompiled) = (nearest.map(str::to_owned), uncompiled.map(str::to_owned));
            Some(HandlerProblem::NoFile { expected: expected.to_owned(), nearest, uncompiled })
        };
        let files = ["handler.py", "lib/words.py"];
        assert_eq!(judged("python3.13", "handlr.handle", &files), missing("handlr.py", Some("handler.py"), None));
        assert_eq!(judged("python3.13", "src.main.run", &files), missing("src/main.py", None, None));
        // A folder alone is a namespace, without a function in it.
        assert_eq!(judged("python3.13", "lib.handle", &files), missing("lib.py", None, None));
        assert_eq!(judged("python3.13", "handler", &files), Some(HandlerProblem::NoFunction));
        let files = ["index.ts", "main.py", "node_modules/inde/index.js"];
        assert_eq!(judged("nodejs22.x", "index.handler", &files), missing("index.js", None, Some("index.ts")));
        // The other runtime's files do not serve.
        assert_eq!(judged("nodejs22.x", "main.handler", &files), missing("main.js", None, None));
        assert_eq!(judged("nodejs22.x", "src/index", &files), Some(HandlerProblem::NoFunction));
    }
}
