//! A template as a short program: what the pages of a large store are made with.
//!
//! Takes the tree that handlebars has parsed; makes steps that write straight into the page, with every path taken
//! apart beforehand. It knows fields, `if`, `unless`, `each` and their local names, which is all that the built-in
//! templates use, and does with them what handlebars does. Whatever else a theme uses, and every mistake, is left to
//! handlebars itself, which takes four times as long.

use super::fields::{Fields, Likely, Node, Span};
use super::template::push_escaped;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names that mean a helper of handlebars where they stand alone.
const HELPERS: [&str; 17] = [
    "if", "unless", "each", "with", "lookup", "raw", "log", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not",
    "len",
];

/// A compiled template.
#[derive(Debug)]
pub(crate) struct Program {
    steps: Vec<Step>,
    /// Bytes of its fixed texts.
    size: usize,
}

#[derive(Debug)]
enum Step {
    Fixed(Box<str>),
    Value {
        way: Way,
        is_escaped: bool,
    },
    If {
        way: Way,
        wanted: bool,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Each {
        way: Way,
        body: Vec<Step>,
        otherwise: Option<Vec<Step>>,
    },
    /// What a condition on a setting of the theme has come to.
    Block(Vec<Step>),
}

/// The way to a field: so many blocks up, then down by names, or to one of the block's local names.
#[derive(Debug)]
struct Way {
    up: usize,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Named(Box<[Name]>),
    Index,
    First,
    Last,
}

/// A name to look up, and where it was found the last time: the parts of a [`Likely`].
#[derive(Debug)]
struct Name {
    text: Box<str>,
    place: AtomicUsize,
    address: AtomicUsize,
}

impl Name {
    fn new(text: &str) -> Self {
        Self { text: text.into(), place: AtomicUsize::new(0), address: AtomicUsize::new(0) }
    }

    fn likely(&self) -> Likely {
        Likely { place: self.place.load(Ordering::Relaxed), address: self.address.load(Ordering::Relaxed) }
    }

    fn remember(&self, found: Likely) {
        self.place.store(found.place, Ordering::Relaxed);
        self.address.store(found.address, Ordering::Relaxed);
    }
}

impl Program {
    /// Compiles a template; `None` when it uses anything that is left to handlebars.
    pub(crate) fn of(template: &Template) -> Option<Self> {
        let steps = steps_of(template)?;
        Some(Self { size: size_of(&steps), steps })
    }

    /// Appends the page with these fields; `None`, with nothing appended, when handlebars has to decide what happens,
    /// for instance because a field is not there.
    pub(crate) fn render(&self, fields: &Fields, root: Node, out: &mut String) -> Option<()> {
        let before = out.len();
        out.reserve(self.size + fields.size());
        let mut run = Run { fields, scopes: vec![Scope { node: root, place: None }], out };
        let done = run.steps(&self.steps);
        if done.is_none() {
            out.truncate(before);
        }
        done
    }
}

fn size_of(steps: &[Step]) -> usize {
    let size = |step: &Step| match step {
        Step::Fixed(text) => text.len(),
        Step::Value { .. } => 0,
        Step::If { then, otherwise, .. } => size_of(then).max(size_of(otherwise)),
        Step::Each { body, .. } => 2 * size_of(body),
        Step::Block(steps) => size_of(steps),
    };
    steps.iter().map(size).sum()
}

fn steps_of(template: &Template) -> Option<Vec<Step>> {
    let known = template.elements.iter().filter(|element| !matches!(element, TemplateElement::Comment(_)));
    known.map(step_of).collect()
}

fn step_of(element: &TemplateElement) -> Option<Step> {
    match element {
        TemplateElement::RawString(text) => Some(Step::Fixed(text.as_str().into())),
        TemplateElement::Expression(tag) => Some(Step::Value { way: value_of(tag)?, is_escaped: true }),
        TemplateElement::HtmlExpression(tag) => Some(Step::Value { way: value_of(tag)?, is_escaped: false }),
        TemplateElement::HelperBlock(block) => block_of(block),
        _ => None,
    }
}

fn value_of(tag: &HelperTemplate) -> Option<Way> {
    let is_bare = !tag.block && tag.params.is_empty() && tag.hash.is_empty();
    let is_helper = tag.name.as_name().is_none_or(|name| HELPERS.contains(&name));
    if !is_bare || is_helper { None } else { way_of(&tag.name) }
}

fn block_of(block: &HelperTemplate) -> Option<Step> {
    let [subject] = block.params.as_slice() else { return None };
    if !block.hash.is_empty() || block.block_param.is_some() {
        return None;
    }
    if let Parameter::Literal(serde_json::Value::Bool(value)) = subject {
        let wanted = match block.name.as_name()? {
            "if" => *value,
            "unless" => !*value,
            _ => return None,
        };
        let chosen = if wanted { block.template.as_ref() } else { block.inverse.as_ref() };
        return Some(Step::Block(chosen.map_or(Some(Vec::new()), steps_of)?));
    }
    let way = way_of(subject)?;
    let body = block.template.as_ref().map_or(Some(Vec::new()), steps_of)?;
    let otherwise = match &block.inverse {
        Some(inverse) => Some(steps_of(inverse)?),
        None => None,
    };
    match block.name.as_name()? {
        "if" => Some(Step::If { way, wanted: true, then: body, otherwise: otherwise.unwrap_or_default() }),
        "unless" => Some(Step::If { way, wanted: false, then: body, otherwise: otherwise.unwrap_or_default() }),
        "each" if block.template.is_some() => Some(Step::Each { way, body, otherwise }),
        _ => None,
    }
}

fn way_of(parameter: &Parameter) -> Option<Way> {
    let Parameter::Path(path) = parameter else { return None };
    match path {
        Path::Local((up, name, _)) => {
            let place = match name.as_str() {
                "index" => Place::Index,
                "first" => Place::First,
                "last" => Place::Last,
                _ => return None,
            };
            Some(Way { up: *up, place })
        }
        Path::Relative((segments, raw)) => {
            let up = raw.split("../").take_while(|before| before.is_empty()).count();
            let (steps_up, names) = segments.split_at_checked(up)?;
            if steps_up.iter().any(|step| matches!(step, PathSeg::Named(_))) {
                return None;
            }
            let names = names.iter().map(name_of).collect::<Option<Box<[Name]>>>()?;
            Some(Way { up, place: Place::Named(names) })
        }
    }
}

fn name_of(segment: &PathSeg) -> Option<Name> {
    match segment {
        PathSeg::Named(name) => Some(Name::new(name)),
        _ => None,
    }
}

/// A page that is being written.
struct Run<'r> {
    fields: &'r Fields,
    scopes: Vec<Scope>,
    out: &'r mut String,
}

