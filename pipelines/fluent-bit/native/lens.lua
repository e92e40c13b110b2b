-- Runs any plan in Fluent Bit's lua filter: the fixed interpreter, with the plan as data in
-- guardduty-plan.json beside this file. What every word of a plan means is said by guardduty-lens's
-- engine/oracle.py and catalogue/operations/; the same interpreter in Ruby is compilers/logstash/.
--
-- Nothing of a plan or of a record is ever run as code. Nothing is kept between records but the plan.
-- Wants `enable_flb_null: true`: without it, Fluent Bit drops nulls before this sees them.

-- --- what more than one part needs ---------------------------------------------------------------------------

-- Fluent Bit tells an array from an object by the metatable's type, on its way in and on its way out.
local ARRAY, OBJECT = { type = 1 }, { type = 2 }

local function array(elements)
  return setmetatable(elements, ARRAY)
end

local function object(members)
  return setmetatable(members, OBJECT)
end

local function is_null(value)
  return value == nil or value == flb_null
end

local function is_array(value)
  if type(value) ~= "table" then
    return false
  end
  local meta = getmetatable(value)
  if meta ~= nil and meta.type ~= nil then
    return meta.type == ARRAY.type
  end
  return value[1] ~= nil
end

local function is_object(value)
  return type(value) == "table" and not is_array(value)
end

-- A member that is there and not null; of what is no object, nothing.
local function member(value, key)
  if not is_object(value) then
    return nil
  end
  local found = value[key]
  if found == flb_null then
    return nil
  end
  return found
end

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) ~= math.huge
end

local function is_integral(value)
  return is_finite(value) and math.abs(value) < 9007199254740992 and math.floor(value) == value
end

