//! `kite serve` on the stage.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use super::{Fault, Stage};

/// A running `kite serve`. It is killed where the scene drops it.
pub struct Serving {
    child: Child,
    pub port: u16,
}

impl Stage {
    /// Serves HTTP on a free port.
    pub fn serve(&self) -> Result<Serving, Fault> {
        let mut child = self
            .command(&self.kite)
            .args(["serve", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no pipe")?;
        let mut serving = Serving { child, port: 0 };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        // `Kite serves MCP on http://127.0.0.1:3001/mcp`
        let port = line
            .trim()
            .trim_end_matches("/mcp")
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        serving.port = port.ok_or_else(|| format!("no port in: {line}"))?;
        Ok(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
