import { spawn } from "node:child_process"

// The hook ends by itself sooner; this is the outer guard.
const WAIT_MS = 12_000
const ASKED_BEFORE = new Set(["edit", "write", "apply_patch", "patch", "bash"])
const TOLD_AFTER = new Set([...ASKED_BEFORE, "read"])

// Whatever fails here lets opencode go on.
function ask(event, input) {
  return new Promise((resolve) => {
    const child = spawn(HOOK, [event, "opencode"], { stdio: "pipe" })
    const timer = setTimeout(() => child.kill(), WAIT_MS)
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => (stdout += text))
    child.stderr.on("data", (text) => (stderr += text))
    child.stdin.on("error", () => {})
    child.on("error", () => resolve({}))
    child.on("close", (code) => {
      clearTimeout(timer)
      if (code === 2) return resolve({ permissionDecision: "deny", permissionDecisionReason: stderr })
      try {
        resolve(JSON.parse(stdout).hookSpecificOutput ?? {})
      } catch {
        resolve({})
      }
    })
    child.stdin.end(JSON.stringify(input))
  })
}

export const Kite = async ({ directory }) => {
  const told = (call, args) => ({
    session_id: call.sessionID,
    cwd: directory,
    tool_name: call.tool,
    tool_use_id: call.callID,
    tool_input: args,
  })
  return {
    "tool.execute.before": async (call, output) => {
      if (!ASKED_BEFORE.has(call.tool)) return
      const said = await ask("PreToolUse", told(call, output.args))
      if (said.permissionDecision === "deny") throw new Error(said.permissionDecisionReason)
    },
    "tool.execute.after": async (call, output) => {
      if (!TOLD_AFTER.has(call.tool)) return
      const said = await ask("PostToolUse", told(call, call.args))
      if (said.additionalContext && typeof output?.output === "string") {
        output.output += `\n\n${said.additionalContext}`
      }
    },
    event: async ({ event }) => {
      if (event.type !== "session.idle") return
      await ask("Stop", { session_id: event.properties.sessionID, cwd: directory })
    },
  }
}
