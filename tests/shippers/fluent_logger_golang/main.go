// Sends lines of standard input as records by fluent-logger-golang, acknowledged, and says how many were.
//
//	go run . PORT < events
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	fail(err)
	logger, err := fluent.New(fluent.Config{FluentPort: port, FluentHost: "127.0.0.1", RequestAck: true, MaxRetry: 2})
	fail(err)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16*1024*1024)
	acknowledged := 0
	for lines.Scan() {
		var record map[string]interface{}
		fail(json.Unmarshal(lines.Bytes(), &record))
		fail(logger.Post("app.guardduty", record))
		acknowledged++
	}
	fail(lines.Err())
	fail(logger.Close())
	fmt.Println(acknowledged)
}