local function has_prefix(text, prefix)
  return text:sub(1, #prefix) == prefix
end

local function has_suffix(text, suffix)
  return #text >= #suffix and text:sub(-#suffix) == suffix
end

-- Characters of a text in UTF-8.
local function length(text)
  local _, continuing = text:gsub("[\128-\191]", "")
  return #text - continuing
end

local function set_of(values)
  local set = {}
  for _, value in ipairs(values) do
    set[value] = true
  end
  return set
end

-- --- JSON ----------------------------------------------------------------------------------------------------

-- A strict reader (RFC 8259) without recursion into code: `error` with a place, caught by `parsed`.
local Json = { deepest = 1000 }
Json.__index = Json

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8(point)
  if point < 0x80 then
    return string.char(point)
  elseif point < 0x800 then
    return string.char(0xC0 + math.floor(point / 0x40), 0x80 + point % 0x40)
  elseif point < 0x10000 then
    return string.char(0xE0 + math.floor(point / 0x1000), 0x80 + math.floor(point / 0x40) % 0x40, 0x80 + point % 0x40)
  end
  return string.char(
    0xF0 + math.floor(point / 0x40000),
    0x80 + math.floor(point / 0x1000) % 0x40,
    0x80 + math.floor(point / 0x40) % 0x40,
    0x80 + point % 0x40
  )
end

function Json:fail(what)
  error({ json = what .. " at byte " .. self.at }, 0)
end

function Json:blanks()
  self.at = self.text:find("[^ \t\n\r]", self.at) or #self.text + 1
  return self.text:byte(self.at)
end

function Json:hex()
  local digits = self.text:match("^%x%x%x%x", self.at)
  if digits == nil then
    self:fail("no four digits")
  end
  self.at = self.at + 4
  return tonumber(digits, 16)
end

-- Behind `\u`: a character, of one or two UTF-16 units.
function Json:character()
  local unit = self:hex()
  if unit >= 0xD800 and unit < 0xDC00 and self.text:sub(self.at, self.at + 1) == "\\u" then
    local start = self.at
    self.at = self.at + 2
    local low = self:hex()
    if low >= 0xDC00 and low < 0xE000 then
      return utf8(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00)
    end
    self.at = start
  end
  return utf8(unit)
end

function Json:string()
  local parts = {}
  self.at = self.at + 1
  while true do
    local stop = self.text:find('[%c"\\]', self.at)
    local mark = stop and self.text:sub(stop, stop)
    if mark == nil or (mark ~= '"' and mark ~= "\\" and mark ~= "\127") then
      self:fail("no end of a string")
    end
    parts[#parts + 1] = self.text:sub(self.at, stop - 1)
    self.at = stop + 1
    if mark == '"' then
      return table.concat(parts)
    elseif mark == "\127" then
      parts[#parts + 1] = mark
    else
      local kind = self.text:sub(self.at, self.at)
      self.at = self.at + 1
      parts[#parts + 1] = kind == "u" and self:character() or ESCAPES[kind] or self:fail("no escape")
    end
  end
end

function Json:number()
  local start, stop = self.text:find("^-?%d+%.?%d*[eE]?[+-]?%d*", self.at)
  local text = start and self.text:sub(start, stop)
  local whole, rest = (text or ""):match("^-?(%d+)(.*)$")
  local is_whole = whole == "0" or (whole ~= nil and not has_prefix(whole, "0"))
  local fraction, exponent = (rest or ""):match("^(%.?%d*)(.*)$")
  if
    not is_whole
    or not (fraction == "" or fraction:find("^%.%d+$"))
    or not (exponent == "" or exponent:find("^[eE][+-]?%d+$"))
  then
    self:fail("no number")
  end
  self.at = stop + 1
  return tonumber(text)
end

function Json:elements(depth)
  local found, count = array({}), 0
  self.at = self.at + 1
  if self:blanks() == 0x5D then
    self.at = self.at + 1
    return found
  end
  while true do
    count = count + 1
    found[count] = self:value(depth + 1)
    local mark = self:blanks()
    self.at = self.at + 1
    if mark == 0x5D then
      return found
    elseif mark ~= 0x2C then
      self:fail("no comma")
    end
  end
end

function Json:members(depth)
  local found = object({})
  self.at = self.at + 1
  if self:blanks() == 0x7D then
    self.at = self.at + 1
    return found
  end
  while true do
    if self:blanks() ~= 0x22 then
      self:fail("no key")
    end
    local key = self:string()
    if self:blanks() ~= 0x3A then
      self:fail("no colon")
    end
    self.at = self.at + 1
    found[key] = self:value(depth + 1)
    local mark = self:blanks()
    self.at = self.at + 1
    if mark == 0x7D then
      return found
    elseif mark ~= 0x2C then
      self:fail("no comma")
    end
  end
end

local WORDS = { [0x74] = "true", [0x66] = "false", [0x6E] = "null" }

function Json:word(word)
  if self.text:sub(self.at, self.at + #word - 1) ~= word then
    self:fail("no value")
  end
  self.at = self.at + #word
  if word == "null" then
    return flb_null -- as in a record
  end
  return word == "true"
end

function Json:value(depth)
  if depth > Json.deepest then
    self:fail("too deep")
  end
  local mark = self:blanks()
  if mark == 0x7B then
    return self:members(depth)
  elseif mark == 0x5B then
    return self:elements(depth)
  elseif mark == 0x22 then
    return self:string()
  elseif WORDS[mark] ~= nil then
    return self:word(WORDS[mark])
  end
  return self:number()
end

-- The value of a JSON text, or nil where it is none; why not, as a second result.
local function parsed(text)
  local reader = setmetatable({ text = text, at = 1 }, Json)
  local fine, value = pcall(function()
    local read = reader:value(1)
    if reader:blanks() ~= nil then
      reader:fail("more behind the value")
    end
    return read
  end)
  if fine then
    return value
  elseif type(value) == "table" and value.json ~= nil then
    return nil, value.json
  end
  error(value, 0)
end

-- --- types ---------------------------------------------------------------------------------------------------

local function is_within(value, least, most)
  return value >= least and value <= most
end

local function is_geo_point(value)
  if not is_object(value) then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count == 2
    and is_finite(value.lat)
    and is_within(value.lat, -90, 90)
    and is_finite(value.lon)
    and is_within(value.lon, -180, 180)
end

local CHECKS = {
  text = is_text,
  boolean = function(value)
    return type(value) == "boolean"
  end,
  geo_point = is_geo_point,
  double = is_finite,
  byte = function(value)
    return is_integral(value) and is_within(value, -128, 127)
  end,
  long = is_integral,
  integer = function(value)
    return is_integral(value) and is_within(value, -2147483648, 2147483647)
  end,
}

-- What makes a checked value unique.
local function unique_key(value)
  if type(value) == "table" then
    return ("\0%.17g,%.17g"):format(value.lat + 0, value.lon + 0)
  end
  return value
end

-- --- finding types: cuts at literals -------------------------------------------------------------------------

local WORD = "%a%w*"
local BLANK = " \t\n\v\f\r"

local function is_family(text)
  return text:find("^[^" .. BLANK .. ".!/]") ~= nil and not text:find("\n", 1, true)
end

-- Cuts a text into a word and what is behind one of some marks; nil where it does not begin so.
local function cut(text, marks)
  return text:match("^(" .. WORD .. ")[" .. marks .. "](.*)$")
end

-- Security Hub's [Purpose:]Resource-Family, below the category; nil where it is none.
local function from_below(below, category, whole)
  local purpose, rest = cut(below, ":")
  local resource, family = cut(rest or below, "-/.")
  if resource == nil or not is_family(family) then
    return nil
  end
  if purpose ~= nil and category == "AnomalousBehavior" then
    family = category .. "." .. family
  end
  purpose = purpose or category
  return purpose == "" and whole or purpose .. ":" .. resource .. "/" .. family
end

local function from_security_hub(text, spellings)
  if spellings.names[text] ~= nil then
    return spellings.names[text]
  end
  local namespace, rest = text:match("^([^/]*)/(.*)$")
  if namespace == nil or not spellings.namespaces[namespace] then
    return text
  end
  local category, below = rest:match("^([^/]*)/(.*)$")
  if below ~= nil and category ~= "" and not category:find(":", 1, true) then
    local found = from_below(below, (category:gsub(" ", "")), text)
    if found ~= nil then
      return found
    end
  end
  return from_below(rest, "", text) or text
end

local function canonical(text, spellings)
  text = text:gsub("&amp;", "&"):gsub("\\u0026", "&")
  -- Fixtures of 2018 have a blank where the slash belongs.
  local start, family = text:match("^(" .. WORD .. ":" .. WORD .. ") (.*)$")
  if start ~= nil and is_family(family) then
    return start .. "/" .. family
  end
  return from_security_hub(text, spellings)
end

-- A finding type's canonical spelling and its parts; parts that are not there are left out.
local function type_parts(text, spellings)
  local spelled = canonical(text, spellings)
  local found = { canonical = spelled }
  local purpose, resource, rest = spelled:match("^(" .. WORD .. "):(" .. WORD .. ")/(.*)$")
  local family = rest and rest:match("^[^.!/" .. BLANK .. "]+")
  if family == nil then
    return found
  end
  rest = rest:sub(#family + 1)
  local variant = rest:match("^%.([^!" .. BLANK .. "]+)")
  rest = variant and rest:sub(#variant + 2) or rest
  local artifact = rest:match("^!([^" .. BLANK .. "]+)$")
  if rest ~= "" and artifact == nil then
    return found
  end
  found.purpose, found.resource, found.family = purpose, resource, family
  found.variant, found.artifact = variant, artifact
  return found
end

-- --- dates ---------------------------------------------------------------------------------------------------

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Days from 1970-01-01 to a day of the Gregorian calendar.
local function days(year, month, day)
  local before = year - 1
  local total = 365 * before + math.floor(before / 4) - math.floor(before / 100) + math.floor(before / 400)
  for earlier = 1, month - 1 do
    total = total + DAYS[earlier]
  end
  return total + day - 1 + (month > 2 and is_leap(year) and 1 or 0) - 719162
end

local function is_day(year, month, day)
  if year < 1 or month < 1 or month > 12 or day < 1 then
    return false
  end
  return day <= DAYS[month] + (month == 2 and is_leap(year) and 1 or 0)
end

-- The seconds that an offset adds; nil where the text is none.
local function east(text)
  if text == "" or text:find("^%s?[Zz]$") then
    return 0
  end
  local sign, hours, minutes = text:match("^%s?([+-])(%d%d):?(%d%d)$")
  if sign == nil then
    return nil
  end
  return (hours * 60 + minutes) * (sign == "-" and -60 or 60)
end

-- A clock's seconds of a day and what is behind them; nil where it is none.
local function clock(text)
  if text == "" then
    return 0, ""
  end
  local hour, minute, rest = text:match("^[Tt ](%d%d):(%d%d)(.*)$")
  if hour == nil then
    return nil
  end
  local second, behind = rest:match("^:(%d%d)(.*)$")
  local fraction, zone = (behind or ""):match("^[.,](%d+)(.*)$")
  if tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second or 0) > 59 then
    return nil
  end
  return hour * 3600 + minute * 60 + (second or 0) + tonumber("0." .. (fraction or "0")), zone or behind or rest
end

-- The instant that a date says, in seconds since 1970, without an offset in UTC; nil where it is none.
local function instant(text)
  local year, month, day, rest = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$")
  if year == nil or not is_day(tonumber(year), tonumber(month), tonumber(day)) then
    return nil
  end
  local seconds, zone = clock(rest)
  local offset = seconds and east(zone)
  if offset == nil then
    return nil
  end
  return days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + seconds - offset
end

-- --- operations on one value; nil is nothing -----------------------------------------------------------------

local function part(text, delimiters, wanted)
  local start, current, found = 1, 0, nil
  for number, delimiter in ipairs(delimiters) do
    local at = text:find(delimiter.text, start, true)
    if at == nil and not delimiter.optional then
      return nil
    elseif at ~= nil then
      if current == wanted - 1 then
        found = text:sub(start, at - 1)
      end
      start = at + #delimiter.text
      current = number
    end
  end
  return current == wanted - 1 and text:sub(start) or found
end

local function is_in_band(score, band)
  return (is_null(band.at_least) or score >= band.at_least)
    and (is_null(band.above) or score > band.above)
    and (is_null(band.below) or score < band.below)
    and (is_null(band.at_most) or score <= band.at_most)
end

local function joined_leaves(element, operation)
  local texts = {}
  for number, leaf in ipairs(operation.leaves) do
    local value = element[leaf.path]
    if not is_text(value) then
      if leaf.required then
        return nil
      end
      value = ""
    end
    texts[number] = value
  end
  return table.concat(texts, operation.text)
end

local function object_of_leaves(element, leaves)
  local made = object({})
  for _, leaf in ipairs(leaves) do
    local value = member(element, leaf.path)
    if value == nil and leaf.required then
      return nil
    end
    made[leaf.name] = value
  end
  return made
end

local function percent_encoded(text)
  return (text:gsub("[^%w%-._~]", function(octet)
    return ("%%%02X"):format(octet:byte())
  end))
end

-- A number as it is, or a text of at most 3 digits, a dot and at most 6 digits.
local function number_of(value)
  if type(value) ~= "string" then
    return is_finite(value) and value or nil
  end
  local whole, fraction = value:match("^(%d+)%.?(%d*)$")
  if whole == nil or #whole > 3 or #fraction > 6 or has_suffix(value, ".") then
    return nil
  end
  return tonumber(value)
end

local OF_TEXT = {
  finding_type = function(run, source, value)
    return run:type_parts(value)[source.part]
  end,
  split = function(_, source, value)
    return part(value, source.at, source.part)
  end,
  case = function(_, source, value)
    if source.to == "lower" then
      return value:lower()
    end
    return value:upper()
  end,
}

local OF_VALUE = {
  number = function(_, _, value)
    return number_of(value)
  end,
  bands = function(_, source, value)
    if not is_finite(value) then
      return nil
    end
    for _, band in ipairs(source.bands) do
      if is_in_band(value, band) then
        return band.label
      end
    end
    return source.other
  end,
  objects = function(_, source, value)
    if not is_object(value) then
      return nil
    end
    if is_null(source.text) then
      return object_of_leaves(value, source.leaves)
    end
    return joined_leaves(value, source)
  end,
  except = function(_, source, value)
    for _, without in ipairs(source.without) do
      if value == without then
        return nil
      end
    end
    return value
  end,
  text = function(_, _, value)
    if type(value) == "string" then
      return value
    end
    return is_integral(value) and ("%d"):format(value) or nil
  end,
}

-- --- what an event is ----------------------------------------------------------------------------------------

local MARKS = { "service", "resource", "severity", "schemaVersion", "accountId" }

-- A finding in AWS's camelCase: type, id or arn, and two more marks.
local function is_finding(value)
  if not is_object(value) or not is_text(value.type) or not (is_text(value.id) or is_text(value.arn)) then
    return false
  end
  local count = 0
  for _, key in ipairs(MARKS) do
    if member(value, key) ~= nil then
      count = count + 1
    end
  end
  return count >= 2
end

local function is_cloudtrail_record(value)
  return type(value.eventSource) == "string"
    and has_suffix(value.eventSource, ".amazonaws.com")
    and is_text(value.eventVersion)
    and is_text(value.eventName)
end

local function is_event(value)
  if not is_object(value) then
    return false
  end
  local is_envelope = is_object(value.detail) and (value["detail-type"] ~= nil or value.source ~= nil)
  return is_finding(value.detail) or is_finding(value) or is_envelope or is_cloudtrail_record(value)
end

local function kind_of_detail_type(event, kinds)
  local source, detail_type = event.source, event["detail-type"]
  if type(source) ~= "string" or type(detail_type) ~= "string" then
    return nil
  elseif has_suffix(detail_type, " via CloudTrail") then
    return "api_call"
  elseif source == "aws.guardduty" and kinds[detail_type] ~= nil then
    return kinds[detail_type]
  end
  local is_health = source == "aws.health" and member(event.detail, "service") == "GUARDDUTY"
  return is_health and "health" or nil
end

local function kind_of(event, kinds)
  if is_finding(event.detail) then
    return "finding"
  end
  local kind = kind_of_detail_type(event, kinds)
  if kind ~= nil then
    return kind
  elseif type(event.source) == "string" and has_prefix(event.source, "aws.") then
    return "other_aws"
  elseif is_cloudtrail_record(event) then
    return "api_call"
  end
  return type(event.eventSource) == "string" and has_prefix(event.eventSource, "aws:") and "other_aws" or "other"
end

-- --- one event's way through a plan --------------------------------------------------------------------------

local Run = {}
Run.__index = Run

function Run:type_parts(text)
  local known = self.types[text]
  if known == nil then
    known = type_parts(text, self.plan.spellings)
    self.types[text] = known
  end
  return known
end

-- The elements that one array step looks at, over all the arrays that reach it, up to the limit.
function Run:elements_of(nodes)
  local taken, total = {}, 0
  for _, node in ipairs(nodes) do
    if is_array(node) then
      total = total + #node
      for place = 1, math.min(#node, self.plan.fan_out - #taken) do
        taken[#taken + 1] = node[place]
      end
    end
  end
  if total > self.plan.fan_out then
    self.capped = true
  end
  return taken
end

-- One step: a text is a key, [] every element, [key, text] the elements whose member is that text.
function Run:stepped(nodes, step)
  local found = {}
  if type(step) == "string" then
    for _, node in ipairs(nodes) do
      found[#found + 1] = member(node, step)
    end
    return found
  end
  for _, node in ipairs(self:elements_of(nodes)) do
    if not is_null(node) and (step[1] == nil or member(node, step[1]) == step[2]) then
      found[#found + 1] = node
    end
  end
  return found
end

function Run:walked(root, steps)
  local nodes = { root }
  for _, step in ipairs(steps) do
    if nodes[1] == nil then
      break
    end
    nodes = self:stepped(nodes, step)
  end
  return nodes
end

function Run:values_at(path)
  if path.field ~= nil then
    local value = self.fields[path.field]
    return is_array(value) and value or { value }
  elseif path.steps ~= nil then
    return self:walked(self.event, path.steps)
  end
  local value = self.event
  for _, key in ipairs(path.keys) do
    value = member(value, key)
    if value == nil then
      return {}
    end
  end
  return { value }
end

-- The values that a source's operation is applied to; several paths are one text, joined by slashes.
function Run:inputs_of(source)
  if #source.paths == 1 then
    return self:values_at(source.paths[1])
  end
  -- All are looked at, so that what is capped is told whichever of them is missing.
  local parts, are_texts = {}, true
  for number, path in ipairs(source.paths) do
    parts[number] = self:values_at(path)[1]
    are_texts = are_texts and type(parts[number]) == "string"
  end
  return are_texts and { table.concat(parts, "/") } or {}
end

-- The values at a path in a JSON text; arrays in it are bounded, and do not count as capped.
function Run:in_text(text, source)
  local value = parsed(text)
  if is_null(value) then
    return {}
  end
  local before = self.capped
  local found = self:walked(value, source.steps)
  self.capped = before
  return found
end

-- What an operation makes of one value: an array of results.
function Run:applied(source, value)
  local name = source.operation
  if name == "lookup" then
    if type(value) ~= "string" then
      return {}
    end
    local entries = is_null(source.entries) and self.plan.tables[source.table] or source.entries
    return entries[value] or source.other
  elseif name == "parse_json" then
    return type(value) == "string" and self:in_text(value, source) or {}
  elseif OF_VALUE[name] ~= nil then
    return { OF_VALUE[name](self, source, value) }
  end
  return type(value) == "string" and { OF_TEXT[name](self, source, value) } or {}
end

function Run:filled(template)
  local text = {}
  for _, piece in ipairs(template.parts) do
    local value = self.fields[piece.field]
    if type(value) ~= "string" then
      return nil
    end
    text[#text + 1] = piece.before .. (piece.url and percent_encoded(value) or value)
  end
  return table.concat(text) .. template.tail
end

function Run:first_filled(templates)
  for _, template in ipairs(templates) do
    local text = self:filled(template)
    if text ~= nil then
      return text
    end
  end
  return nil
end

function Run:warnings()
  local codes, event, score = {}, self.event, self.fields.severity_score
  if self.fields.record_kind ~= "finding" then
    return codes
  end
  local is_said = event["detail-type"] == "GuardDuty Finding" and event.source == "aws.guardduty"
  local found = {
    { "type_not_parsed", self:type_parts(event.detail.type).purpose == nil },
    { "severity_unusable", score == nil or not is_within(score, 0, 10) },
    { "fan_out_capped", self.capped },
    { "kind_guessed", not is_said },
    { "asff_partial", is_object(event.asff) },
  }
  for _, code in ipairs(found) do
    if code[2] then
      codes[#codes + 1] = code[1]
    end
  end
  return codes
end

local RESULTS = {
  path = function(run, source)
    return run:inputs_of(source)
  end,
  kind = function(run, source)
    return { kind_of(run.event, source.kinds) }
  end,
  template = function(run, source)
    return { run:first_filled(source.templates) }
  end,
  constant = function(_, source)
    return { source.value }
  end,
  warnings = function(run)
    return run:warnings()
  end,
  -- The text that Fluent Bit's own regex engine captured, one filter before.
  regex = function(run, source)
    return { run.captured[source.capture] }
  end,
}

function Run:results_of(source)
  local results = RESULTS[source.operation]
  if results ~= nil then
    return results(self, source)
  end
  local found = {}
  for _, value in ipairs(self:inputs_of(source)) do
    for _, result in ipairs(self:applied(source, value)) do
      found[#found + 1] = result
    end
  end
  return found
end

-- The values that pass the type's check, unique, in the order met.
function Run:gathered(entry)
  local found, met, is_fit = {}, {}, CHECKS[entry.type]
  for _, source in ipairs(entry.sources) do
    for _, value in ipairs(self:results_of(source)) do
      if is_fit(value) then
        local key = unique_key(value)
        if not met[key] then
          met[key] = true
          found[#found + 1] = value
        end
      end
    end
    if entry.first_source_only and found[1] ~= nil then
      break
    end
  end
  return found
end

function Run:holds(condition)
  local values = self:values_at(condition.path)
  if condition.values[1] == nil then
    return (values[1] ~= nil) == condition.exists
  end
  for _, value in ipairs(values) do
    for _, wanted in ipairs(condition.values) do
      if value == wanted then
        return true
      end
    end
  end
  return false
end

function Run:add(entry)
  local values = self:gathered(entry)
  if entry.many then
    if values[1] ~= nil then
      self.fields[entry.field] = array(values)
    end
  elseif values[1] ~= nil then
    self.fields[entry.field] = values[1]
  elseif not is_null(entry.other) then
    self.fields[entry.field] = entry.other
  end
end

local function fields_of(plan, event, captured)
  local run = setmetatable({ plan = plan, event = event, captured = captured, fields = {}, types = {}, capped = false }, Run)
  for _, entry in ipairs(plan.entries) do
    local kind = run.fields.record_kind
    if (kind == nil or entry.kinds[kind]) and (is_null(entry.when) or run:holds(entry.when)) then
      run:add(entry)
    end
  end
  return run.fields
end

-- --- layout --------------------------------------------------------------------------------------------------

-- The event that a shipper put under one of the keys, as text or decoded; nil where there is none.
local function event_inside(record, keys)
  for _, key in ipairs(keys) do
    local value = record[key]
    if type(value) == "string" and value:find("^%s*{") then
      value = parsed(value)
    end
    if is_event(value) then
      return value
    end
  end
  return nil
end

-- A key that is there stays as it is, with null as well.
local function complete(event)
  local finding = event.detail
  local missing = { version = "0", ["detail-type"] = "GuardDuty Finding", source = "aws.guardduty", resources = array({}) }
  for key, own in pairs({ account = "accountId", region = "region", time = "updatedAt" }) do
    missing[key] = is_text(finding[own]) and finding[own] or nil
  end
  for key, value in pairs(missing) do
    if event[key] == nil then
      event[key] = value
    end
  end
end

local function laid_out(record, plan)
  local event = is_event(record) and record or event_inside(record, plan.text_keys) or record
  if not is_finding(event.detail) and is_finding(event) then
    event = object({ detail = event })
  end
  for _, key in ipairs(plan.ours) do
    event[key] = nil
  end
  if is_finding(event.detail) then
    complete(event)
  end
  return event
end

local function lay_out_for_parsers(event, plan)
  for _, regex in ipairs(plan.regexes) do
    local value = event
    for _, key in ipairs(regex.keys) do
      value = member(value, key)
    end
    if type(value) == "string" and length(value) <= plan.longest then
      event[regex.input] = value
    end
  end
end

-- --- what a record is in the cluster -------------------------------------------------------------------------

local function index_of(name, dates)
  for place = 1, 3 do
    local year, month = tostring(dates[place] or ""):match("^(%d%d%d%d)-(%d%d)")
    if year ~= nil and is_within(tonumber(month), 1, 12) then
      return name .. "-" .. year .. "." .. month
    end
  end
  return nil
end

local function update_id(event, keys)
  local id = event[keys.finding_id] or (event[keys.finding_arn] or ""):match("[^/]*$")
  if id == "" then
    return nil
  end
  local count = event[keys.event_count]
  local is_archived = event[keys.is_archived] == true
  local digits = count ~= nil and ("%d"):format(count) or ""
  return ("%s_%s_%s_%s"):format(id, event[keys.updated_at] or "", digits, tostring(is_archived))
end

-- The index and the id of a record, as guardduty-lens's own output gives them; either may be nil.
local function identity(event, plan, arrival)
  local settings = plan.identity
  local keys = settings.keys
  local kind = event[keys.record_kind]
  local time = type(event.time) == "string" and event.time or false
  if kind == "finding" then
    return index_of(settings.log, { event[keys.updated_at] or false, time, arrival }), update_id(event, keys)
  elseif kind == "api_call" and event.detail == nil and is_cloudtrail_record(event) then
    local called = type(event.eventTime) == "string" and event.eventTime or false
    return index_of(settings.cloudtrail, { called, arrival }), event.eventID
  elseif settings.kinds[kind] or event.source == "aws.guardduty" then
    return index_of(settings.log, { time, arrival }), event.id
  end
  return nil, nil
end

local function place(event, plan, arrival)
  local index, id = identity(event, plan, arrival)
  event[plan.keys.index] = index or plan.foreign
  if is_text(id) and #id <= plan.identity.longest_id then
    event[plan.keys.id] = id
  end
  return index ~= nil
end

-- The times; gives the instant at which it happened, where the record says it.
local function set_times(event, plan, now)
  local times, happened = plan.times, nil
  for _, key in ipairs(times.of) do
    if is_text(event[key]) then
      happened = instant(event[key])
      break
    end
  end
  event[times.ingested_at] = os.date("!%Y-%m-%dT%H:%M:%SZ", now)
  if happened ~= nil then
    event[times.ingest_lag_seconds] = math.floor((now - happened) * 1000 + 0.5) / 1000
  end
  return happened
end

-- --- the plan, read once -------------------------------------------------------------------------------------

local function read_plan()
  local folder = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or ""
  local path = folder .. "guardduty-plan.json"
  local file, problem = io.open(path, "rb")
  if file == nil then
    error("guardduty-lens: the plan cannot be read: " .. problem)
  end
  local text = file:read("*a")
  file:close()
  local plan, why = parsed(text)
  if plan == nil then
    error("guardduty-lens: " .. path .. " is no plan: " .. tostring(why))
  end
  return plan
end

local function made_ready(plan)
  plan.spellings = { names = plan.words.names, namespaces = set_of(plan.words.namespaces) }
  plan.identity.kinds = set_of(plan.identity.kinds)
  plan.added = {}
  for _, entry in ipairs(plan.entries) do
    entry.kinds = set_of(entry.kinds)
    if not is_null(entry.key) then
      plan.added[entry.field] = entry.key
    end
  end
  return plan
end

local PLAN = made_ready(read_plan())

local function with_fields(event, captured, ts)
  for field, value in pairs(fields_of(PLAN, event, captured)) do
    local key = PLAN.added[field]
    if key ~= nil then
      event[key] = value
    end
  end
  local now = os.time()
  local happened = set_times(event, PLAN, now)
  local is_ours = place(event, PLAN, os.date("!%Y-%m", now))
  if is_ours and happened ~= nil then
    event["@timestamp"] = nil
    return 1, happened, event
  end
  return 1, ts, event
end

-- --- what Fluent Bit calls -----------------------------------------------------------------------------------

-- All at once, for a catalogue without regexes.
function enrich(_, ts, record)
  return with_fields(laid_out(record, PLAN), {}, ts)
end

-- The first of two steps: the layout, and what Fluent Bit's parsers are to read.
function lay_out(_, ts, record)
  local event = laid_out(record, PLAN)
  for _, key in ipairs(PLAN.temporary) do
    event[key] = nil
  end
  lay_out_for_parsers(event, PLAN)
  return 1, ts, event
end

-- The second: the fields, with what the parsers captured.
function add_fields(_, ts, event)
  local captured = {}
  for _, key in ipairs(PLAN.temporary) do
    captured[key] = event[key]
    event[key] = nil
  end
  return with_fields(event, captured, ts)
end