/// What names are looked up in.
#[derive(Clone, Copy)]
struct Scope {
    node: Node,
    /// Which item of a list it is, and of how many.
    place: Option<(usize, usize)>,
}

impl Run<'_> {
    fn steps(&mut self, steps: &[Step]) -> Option<()> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Option<()> {
        match step {
            Step::Fixed(text) => self.out.push_str(text),
            Step::Block(steps) => self.steps(steps)?,
            Step::Value { way, is_escaped } => self.value(way, *is_escaped)?,
            Step::If { way, wanted, then, otherwise } => {
                let branch = if self.is_truthy(way)? == *wanted { then } else { otherwise };
                self.steps(branch)?;
            }
            Step::Each { way, body, otherwise } => match (self.find(way)?, otherwise) {
                (Node::List(list), otherwise) if Fields::count(list) > 0 || otherwise.is_none() => {
                    self.each(list, body)?;
                }
                (Node::Object(_), _) => return None,
                (_, Some(otherwise)) => self.steps(otherwise)?,
                _ => return None,
            },
        }
        Some(())
    }

    fn value(&mut self, way: &Way, is_escaped: bool) -> Option<()> {
        if let Place::Index = way.place {
            let (at, _) = self.scope(way.up)?.place?;
            self.out.push_str(&at.to_string());
            return Some(());
        }
        match self.find(way)? {
            Node::Null => {}
            Node::Bool(truth) => self.out.push_str(if truth { "true" } else { "false" }),
            Node::Number(span, _) => self.out.push_str(self.fields.text(span)),
            Node::Text(span) if is_escaped => push_escaped(self.out, self.fields.text(span)),
            Node::Text(span) => self.out.push_str(self.fields.text(span)),
            Node::List(_) | Node::Object(_) => return None,
        }
        Some(())
    }

    fn each(&mut self, list: Span, body: &[Step]) -> Option<()> {
        let count = Fields::count(list);
        for at in 0..count {
            self.scopes.push(Scope { node: self.fields.item(list, at)?, place: Some((at, count)) });
            self.steps(body)?;
            self.scopes.pop();
        }
        Some(())
    }

    fn is_truthy(&self, way: &Way) -> Option<bool> {
        if let Place::Index = way.place {
            return self.scope(way.up)?.place.map(|(at, _)| at > 0);
        }
        Some(match self.find(way)? {
            Node::Null => false,
            Node::Bool(truth) | Node::Number(_, truth) => truth,
            Node::Text(span) | Node::List(span) | Node::Object(span) => Fields::count(span) > 0,
        })
    }

    fn scope(&self, up: usize) -> Option<Scope> {
        self.scopes.len().checked_sub(up + 1).map(|at| self.scopes[at])
    }

    fn find(&self, way: &Way) -> Option<Node> {
        let scope = self.scope(way.up)?;
        match &way.place {
            Place::Named(names) => names.iter().try_fold(scope.node, |node, name| match node {
                Node::Object(object) => {
                    let likely = name.likely();
                    let (found, node) = self.fields.field(object, &name.text, likely)?;
                    if found != likely {
                        name.remember(found);
                    }
                    Some(node)
                }
                Node::List(list) => self.fields.item(list, name.text.parse().ok()?),
                _ => None,
            }),
            Place::First => scope.place.map(|(at, _)| Node::Bool(at == 0)),
            Place::Last => scope.place.map(|(at, count)| Node::Bool(at + 1 == count)),
            Place::Index => None,
        }
    }
}
