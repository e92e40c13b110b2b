-- What a script for Fluent Bit's `lua` filter sees of Fluent Bit, for tests: values as it hands them over
-- (src/flb_lua.c: metatables with a type, nulls as flb_null), and what it makes of them afterwards.
--
--   luajit fluent_bit.lua SCRIPT FUNCTION < records
--
-- A record comes in as a line of one Lua expression, made by the tests of `A{…}` for arrays, `M{…}` for
-- objects and `N` for null. A line of JSON, {"code": …, "time": …, "record": …}, goes out.

-- Fluent Bit's is a null pointer as light userdata, which plain Lua cannot make: as unlike nil as this one.
flb_null = newproxy()

local ARRAY, MAP = 1, 2
local words = {
  N = flb_null,
  A = function(elements)
    return setmetatable(elements, { type = ARRAY })
  end,
  M = function(members)
    return setmetatable(members, { type = MAP })
  end,
}

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return ("\\u%04x"):format(character:byte())
  end) .. '"'
end

local written

local function members(value)
  local parts = {}
  for key, item in pairs(value) do
    assert(type(key) == "string", "a key that is no text: " .. tostring(key))
    parts[#parts + 1] = quoted(key) .. ":" .. written(item)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function elements(value)
  local parts = {}
  for place = 1, #value do
    parts[place] = written(value[place])
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

function written(value)
  if value == flb_null then
    return "null"
  elseif type(value) == "string" then
    return quoted(value)
  elseif type(value) == "number" then
    return ("%.17g"):format(value)
  elseif type(value) == "boolean" then
    return tostring(value)
  end
  local meta = assert(getmetatable(value), "a table without a type")
  return meta.type == ARRAY and elements(value) or members(value)
end

dofile(arg[1])
local call = assert(_G[arg[2]], "no such function")
assert(debug.getinfo(call, "u").nparams == 3, "Fluent Bit calls with three arguments")
for line in io.lines() do
  local record = setfenv(assert(loadstring("return " .. line)), words)()
  local code, time, result = call("aws.guardduty", 1.5, record)
  print(('{"code":%d,"time":%.17g,"record":%s}'):format(code, time, written(result)))
end
