//! Finds out which files of a crate use which others. It reads just enough of Rust's syntax to
//! follow `use` declarations and paths, and builds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tokens::{Token, is_word, tokens, without_tests};

/// The use of one file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// The file with the use, relative to the crate's `src`: `orders/create.rs`.
    pub from: String,
    /// The file that is used.
    pub to: String,
    /// The line of the use.
    pub line: usize,
}

/// A crate's modules, without those that are compiled for tests only.
pub struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    tokens: Vec<Token>,
    /// The imported names of its `use` declarations.
    imports: Vec<Import>,
}

#[derive(Debug, Clone)]
struct Import {
    name: String,
    path: Vec<String>,
    line: usize,
    is_reexport: bool,
}

impl Crate {
    /// Reads the crate whose root module is `root` (`functions/src/lib.rs`).
    pub fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let source = root.parent().expect("a folder");
        add(&mut modules, source, root, Vec::new());
        Self { modules }
    }

    /// Returns every use of a file by another one, in the order of the files.
    ///
    /// `mod x;` is not a use. A re-export (`pub use x::Y`) is one only if the file itself also
    /// needs the name. Whoever imports the re-exported name uses `x`.
    pub fn dependencies(&self) -> BTreeSet<Dependency> {
        let mut dependencies = BTreeSet::new();
        for (path, module) in &self.modules {
            let imported = module
                .imports
                .iter()
                .filter(|import| !import.is_reexport || module.mentions(&import.name));
            let imported = imported.map(|import| (import.path.clone(), import.line));
            for (used, line) in imported.chain(self.paths(path, module)) {
                let Some(used) = self.resolve(path, &used, 0) else { continue };
                let to = &self.modules[&used].file;
                if *to != module.file {
                    dependencies.insert(Dependency {
                        from: module.file.clone(),
                        to: to.clone(),
                        line,
                    });
                }
            }
        }
        dependencies
    }

    /// Returns the module that defines the item `used`, as seen from the module `from`, or `None`
    /// for an item of another crate.
    fn resolve(&self, from: &[String], used: &[String], depth: usize) -> Option<Vec<String>> {
        assert!(depth < 20, "{used:?} leads into a cycle of re-exports");
        let mut rest = used.iter();
        let mut module = match used.first()?.as_str() {
            "crate" => {
                rest.next();
                Vec::new()
            }
            "self" => {
                rest.next();
                from.to_vec()
            }
            "super" => from.to_vec(),
            name if self.has(from, name) => from.to_vec(),
            name => {
                // Imported in this file, or from another crate.
                let import = self.modules[from].imports.iter().find(|i| i.name == name)?;
                let path = [&import.path[..], &used[1..]].concat();
                return match import.path.first()?.as_str() == name {
                    true => None,
                    false => self.resolve(from, &path, depth + 1),
                };
            }
        };
        while let Some(name) = rest.next() {
            if name == "super" {
                module.pop()?;
            } else if self.has(&module, name) {
                module.push(name.clone());
            } else {
                let found = &self.modules.get(&module)?.imports;
                let reexport = found.iter().find(|import| import.name == *name);
                let Some(import) = reexport else { break };
                let path: Vec<_> = import.path.iter().chain(rest).cloned().collect();
                // A macro is re-exported by the module that defines it.
                return match path == [name.clone()] {
                    true => Some(module),
                    false => self.resolve(&module, &path, depth + 1),
                };
            }
        }
        self.modules.contains_key(&module).then_some(module)
    }

    fn has(&self, module: &[String], child: &str) -> bool {
        self.modules.contains_key(&[module, &[child.to_owned()]].concat())
    }

    /// Returns the paths in a module's code that start at a module: `crate::x::y`, `super::x`,
    /// `child::x`.
    fn paths(&self, path: &[String], module: &Module) -> Vec<(Vec<String>, usize)> {
        let tokens = &module.tokens;
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        let mut paths = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let starts = matches!(text(at), "crate" | "super" | "self") || self.has(path, text(at));
            let follows = at > 0 && matches!(text(at - 1), "::" | "." | "mod");
            if !starts || follows || text(at + 1) != "::" {
                continue;
            }
            let mut used = vec![text(at).to_owned()];
            let mut end = at + 1;
            while text(end) == "::" && is_word(text(end + 1)) {
                used.push(text(end + 1).to_owned());
                end += 2;
            }
            paths.push((used, token.line));
        }
        paths
    }
}

impl Module {
    fn mentions(&self, name: &str) -> bool {
        self.tokens.iter().any(|token| token.text == name)
    }
}

/// Adds the module in `file`, and the modules that it declares.
fn add(modules: &mut BTreeMap<Vec<String>, Module>, source: &Path, file: &Path, path: Vec<String>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let name = file.strip_prefix(source).expect("within the crate").to_string_lossy().into_owned();
    let mut module = Module { file: name, ..Module::default() };
    let tokens = without_tests(tokens(&text));
    let mut declared = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        match (text(at), text(at + 2)) {
            ("use", _) if text(at + 1) != "<" => {
                let is_reexport = at > 0 && matches!(text(at - 1), "pub" | ")");
                let line = tokens[at].line;
                let end = (at..tokens.len()).find(|at| text(*at) == ";").expect("a semicolon");
                let mut names = Vec::new();
                tree(&tokens[at + 1..end], &mut 0, &[], &mut names);
                module.imports.extend(names.into_iter().map(|(name, path)| Import {
                    name,
                    path,
                    line,
                    is_reexport,
                }));
                at = end;
            }
            ("mod", ";") => {
                declared.push(text(at + 1).to_owned());
                at += 2;
            }
            _ => module.tokens.push(tokens[at].clone()),
        }
        at += 1;
    }
    modules.insert(path.clone(), module);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let parent = file.parent().expect("a folder");
    let folder = match stem.as_str() {
        "mod" | "lib" | "main" => parent.to_path_buf(),
        stem => parent.join(stem),
    };
    for child in declared {
        let flat = folder.join(format!("{child}.rs"));
        let file = if flat.is_file() { flat } else { folder.join(&child).join("mod.rs") };
        add(modules, source, &file, [&path[..], &[child]].concat());
    }
}

/// Reads a `use` tree: each name that it imports, with its path.
fn tree(
    tokens: &[Token],
    at: &mut usize,
    prefix: &[String],
    names: &mut Vec<(String, Vec<String>)>,
) {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut path = prefix.to_vec();
    loop {
        match text(*at) {
            "{" => {
                *at += 1;
                while text(*at) != "}" {
                    tree(tokens, at, &path, names);
                    if text(*at) == "," {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "::" => *at += 1,
            "" | "," | "}" => break,
            "as" => {
                names.push((text(*at + 1).to_owned(), path));
                *at += 2;
                return;
            }
            // The module itself, in `x::{self, Y}`.
            "self" if !path.is_empty() => *at += 1,
            name => {
                path.push(name.to_owned());
                *at += 1;
            }
        }
    }
    if let Some(name) = path.last() {
        names.push((name.clone(), path));
    }
}
