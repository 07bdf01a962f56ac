-- A user of nvim-dap at work, without a screen. The environment says in which program, and which of the tours below.
-- What the user sees goes into a file, for the test to judge: messages, the debug console, positions, the signs of the debugger.

local dap = require("dap")
local DEADLINE = tonumber(os.getenv("FIXCONT_TEST_DEADLINE") or "30") * 1000

local seen = { notes = {}, stops = {}, events = {}, threads = {}, replies = {} }

vim.notify = function(message, level)
  table.insert(seen.notes, { message = message, level = level })
end

local function wait(what, condition)
  if not vim.wait(DEADLINE, condition, 10) then
    error("it did not happen: " .. what)
  end
end

-- Where the cursor is, and what the client knows, once a stop is shown.
local function shown()
  local session = dap.session()
  local frame = session and session.current_frame
  if not frame or not session.stopped_thread_id then
    return nil
  end
  return session, frame
end

local stops, shown_stops, frame_before = 0, 0, nil
dap.listeners.before["event_stopped"]["tour"] = function(session)
  frame_before = session.current_frame
end
dap.listeners.after["event_stopped"]["tour"] = function(_, body)
  stops = stops + 1
  table.insert(seen.stops, body)
end
for _, name in ipairs({ "hotcodereplace", "terminated", "exited", "invalidated", "breakpoint", "loadedSource", "continued" }) do
  dap.listeners.after["event_" .. name]["tour"] = function(_, body)
    table.insert(seen.events, { name = name, body = body })
  end
end

local function stopped(reason)
  shown_stops = shown_stops + 1
  wait("a stop for " .. reason, function()
    local session, frame = shown()
    return stops >= shown_stops and session and frame ~= frame_before and frame.scopes
  end)
  local stop = seen.stops[shown_stops]
  assert(stop.reason == reason, "stopped for " .. stop.reason .. ", not for " .. reason)
  if reason == "exception" then
    wait("what is told of the exception", function() return #vim.diagnostic.get(0) > 0 end)
  end
  local session, frame = shown()
  stop.cursor = vim.api.nvim_win_get_cursor(0)
  stop.file = vim.api.nvim_buf_get_name(0)
  stop.frame = { name = frame.name, line = frame.line, column = frame.column }
  stop.thread = session.threads[session.stopped_thread_id].name
  stop.diagnostics = vim.tbl_map(function(each) return { lnum = each.lnum, message = each.message } end, vim.diagnostic.get(0))
  return session, frame
end

local function happened(name, matches)
  local function found()
    for _, event in ipairs(seen.events) do
      if event.name == name and (not matches or matches(event.body or {})) then
        return true
      end
    end
    return false
  end
  wait("the event " .. name, found)
end

local function ended()
  wait("the end", function() return dap.session() == nil end)
end

local function launch()
  vim.cmd("edit " .. vim.fn.fnameescape(os.getenv("FIXCONT_TOUR_PROGRAM")))
  local configuration = vim.deepcopy(dap.configurations.python[1])
  configuration.python = os.getenv("FIXCONT_PYTHON")
  configuration.cwd = vim.fn.expand("%:p:h")
  dap.run(configuration)
end

local function line_of(label)
  return vim.fn.search("# @" .. label .. "\\>", "nw")
end

-- Edit as a user does, in the buffer, and write it.
local function mend(before, after)
  vim.cmd("buffer " .. vim.fn.fnameescape(os.getenv("FIXCONT_TOUR_PROGRAM")))
  vim.cmd("%s?" .. before .. "?" .. after .. "?")
  vim.cmd("silent write")
end

local function mended()
  mend("total / count  # @fails", "total / count if count else 0.0  # @fails")
  happened("hotcodereplace", function(body) return body.changeType == "END" end)
end

local function keys(typed)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(typed, true, true, true), "mx", false)
end

local function console()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buffer):match("%[dap%-repl%]$") then
      return buffer
    end
  end
