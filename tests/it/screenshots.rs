//! docs/images: pictures of the reports on samples, which the README shows. `.ci/screenshots` makes them anew; every other run
//! only looks whether they are there and of modest size.

use std::fmt::Write as _;

use base64::Engine as _;

use crate::chromium::{Browser, DESK, PHONE, Screen};
use crate::support::{Dir, entries, none, omnilog, read, root};

/// What the pictures show.
const INCIDENT: &str = "samples/incidents/first-run/input";
/// Columns of the terminal.
const COLUMNS: usize = 100;
/// Pixels of a line and of a character, and around the text.
const LINE: usize = 19;
const CHARACTER: f64 = 8.43;
const PADDING: usize = 16;
/// Bytes of a picture.
const SIZE: u64 = 200_000;

/// Whether to make the pictures.
fn makes() -> bool {
    std::env::var_os("OMNILOG_WRITE_SCREENSHOTS").is_some()
}

/// Terminal output as SVG: a line of text for each line, a span for each colour.
fn terminal(output: &str) -> String {
    // Commands are not wrapped.
    let columns = output.lines().map(|l| plain(l).chars().count()).max().unwrap_or(0).max(COLUMNS);
    let (width, height) = (columns as f64 * CHARACTER, output.lines().count() * LINE);
    let (width, height) = (width as usize + 2 * PADDING, height + 2 * PADDING);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#e4e6e8;\
         white-space:pre}}.c1{{font-weight:700}}.c2{{fill:#a2aab2}}.c31{{fill:#ff938a}}.c33{{fill:#f0ba55}}\
         .c36{{fill:#62cbbd}}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14171a\"/>\n"
    );
    for (index, line) in output.lines().enumerate() {
        let y = PADDING + index * LINE + 14;
        let _ = writeln!(svg, "<text x=\"{PADDING}\" y=\"{y}\" xml:space=\"preserve\">{}</text>", spans(line));
    }
    svg + "</svg>\n"
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let (first, rest) = line.split_once("\u{1b}[").unwrap_or((line, ""));
    let rest = rest.split("\u{1b}[").filter_map(|part| Some(part.split_once('m')?.1));
    std::iter::once(first).chain(rest).collect()
}

/// A line with its colours.
fn spans(line: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (first, rest) = line.split_once("\u{1b}[").unwrap_or((line, ""));
    let mut out = escape(first);
    let mut class = String::new();
    for part in rest.split("\u{1b}[").filter(|p| !p.is_empty()) {
        let (codes, text) = part.split_once('m').expect("a colour");
        match codes {
            "0" | "" => class.clear(),
            codes => codes.split(';').for_each(|code| class.push_str(&format!("c{code} "))),
        }
        if class.is_empty() || text.is_empty() {
            out.push_str(&escape(text));
        } else {
            let _ = write!(out, "<tspan class=\"{}\">{}</tspan>", class.trim_end(), escape(text));
        }
    }
    out
}

fn write(name: &str, bytes: &[u8]) {
    let folder = root().join("docs/images");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), bytes).expect("a file");
}

/// A picture of what the screen shows of a place of the page.
fn picture(browser: &mut Browser, screen: Screen, selector: &str, name: &str) {
    browser.look(screen);
    browser.eval(&format!("document.querySelector('{selector}').scrollIntoView()"));
    let picture = browser.picture();
    write(name, &base64::engine::general_purpose::STANDARD.decode(picture).expect("base64"));
}

#[test]
fn pictures_are_made_when_asked_for() {
    if !makes() {
        return;
    }
    let done = omnilog(["--color", "always", INCIDENT]).env("COLUMNS", &COLUMNS.to_string()).exits(0);
    write("text.svg", terminal(&format!("$ omnilog {INCIDENT}\n{}", done.stdout)).as_bytes());
    let mut browser = Browser::start().expect("Chromium is needed for pictures");
    let dir = Dir::new();
    let page = dir.join("report.html");
    omnilog(["--format", "html", "--no-redact", "-q", "-o"]).args([&page]).args([INCIDENT]).exits(0);
    browser.open(&page, DESK);
    picture(&mut browser, Screen { width: 1200, height: 830, ..DESK }, "body", "html.png");
    picture(&mut browser, Screen { width: 1200, height: 770, dark: true, ..DESK }, "#timeline", "html-dark.png");
    browser.open(&page, PHONE);
    picture(&mut browser, PHONE, "body", "html-phone.png");
}

#[test]
fn colours_of_a_terminal_become_classes_and_text_stays_text() {
    let line = "\u{1b}[1m\u{1b}[31mCONFIRMED\u{1b}[0m <VMID> \u{1b}[2mx\u{1b}[0m";
    assert_eq!(spans(line), "<tspan class=\"c1 c31\">CONFIRMED</tspan> &lt;VMID&gt; <tspan class=\"c2\">x</tspan>");
}

#[test]
fn the_readme_shows_the_pictures_and_they_are_of_modest_size() {
    let readme = read("README.md");
    let mut complaints = Vec::new();
    let pictures = entries(&root().join("docs/images"));
    for path in &pictures {
        let name = path.file_name().expect("a name").to_string_lossy();
        if !readme.contains(&format!("docs/images/{name}")) {
            complaints.push(format!("{name} is not shown"));
        }
        let size = std::fs::metadata(path).expect("a file").len();
        if size == 0 || size > SIZE {
            complaints.push(format!("{name} has {size} bytes"));
        }
    }
    let shown = readme.split("](docs/images/").skip(1).filter_map(|rest| rest.split(')').next());
    for name in shown.filter(|name| !root().join("docs/images").join(name).is_file()) {
        complaints.push(format!("{name} is missing; run .ci/screenshots"));
    }
    assert!(!pictures.is_empty(), "no pictures; run .ci/screenshots");
    none(&complaints);
}
