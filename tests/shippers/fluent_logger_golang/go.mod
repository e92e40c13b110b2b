module guardduty-lens/tests/shippers/fluent_logger_golang

go 1.23.5

require github.com/fluent/fluent-logger-golang v1.10.0

require (
	github.com/philhofer/fwd v1.1.3-0.20240916144458-20a13a1f6b7c // indirect
	github.com/tinylib/msgp v1.3.0 // indirect
)
