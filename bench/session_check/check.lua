-- Asks about the tokens of a file and checks every answer.
--
-- wrk does not tell a script which connection an answer came by. So each thread has one connection
-- and tokens of its own: what was asked last is what is answered.
--
-- Arguments behind `--`: the file, how many threads, where in the file to begin, the path, the
-- Host, more header lines, the status for a good session, the status for another, the whole body
-- for another ("*" = any), and where the person is named: body, header:NAME or nowhere.
-- A line of the file is the Cookie header, a tab, and the person's e-mail address or id; nothing
-- behind the tab means that the session must be refused.

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(args)
   local count, first = tonumber(args[2]), tonumber(args[3])
   local head = "GET " .. args[4] .. " HTTP/1.1\r\nHost: " .. args[5] .. "\r\n" .. args[6] .. "Cookie: "
   accepted, refused, refusal = tonumber(args[7]), tonumber(args[8]), args[9]
   place = args[10]
   named = place:lower():match("^header:(.*)$")
   requests, people = {}, {}
   local line_number = 0
   for line in io.lines(args[1]) do
      if line_number % count == number then
         local cookie, person = line:match("^([^\t]*)\t(.*)$")
         requests[#requests + 1] = head .. cookie .. "\r\n\r\n"
         people[#people + 1] = person
      end
      line_number = line_number + 1
   end
   at = first % #requests
   answers, wrong, body_bytes, good = 0, 0, 0, 0
   example = ""
   ready = os.clock()
end

function request()
   at = at % #requests + 1
   return requests[at]
end

local function names(person, headers, body)
   if place == "nowhere" then return true end
   if named then
      for name, value in pairs(headers) do
         if name:lower() == named then return value == person end
      end
      return false
   end
   return body:find(person, 1, true) ~= nil
end

function response(status, headers, body)
   local person = people[at]
   local right
   if person ~= "" then
      right = status == accepted and names(person, headers, body)
      good = good + 1
      body_bytes = body_bytes + #body
   else
      right = status == refused and (refusal == "*" or body == refusal)
   end
   answers = answers + 1
   if not right then
      wrong = wrong + 1
      if example == "" then
         example = (person == "" and "a refusal" or person) .. " was answered " .. status .. " " .. body:sub(1, 200)
      end
   end
end

function done(summary, latency, _)
   local totals, example_of_all = { answers = 0, wrong = 0, body_bytes = 0, good = 0 }, ""
   for _, thread in ipairs(threads) do
      for name, value in pairs(totals) do totals[name] = value + thread:get(name) end
      if example_of_all == "" then example_of_all = thread:get("example") end
   end
   local ready_last = 0
   for _, thread in ipairs(threads) do ready_last = math.max(ready_last, thread:get("ready")) end
   local errors = summary.errors
   io.stderr:write(string.format(
      "result %d %d %d %d %d %d %d %d %d %d\n",
      totals.answers, totals.wrong, totals.good, totals.body_bytes, summary.duration,
      latency:percentile(50), latency:percentile(99), (os.clock() - ready_last) * 1000000,
      errors.connect + errors.read + errors.write, errors.timeout
   ))
   if example_of_all ~= "" then io.stderr:write("example " .. example_of_all:gsub("[\r\n]", " ") .. "\n") end
end
