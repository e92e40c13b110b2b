# Runs any plan in Logstash's `ruby` filter: the fixed interpreter, with the plan as data in the file that
# `script_params => { "plan" => PATH }` names. What every word of a plan means is said by guardduty-lens's
# engine/oracle.py and catalogue/operations/; the same interpreter in Painless is compilers/opensearch/.
#
# Nothing of a plan or of an event is ever run as code. Nothing is kept between events but the plan.

require "date"
require "json"
require "set"

module GuarddutyLens
  # What more than one part needs.
  module Values
    module_function

    def text?(value)
      value.is_a?(String) && !value.empty?
    end

    def number?(value)
      value.is_a?(Numeric) && value.finite?
    end

    def integral?(value)
      number?(value) && value.to_f.abs < 9_007_199_254_740_992.0 && value.to_f.round == value
    end

    def in?(value, least, most)
      value >= least && value <= most
    end

    def geo_point?(value)
      value.is_a?(Hash) && value.size == 2 &&
        number?(value["lat"]) && in?(value["lat"], -90, 90) &&
        number?(value["lon"]) && in?(value["lon"], -180, 180)
    end

    def of_type?(type, value)
      case type
      when "text" then text?(value)
      when "boolean" then value == true || value == false
      when "geo_point" then geo_point?(value)
      when "double" then number?(value)
      when "byte" then integral?(value) && in?(value, -128, 127)
      when "long" then integral?(value)
      else integral?(value) && in?(value, -2_147_483_648, 2_147_483_647)
      end
    end

    # What makes a checked value unique: 8 is 8.0, and 0 is -0.0.
    def unique_key(value)
      case value
      when Numeric then value.to_f + 0.0
      when Hash then [unique_key(value["lat"]), unique_key(value["lon"])]
      else value
      end
    end

    def same?(value, wanted)
      return value.to_f == wanted.to_f if value.is_a?(Numeric) && wanted.is_a?(Numeric)

      value.class == wanted.class && value == wanted
    end

    # A finding in AWS's camelCase: type, id or arn, and two more marks.
    def finding?(value)
      return false unless value.is_a?(Hash) && text?(value["type"])
      return false unless text?(value["id"]) || text?(value["arn"])

      %w[service resource severity schemaVersion accountId].count { |key| !value[key].nil? } >= 2
    end

    def cloudtrail_record?(value)
      source = value["eventSource"]
      source.is_a?(String) && source.end_with?(".amazonaws.com") &&
        text?(value["eventVersion"]) && text?(value["eventName"])
    end

    # The value at a path of keys alone; nil equals missing at every step.
    def at(root, keys)
      keys.reduce(root) { |node, key| node.is_a?(Hash) ? node[key] : nil }
    end

    # The value of a JSON text, or nil where it is none. Ruby's parser lets comments pass, and we do not.
    def parsed(text)
      return nil if comment?(text)

      JSON.parse(text, max_nesting: 1_000, create_additions: false)
    rescue JSON::ParserError, JSON::NestingError, EncodingError
      nil
    end

    def comment?(text)
      text.gsub(/"(?:[^"\\]|\\.)*"/m, '""').include?("/")
    end
  end

  # Dates as GuardDuty and those who pass its findings on write them.
  module Dates
    DATE = /\A(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s?[Zz]|([+-])(\d\d):?(\d\d))?)?\z/.freeze

    module_function

    # The instant that a date says, without an offset in UTC; nil where it is none.
    def instant(text)
      match = DATE.match(text)
      return nil if match.nil?

      year, month, day, hour, minute, second = match.captures.first(6).map(&:to_i)
      return nil unless Date.valid_civil?(year, month, day) && hour < 24 && minute < 60 && second < 60

      east = (match[9].to_i * 60 + match[10].to_i) * (match[8] == "-" ? -60 : 60)
      Time.utc(year, month, day, hour, minute, second + Rational("0.#{match[7] || 0}")) - east
    end

    def iso(time)
      time.utc.strftime("%Y-%m-%dT%H:%M:%S.%LZ")
    end
  end

  # Finding types: cuts at literals.
  class TypeGrammar
    WORD = /[A-Za-z][A-Za-z0-9]*/.freeze
    BLANK = /[ \t\n\v\f\r]/.freeze
    FAMILY = /[^ \t\n\v\f\r.!\/][^\n]*/.freeze

    def initialize(words)
      @names = words["names"]
      @namespaces = words["namespaces"]
    end

    # A finding type's canonical spelling and its parts; parts that are not there, or empty, are left out.
    def parts(text)
      canonical = canonical(text)
      found = { "canonical" => canonical }
      match = /\A(#{WORD}):(#{WORD})\/([^.!\/ \t\n\v\f\r]+)(?:\.([^! \t\n\v\f\r]+))?(?:!([^ \t\n\v\f\r]+))?\z/.match(canonical)
      return found if match.nil?

      found["purpose"], found["resource"], found["family"] = match[1], match[2], match[3]
      found["variant"] = match[4] unless match[4].nil?
      found["artifact"] = match[5] unless match[5].nil?
      found
    end

    private

    def canonical(text)
      spelled = text.gsub("&amp;", "&").gsub('\u0026', "&")
      from_old_spelling(spelled) || from_security_hub(spelled)
    end

    # Fixtures of 2018 have a blank where the slash belongs.
    def from_old_spelling(text)
      match = /\A(#{WORD}:#{WORD}) (#{FAMILY})\z/.match(text)
      match && "#{match[1]}/#{match[2]}"
    end

    def from_security_hub(text)
      return @names[text] if @names.key?(text)

      namespace, rest = text.split("/", 2)
      return text if rest.nil? || !@namespaces.include?(namespace)

      category, below = rest.split("/", 2)
      if !below.nil? && !category.empty? && !category.include?(":")
        found = from_below(below, category.delete(" "), text)
        return found unless found.nil?
      end
      from_below(rest, "", text) || text
    end

    # Security Hub's [Purpose:]Resource-Family, below the category; nil where it is none.
    def from_below(below, category, whole)
      match = /\A(?:(#{WORD}):)?(#{WORD})[-\/.](#{FAMILY})\z/.match(below)
      return nil if match.nil?

      named = !match[1].nil?
      family = named && category == "AnomalousBehavior" ? "#{category}.#{match[3]}" : match[3]
      purpose = named ? match[1] : category
      purpose.empty? ? whole : "#{purpose}:#{match[2]}/#{family}"
    end
  end

  # Operations on one value; nil is nothing.
  module Operations
    module_function

    def part(text, delimiters, wanted)
      start = current = 0
      found = nil
      delimiters.each_with_index do |delimiter, number|
        at = text.index(delimiter["text"], start)
        return nil if at.nil? && !delimiter["optional"]
        next if at.nil?

        found = text[start...at] if current == wanted - 1
        start = at + delimiter["text"].length
        current = number + 1
      end
      current == wanted - 1 ? text[start..] : found
    end

    def band(score, bands, other)
      found = bands.find do |band|
        (band["at_least"].nil? || score >= band["at_least"]) && (band["above"].nil? || score > band["above"]) &&
          (band["below"].nil? || score < band["below"]) && (band["at_most"].nil? || score <= band["at_most"])
      end
      found.nil? ? other : found["label"]
    end

    def joined_leaves(element, operation)
      texts = operation["leaves"].map do |leaf|
        value = element[leaf["path"]]
        there = Values.text?(value)
        return nil if leaf["required"] && !there

        there ? value : ""
      end
      texts.join(operation["text"])
    end

    def object_of_leaves(element, leaves)
      leaves.each_with_object({}) do |leaf, made|
        value = element[leaf["path"]]
        return nil if value.nil? && leaf["required"]

        made[leaf["name"]] = value unless value.nil?
      end
    end

    # A number as it is, or a text of at most 3 digits, a dot and at most 6 digits.
    def number(value)
      return (value if Values.number?(value)) unless value.is_a?(String)

      value.match?(/\A[0-9]{1,3}(\.[0-9]{1,6})?\z/) ? value.to_f : nil
    end

    def cased(text, to)
      to == "lower" ? text.tr("A-Z", "a-z") : text.tr("a-z", "A-Z")
    end

    def percent_encoded(text)
      text.b.gsub(/[^A-Za-z0-9\-._~]/n) { |octet| format("%%%02X", octet.ord) }.force_encoding("UTF-8")
    end
  end

  # One event's way through a plan.
  class Run
    attr_reader :fields

    def initialize(plan, event)
      @plan = plan
      @event = event
      @fields = {}
      @types = {}
      @capped = false
    end

    def run
      @plan["entries"].each do |entry|
        kind = @fields["record_kind"]
        next unless (kind.nil? || entry["kinds"].include?(kind)) && (entry["when"].nil? || holds?(entry["when"]))

        add(entry)
      end
      self
    end

    private

    def add(entry)
      values = gathered(entry)
      value = if values.empty?
                entry["many"] ? nil : entry["other"]
              else
                entry["many"] ? values : values.first
              end
      @fields[entry["field"]] = value unless value.nil?
    end

    # The values that pass the type's check, unique, in the order met.
    def gathered(entry)
      found = []
      met = Set.new
      entry["sources"].each do |source|
        results_of(source).each do |value|
          found << value if Values.of_type?(entry["type"], value) && met.add?(Values.unique_key(value))
        end
        return found if entry["first_source_only"] && !found.empty?
      end
      found
    end

    def holds?(condition)
      values = values_at(condition["path"])
      return values.empty? != condition["exists"] if condition["values"].empty?

      values.any? { |value| condition["values"].any? { |wanted| Values.same?(value, wanted) } }
    end

    def results_of(source)
      case source["operation"]
      when "path" then inputs_of(source)
      when "kind" then [kind_of(source["kinds"])]
      when "template" then [first_filled(source["templates"])].compact
      when "constant" then [source["value"]]
      when "warnings" then warnings
      else inputs_of(source).flat_map { |value| applied(source, value) }
      end
    end

    # The values that a source's operation is applied to; several paths are one text, joined by slashes.
    def inputs_of(source)
      paths = source["paths"]
      return values_at(paths.first) if paths.size == 1

      # All are looked at, so that what is capped is told whichever of them is missing.
      parts = paths.map { |path| values_at(path).first }
      parts.all?(String) ? [parts.join("/")] : []
    end

    # What an operation makes of one value: an array of results.
    def applied(source, value)
      name = source["operation"]
      case name
      when "lookup" then value.is_a?(String) ? looked_up(source, value) : []
      when "parse_json" then value.is_a?(String) ? in_text(value, source) : []
      else [one(name, source, value)].compact
      end
    end

    def looked_up(source, value)
      table = source["entries"] || @plan["tables"][source["table"]]
      table.fetch(value, source["other"])
    end

    def one(name, source, value)
      case name
      when "number" then Operations.number(value)
      when "bands" then Values.number?(value) ? Operations.band(value, source["bands"], source["other"]) : nil
      when "objects" then leaves(source, value)
      when "except" then value unless source["without"].include?(value)
      when "text" then as_text(value)
      else value.is_a?(String) ? of_text(name, source, value) : nil
      end
    end

    def as_text(value)
      return value if value.is_a?(String)

      Values.integral?(value) ? value.to_i.to_s : nil
    end

    def leaves(source, value)
      return nil unless value.is_a?(Hash)

      source["text"].nil? ? Operations.object_of_leaves(value, source["leaves"]) : Operations.joined_leaves(value, source)
    end

    def of_text(name, source, value)
      case name
      when "finding_type" then type_parts(value)[source["part"]]
      when "split" then Operations.part(value, source["at"], source["part"])
      when "case" then Operations.cased(value, source["to"])
      when "regex" then captured(source, value)
      end
    end

    # One named group of a pattern that matches the whole text.
    def captured(source, value)
      return nil if value.length > source["longest"]

      match = source["compiled"].match(value)
      match && match[source["group"]]
    end

    def type_parts(text)
      @types[text] ||= @plan["grammar"].parts(text)
    end

    # The values at a path in a JSON text; arrays in it are bounded, and do not count as capped.
    def in_text(text, source)
      value = Values.parsed(text)
      return [] if value.nil?

      before = @capped
      found = walked(value, source["steps"])
      @capped = before
      found
    end

    def values_at(path)
      if path.key?("field")
        value = @fields[path["field"]]
        return value.nil? ? [] : Array(value.is_a?(Hash) ? [value] : value)
      end
      return walked(@event, path["steps"]) unless path.key?("keys")

      [Values.at(@event, path["keys"])].compact
    end

    def walked(root, steps)
      steps.reduce([root]) { |nodes, step| stepped(nodes, step) }
    end

    # One step: a text is a key, [] every element, [key, text] the elements whose member is that text.
    def stepped(nodes, step)
      return nodes.map { |node| node.is_a?(Hash) ? node[step] : nil }.compact if step.is_a?(String)

      elements_of(nodes).select do |node|
        !node.nil? && (step.empty? || (node.is_a?(Hash) && node[step[0]].is_a?(String) && node[step[0]] == step[1]))
      end
    end

    # The elements that one array step looks at, over all the arrays that reach it, up to the limit.
    def elements_of(nodes)
      limit = @plan["fan_out"]
      arrays = nodes.select { |node| node.is_a?(Array) }
      @capped = true if arrays.sum(&:size) > limit
      arrays.reduce([]) { |taken, array| taken.concat(array.first(limit - taken.size)) }
    end

    def kind_of(kinds)
      return "finding" if Values.finding?(@event["detail"])

      source, detail_type = @event["source"], @event["detail-type"]
      if source.is_a?(String) && detail_type.is_a?(String)
        kind = kind_of_detail_type(source, detail_type, kinds)
        return kind unless kind.nil?
      end
      return "other_aws" if source.is_a?(String) && source.start_with?("aws.")
      return "api_call" if Values.cloudtrail_record?(@event)

      event_source = @event["eventSource"]
      event_source.is_a?(String) && event_source.start_with?("aws:") ? "other_aws" : "other"
    end

    def kind_of_detail_type(source, detail_type, kinds)
      return "api_call" if detail_type.end_with?(" via CloudTrail")
      return kinds[detail_type] if source == "aws.guardduty" && kinds.key?(detail_type)

      detail = @event["detail"]
      "health" if source == "aws.health" && detail.is_a?(Hash) && detail["service"] == "GUARDDUTY"
    end

    def first_filled(templates)
      templates.each do |template|
        text = filled(template)
        return text unless text.nil?
      end
      nil
    end

    def filled(template)
      text = template["parts"].map do |part|
        value = @fields[part["field"]]
        return nil unless value.is_a?(String)

        part["before"] + (part["url"] ? Operations.percent_encoded(value) : value)
      end
      text.join + template["tail"]
    end

    def warnings
      return [] unless @fields["record_kind"] == "finding"

      score = @fields["severity_score"]
      codes = []
      codes << "type_not_parsed" unless type_parts(@event["detail"]["type"]).key?("purpose")
      codes << "severity_unusable" if score.nil? || !Values.in?(score, 0, 10)
      codes << "fan_out_capped" if @capped
      guessed = @event["detail-type"] != "GuardDuty Finding" || @event["source"] != "aws.guardduty"
      codes << "kind_guessed" if guessed
      codes << "asff_partial" if @event["asff"].is_a?(Hash)
      codes
    end
  end

  # What becomes of an event: its members, the added ones by their keys, and where it belongs. Index and id may
  # be nil, and `happened` is the instant that the event says, or nil.
  Outcome = Struct.new(:members, :added, :index, :id, :happened)

  # A plan as it is read from its file, made ready; then events, one by one.
  class Lens
    def initialize(plan)
      @plan = plan.merge("grammar" => TypeGrammar.new(plan["words"]))
      @plan["entries"].each { |entry| entry["sources"].each { |source| make_ready(source) } }
      @ours = Set.new(plan["ours"])
    end

    def outcome(document, now)
      event = laid_out(document)
      added = fields(event)
      index, id = identity(event, added, Dates.iso(now))
      happened = happened(event, added)
      times = @plan["times"]
      added[times["ingested_at"]] = Dates.iso(now)
      added[times["ingest_lag_seconds"]] = (now.to_r - happened.to_r).to_f.round(3) unless happened.nil?
      Outcome.new(event, added, index, id, index && happened)
    end

    private

    # Give the event in EventBridge's layout, without keys of ours.
    def laid_out(document)
      event = event?(document) ? document : (event_inside(document) || document)
      event = { "detail" => event } if !Values.finding?(event["detail"]) && Values.finding?(event)
      event = event.reject { |key, _| @ours.include?(key) }
      Values.finding?(event["detail"]) ? complete(event) : event
    end

    # Give the added fields by their keys.
    def fields(event)
      found = Run.new(@plan, event).run.fields
      @plan["entries"].each_with_object({}) do |entry, made|
        made[entry["key"]] = found[entry["field"]] if !entry["key"].nil? && found.key?(entry["field"])
      end
    end

    # Give the index and the id of a record, as guardduty-lens's own output does; either may be nil.
    def identity(event, fields, arrival)
      settings = @plan["identity"]
      keys = settings["keys"]
      case fields[keys["record_kind"]]
      when "finding"
        [index(settings["log"], fields[keys["updated_at"]], event["time"], arrival), id(update_id(fields, keys))]
      when "api_call"
        return [index(settings["log"], event["time"], arrival), id(event["id"])] if event.key?("detail") || !Values.cloudtrail_record?(event)

        [index(settings["cloudtrail"], event["eventTime"], arrival), id(event["eventID"])]
      when *settings["kinds"]
        [index(settings["log"], event["time"], arrival), id(event["id"])]
      else
        event["source"] == "aws.guardduty" ? [index(settings["log"], event["time"], arrival), id(event["id"])] : [nil, nil]
      end
    end

    def happened(event, added)
      texts = @plan["times"]["of"].map { |key| added[key] || event[key] }
      text = texts.find { |value| Values.text?(value) }
      text && Dates.instant(text)
    end

    def index(name, *dates)
      month = dates.find { |date| date.is_a?(String) && date.match?(/\A[0-9]{4}-(0[1-9]|1[0-2])/) }
      "#{name}-#{month[0, 7].tr('-', '.')}"
    end

    def id(text)
      text if Values.text?(text) && text.bytesize <= @plan["identity"]["longest_id"]
    end

    def update_id(fields, keys)
      id = fields[keys["finding_id"]] || fields[keys["finding_arn"]].to_s.rpartition("/").last
      return nil if id.empty?

      count = fields[keys["event_count"]]
      "#{id}_#{fields[keys['updated_at']]}_#{count.nil? ? '' : count.to_i}_#{fields[keys['is_archived']] == true}"
    end

    def make_ready(source)
      return unless source["operation"] == "regex"

      source["compiled"] = Regexp.new("\\A(?:#{source['pattern']})\\z")
    end

    def event?(value)
      return false unless value.is_a?(Hash)

      detail = value["detail"]
      envelope = detail.is_a?(Hash) && (value.key?("detail-type") || value.key?("source"))
      Values.finding?(detail) || Values.finding?(value) || envelope || Values.cloudtrail_record?(value)
    end

    # The event that a shipper put under one of the keys, as text or decoded; nil where there is none.
    def event_inside(document)
      @plan["text_keys"].each do |key|
        value = document[key]
        value = Values.parsed(value) if value.is_a?(String) && value.strip.start_with?("{")
        return value if event?(value)
      end
      nil
    end

    # A key that is there stays as it is, with nil as well.
    def complete(event)
      finding = event["detail"]
      missing = { "version" => "0", "detail-type" => "GuardDuty Finding", "source" => "aws.guardduty" }
      { "account" => "accountId", "region" => "region", "time" => "updatedAt" }.each do |key, own|
        missing[key] = finding[own] if Values.text?(finding[own])
      end
      missing["resources"] = []
      missing.merge(event)
    end
  end
end

# --- what Logstash calls ------------------------------------------------------------------------------------

def register(params)
  @lens = GuarddutyLens::Lens.new(JSON.parse(File.read(params.fetch("plan"), encoding: "UTF-8"), max_nesting: false))
end

# Keys that are Logstash's own, and stay whatever an event brings.
LOGSTASH_KEYS = %w[@timestamp @version @metadata tags].freeze

# Whether a key can be said in a field reference.
def addressable?(key)
  !LOGSTASH_KEYS.include?(key) && !key.empty? && !key.match?(/[\[\]]/)
end

def filter(event)
  document = event.to_hash.select { |key, _| addressable?(key) }
  found = @lens.outcome(document, Time.now)
  members = found.members.select { |key, _| addressable?(key) }
  # What a text holds and an event cannot stays in the text.
  (document.keys - members.keys).each { |key| event.remove("[#{key}]") } if members.size == found.members.size
  changed = members.reject { |key, value| document.key?(key) && document[key].equal?(value) }
  changed.each { |key, value| event.set("[#{key}]", value) }
  found.added.each { |key, value| event.set("[#{key}]", value) }
  event.set("[@metadata][guardduty_index]", found.index) unless found.index.nil?
  event.set("[@metadata][guardduty_id]", found.id) unless found.id.nil?
  event.set("@timestamp", LogStash::Timestamp.coerce(found.happened)) unless found.happened.nil?
  [event]
end

# --- what Logstash runs when it loads this file -------------------------------------------------------------

EXAMPLE = {
  "type" => "Recon:EC2/PortProbeUnprotectedPort", "id" => "a1", "accountId" => "111122223333", "region" => "eu-west-1",
  "severity" => 8, "updatedAt" => "2025-02-25T20:40:06.000Z",
  "service" => { "count" => 3, "archived" => false, "eventLastSeen" => "2025-02-25T20:39:00Z" }
}.freeze

test "a finding in camelCase" do
  parameters { { "plan" => File.join(File.dirname(__FILE__), "guardduty-plan.json") } }

  in_event { EXAMPLE }

  expect("stands in detail, with its fields, an index and an id") do |events|
    event = events.first
    events.size == 1 && event.get("[detail]") == EXAMPLE && event.get("[type]").nil? &&
      event.to_hash.any? { |key, value| key.end_with?("threat_purpose") && value == "Recon" } &&
      event.get("[@metadata][guardduty_index]").end_with?("guarddutylogs-2025.02") &&
      event.get("[@metadata][guardduty_id]") == "a1_2025-02-25T20:40:06.000Z_3_false"
  end
end

test "a line of a file that is a finding" do
  parameters { { "plan" => File.join(File.dirname(__FILE__), "guardduty-plan.json") } }

  in_event { { "message" => JSON.generate("detail-type" => "GuardDuty Finding", "detail" => EXAMPLE) } }

  expect("is opened") { |events| events.first.get("[detail][id]") == "a1" && events.first.get("[message]").nil? }
end

test "anything else" do
  parameters { { "plan" => File.join(File.dirname(__FILE__), "guardduty-plan.json") } }

  in_event { { "message" => "hello" } }

  expect("stays as it is, and has no index") do |events|
    events.first.get("[message]") == "hello" && events.first.get("[@metadata][guardduty_index]").nil?
  end
end
