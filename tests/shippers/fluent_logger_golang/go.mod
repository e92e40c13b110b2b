module guardduty-lens/tests/shippers/fluent_logger_golang

go 1.19

require github.com/fluent/fluent-logger-golang v1.9.0

require (
	github.com/philhofer/fwd v1.1.1 // indirect
	github.com/tinylib/msgp v1.1.6 // indirect
)
