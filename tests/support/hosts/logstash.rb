# What a script for Logstash's `ruby` filter sees of Logstash, for tests: the Event API, and how a script and
# the tests within it are loaded (logstash-filter-ruby's documentation). Never taken for Logstash itself.
#
#   ruby logstash.rb SCRIPT PLAN < events    one JSON event a line in; {"event": …, "metadata": …} a line out
#   ruby logstash.rb SCRIPT PLAN --tests     runs the script's own tests; one line for each

require "json"
require "time"

module LogStash
  class Timestamp
    def self.coerce(time)
      raise TypeError, "no time: #{time.inspect}" unless time.is_a?(Time)

      new(time)
    end

    def initialize(time)
      @time = time
    end

    def to_json(*rest)
      @time.utc.iso8601(3).to_json(*rest)
    end
  end

  class Event
    REFERENCE = /\A(?:\[[^\[\],]+\])+\z/.freeze

    attr_reader :metadata

    def initialize(members)
      @metadata = {}
      @members = { "@timestamp" => Timestamp.new(Time.at(1)), "@version" => "1" }.merge(members)
    end

    def to_hash
      @members.dup
    end

    def get(reference)
      keys_of(reference).reduce(root(reference)) { |node, key| node.is_a?(Hash) ? node[key] : nil }
    end

    def set(reference, value)
      raise TypeError, "no timestamp: #{value.inspect}" if reference.include?("@timestamp") && !value.is_a?(Timestamp)

      *above, last = keys_of(reference)
      above.reduce(root(reference)) { |node, key| node.fetch(key) }[last] = value
    end

    def remove(reference)
      *above, last = keys_of(reference)
      above.reduce(root(reference)) { |node, key| node.fetch(key) }.delete(last)
    end

    private

    def keys_of(reference)
      keys = reference.start_with?("[") ? bracketed(reference) : [reference]
      keys.first == "@metadata" ? keys.drop(1) : keys
    end

    def bracketed(reference)
      raise ArgumentError, "invalid field reference: #{reference}" unless reference.match?(REFERENCE)

      reference[1..-2].split("][", -1)
    end

    def root(reference)
      reference.start_with?("[@metadata]") ? @metadata : @members
    end
  end
end

class Context
  def logger
    self
  end
end

class Tests
  def initialize(path, name)
    @context = loaded(path, ->(*, &_) {})
    @name = name
    @outcomes = []
  end

  attr_reader :outcomes

  def parameters
    @context.register(yield)
  end

  def in_event
    @events = @context.filter(LogStash::Event.new(yield))
  end

  def expect(name)
    @outcomes << "#{yield(@events) ? 'passed' : 'failed'}: #{@name}: #{name}"
  end
end

def loaded(path, test)
  context = Context.new
  context.define_singleton_method(:test, &test)
  context.instance_eval(File.read(path), path, 1)
  context
end

script, plan, mode = ARGV
tests = []
context = loaded(script, lambda do |name, &block|
  tests << Tests.new(script, name)
  tests.last.instance_eval(&block)
end)
if mode == "--tests"
  puts tests.flat_map(&:outcomes)
else
  context.register("plan" => plan)
  $stdin.set_encoding("UTF-8").each_line do |line|
    event, = context.filter(LogStash::Event.new(JSON.parse(line, max_nesting: false)))
    puts JSON.generate({ "event" => event.to_hash, "metadata" => event.metadata }, max_nesting: 0)
  end
end