end

local function console_lines()
  return console() and vim.api.nvim_buf_get_lines(console(), 0, -1, false) or {}
end

-- Type into the debug console.
local function type_into_console(text)
  vim.api.nvim_set_current_win(vim.fn.bufwinid(console()))
  keys("GA" .. text .. "<cr><esc>")
  vim.cmd("wincmd p")
end

local function console_says(text)
  wait("the console says " .. text, function() return vim.tbl_contains(console_lines(), text) end)
end

local tours = {}

function tours.restart()
  vim.cmd("edit " .. vim.fn.fnameescape(os.getenv("FIXCONT_TOUR_PROGRAM")))
  vim.fn.cursor(line_of("prints"), 1)
  dap.toggle_breakpoint()
  launch()
  stopped("breakpoint")
  dap.continue()
  stopped("exception")
  mended()
  vim.cmd("DapRestartFrame")
  stopped("restart")
  dap.continue()
  stopped("breakpoint")
  dap.clear_breakpoints()
  dap.continue()
  ended()
end

function tours.step_and_go()
  launch()
  stopped("exception")
  dap.up()
  mend("price = total / count", "if not count:\r        return 0.0  # @new\r    price = total / count")
  happened("hotcodereplace", function(body) return body.changeType == "END" end)
  dap.goto_(line_of("new"))
  stopped("goto")
  dap.step_over()
  stopped("step")
  dap.continue()
  ended()
end

function tours.console()
  dap.repl.open()
  launch()
  stopped("exception")
  mended()
  type_into_console("total, count")
  console_says("(9.0, 0)")
  type_into_console("retry")
  ended()
end

function tours.keys()
  launch()
  stopped("exception")
  mend("price = total / count", "price = = total / count")
  happened("hotcodereplace", function(body) return body.changeType == "ERROR" end)
  keys("\\dt")
  wait("the refusal", function() return #seen.notes >= 2 end)
  mend("price = = total / count", "price = total / count if count else 0.0")
  keys("\\dt")
  ended()
end

function tours.request()
  launch()
  local session, frame = stopped("exception")
  mended()
  session:request("fixcont/ways", { frameId = frame.id }, function(err, body)
    seen.replies.ways = err and err.message or body.ways
  end)
  wait("the ways", function() return seen.replies.ways end)
  session:request("fixcont/retry", { frameId = frame.id }, function(err) seen.replies.retry = err and err.message or "done" end)
  ended()
end

-- A program that hangs, and waits for a file to go on: it is paused and looked at.
function tours.pause()
  launch()
  wait("a line", function() return vim.tbl_contains(console_lines(), "waiting") end)
  dap.pause(1)
  stopped("pause")
  mend("while True:", "while waits:")
  happened("hotcodereplace", function(body) return body.changeType == "END" end)
  vim.cmd("DapRestartFrame")
  stopped("restart")
  dap.continue()
  ended()
end

-- The program listens already, and is held.
function tours.attach()
  vim.cmd("edit " .. vim.fn.fnameescape(os.getenv("FIXCONT_TOUR_PROGRAM")))
  local configuration = vim.deepcopy(dap.configurations.python[3])
  configuration.python = os.getenv("FIXCONT_PYTHON")
  configuration.connect.port = tonumber(os.getenv("FIXCONT_TOUR_PORT"))
  dap.run(configuration)
  stopped("exception")
  mended()
  keys("\\dr")
  ended()
end

local done, problem = xpcall(tours[os.getenv("FIXCONT_TOUR")], debug.traceback)
seen.problem = not done and problem or nil
vim.wait(100) -- what Neovim has put off until its loop turns
seen.console = console_lines()
seen.messages = vim.api.nvim_exec("messages", true)
vim.fn.writefile({ vim.json.encode(seen) }, os.getenv("FIXCONT_TOUR_SEEN"))
vim.cmd(done and "qall!" or "cquit")
