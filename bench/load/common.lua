-- What the scripts share: each thread finds its own data, counts units and errors, and tells them at the end.
-- A unit is what an item counts: one request, or the requests of a whole flow.

local ffi = require("ffi")
ffi.cdef[[
typedef struct { long seconds; long nanoseconds; } bench_moment;
int clock_gettime(int clock, bench_moment *moment);
]]
local CLOCK_MONOTONIC = 1
local threads = {}

function setup(thread)
   table.insert(threads, thread)
   thread:set("number", #threads)
end

-- The data of this thread: the file holds a list, and threads go round it.
function own_data(args)
   local data = dofile(args[1])
   return data[(number - 1) % #data + 1]
end

-- The next line of a supply. Nothing in it may be shown twice: a supply that is used up ends the run.
function following(supply)
   return supply() or error("the supply is used up: prepare more units for a round")
end

function now_ms()
   local moment = ffi.new("bench_moment")
   ffi.C.clock_gettime(CLOCK_MONOTONIC, moment)
   return tonumber(moment.seconds) * 1e3 + tonumber(moment.nanoseconds) / 1e6
end

units, failures, first_failure, durations = 0, 0, "", {}

function completed(started_ms)
   units = units + 1
   durations[#durations + 1] = now_ms() - started_ms
end

-- What an answer says is wrong: the message of a page, or the beginning of anything else.
local function said(body)
   local text = body:match('class="wrong"[^>]*>([^<]+)') or body:match('role="alert">([^<]+)') or body:sub(1, 200)
   return (text:gsub('[%c"\\]', " "))
end

function failed(step, status, body)
   failures = failures + 1
   if first_failure == "" then
      first_failure = step .. ": " .. status .. " " .. said(body)
   end
end

local function percentile(sorted, share)
   return sorted[math.max(1, math.ceil(#sorted * share))] or 0
end

-- Flows measure whole units themselves; scripts without `response` leave that to wrk.
local function measured(summary, latency)
   local result = { units = 0, failures = 0, first_failure = "" }
   local all = {}
   for _, thread in ipairs(threads) do
      result.units = result.units + thread:get("units")
      result.failures = result.failures + thread:get("failures")
      if result.first_failure == "" then result.first_failure = thread:get("first_failure") end
      for _, duration in ipairs(thread:get("durations")) do all[#all + 1] = duration end
   end
   if response then
      table.sort(all)
      result.p50, result.p99 = percentile(all, 0.50), percentile(all, 0.99)
   else
      result.units = summary.requests - summary.errors.status
      result.failures = summary.errors.status
      result.p50, result.p99 = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
   end
   return result
end

function done(summary, latency, requests)
   local result, errors = measured(summary, latency), summary.errors
   local failures = result.failures + errors.connect + errors.read + errors.write + errors.timeout
   io.write(string.format(
      '{"units":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d,"first_error":"%s"}\n',
      result.units, summary.duration / 1e6, result.p50, result.p99, failures, result.first_failure))
end
