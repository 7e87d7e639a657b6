//! A headless Chromium, driven through the DevTools protocol over its pipe: real clicks, keys and wheel turns, no port and
//! no further crate. <https://chromedevtools.github.io/devtools-protocol/>

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Names under which Chromium is found.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// After this long without a word something is wrong, on the slowest machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// Set by `.ci/run` where Chromium could be installed: then the tests may not be skipped.
const REQUIRED: &str = "OMNILOG_REQUIRE_CHROMIUM";

/// A browser with one page.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    waiting: Vec<Value>,
    next: u64,
    session: Option<String>,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Clone, Copy)]
pub struct Screen {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether the system prefers dark.
    pub dark: bool,
    /// Whether scripts run.
    pub script: bool,
}

/// A desk.
pub const DESK: Screen = Screen { width: 1280, height: 900, dark: false, script: true };
/// A phone.
pub const PHONE: Screen = Screen { width: 360, height: 740, dark: false, script: true };

impl Browser {
    /// Starts Chromium; `None`, with a printed line, where none starts and none is required.
    pub fn start() -> Option<Self> {
        let browser = NAMES.iter().filter(|name| is_there(name)).find_map(|name| Self::launch(name));
        if browser.is_none() {
            assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set and no Chromium starts");
            // Not captured, unlike `eprintln!`.
            let _ = writeln!(io::stderr(), "skipped: no Chromium, the page is not tested in a browser");
        }
        browser
    }

    /// Starts a browser; `None` when it ends at once.
    fn launch(name: &str) -> Option<Self> {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // The protocol stands on the descriptors 3 and 4.
        let script = format!(
            "exec {name} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
             --disable-smooth-scrolling --no-first-run \
             --disable-extensions --disable-background-networking --disable-component-update \
             --user-data-dir=\"$0\" --remote-debugging-pipe 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take().expect("a pipe");
        let output = child.stdout.take().expect("a pipe");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                if serde_json::from_slice(&message).is_ok_and(|m: Value| sender.send(m).is_err()) {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, input, messages, waiting: Vec::new(), next: 0, session: None, _profile: profile };
        browser.send("Browser.getVersion", &json!({})).ok()?;
        browser.messages.recv_timeout(PATIENCE).ok()?;
        Some(browser)
    }

    /// Sends a message; gives its number.
    fn send(&mut self, method: &str, params: &Value) -> io::Result<u64> {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = self.session.as_ref().filter(|_| !method.starts_with("Target.")) {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes)?;
        self.input.flush()?;
        Ok(self.next)
    }

    /// Opens a file in a new page.
    pub fn open(&mut self, file: &Path, screen: Screen) {
        self.session = None;
        self.waiting.clear();
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        self.session = self.call("Target.attachToTarget", &attach)["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        self.look(screen);
        self.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !screen.script}));
        self.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        self.wait("Page.loadEventFired");
    }

    /// Changes the size of the screen and what the system prefers.
    pub fn look(&mut self, screen: Screen) {
        let mobile = screen.width < 600;
        let size = json!({"width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({"name": "prefers-color-scheme", "value": if screen.dark { "dark" } else { "light" }});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [scheme]}));
    }

    /// Calls a method and gives its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params).expect("Chromium listens");
        loop {
            let mut answer = self.receive();
            if answer["id"] != id {
                self.waiting.push(answer);
                continue;
            }
            assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
            return answer["result"].take();
        }
    }

    fn receive(&mut self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("Chromium answers")
    }

    fn wait(&mut self, event: &str) {
        loop {
            if let Some(at) = self.waiting.iter().position(|m| m["method"] == event) {
                self.waiting.remove(at);
                return;
            }
            let message = self.receive();
            self.waiting.push(message);
        }
    }

    /// The value of an expression in the page; promises are waited for.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer:#}");
        answer["result"]["value"].take()
    }

    /// An expression as a number.
    pub fn number(&mut self, expression: &str) -> f64 {
        self.eval(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    /// An expression as text.
    pub fn text(&mut self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Whether an expression is true.
    pub fn holds(&mut self, expression: &str) -> bool {
        self.eval(expression) == true
    }

    /// The middle of the first element of a selector, scrolled into view.
    pub fn place(&mut self, selector: &str) -> (f64, f64) {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center'}}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()",
            json!(selector)
        );
        let place = self.eval(&script);
        (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"))
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), more: &Value) {
        let mut params = json!({"type": kind, "x": x, "y": y});
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        self.call("Input.dispatchMouseEvent", &params);
    }

    /// Moves the mouse there.
    pub fn point(&mut self, place: (f64, f64)) {
        self.mouse("mouseMoved", place, &json!({}));
    }

    /// Clicks there.
    pub fn click(&mut self, place: (f64, f64)) {
        self.drag(place, place);
    }

    /// Presses in one place and lets go in another.
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        let left = json!({"button": "left", "buttons": 1, "clickCount": 1});
        self.point(from);
        self.mouse("mousePressed", from, &left);
        if from != to {
            self.mouse("mouseMoved", (f64::midpoint(from.0, to.0), from.1), &left);
            self.mouse("mouseMoved", to, &left);
        }
        self.mouse("mouseReleased", to, &left);
    }

    /// Turns the wheel there; up is negative.
    pub fn wheel(&mut self, place: (f64, f64), delta: f64) {
        self.mouse("mouseWheel", place, &json!({"deltaX": 0, "deltaY": delta}));
        // A wheel that scrolls does so with the next frame.
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// Presses a key: its name, as `KeyboardEvent.key` has it.
    pub fn key(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 => key,
            _ => "",
        };
        // `Tab` and `Enter` act only with their codes.
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            _ => 0,
        };
        let params = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &params);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key}));
    }

    /// Errors and warnings of the console, violated policies, exceptions and dialogs since the page was opened.
    pub fn complaints(&mut self) -> Vec<String> {
        // What was said before this answer has arrived with it.
        self.eval("1");
        let events = self.waiting.iter().filter(|m| {
            let level = |v: &Value| ["error", "warning"].contains(&v.as_str().unwrap_or_default());
            match m["method"].as_str() {
                Some("Runtime.exceptionThrown" | "Page.javascriptDialogOpening") => true,
                Some("Runtime.consoleAPICalled") => level(&m["params"]["type"]),
                Some("Log.entryAdded") => level(&m["params"]["entry"]["level"]),
                _ => false,
            }
        });
        events.map(|m| m["params"].to_string()).collect()
    }

    /// A picture of what the screen shows, as PNG in base64.
    pub fn picture(&mut self) -> String {
        let answer = self.call("Page.captureScreenshot", &json!({"format": "png", "optimizeForSpeed": false}));
        answer["data"].as_str().expect("a picture").to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The shell became Chromium; its helpers end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
