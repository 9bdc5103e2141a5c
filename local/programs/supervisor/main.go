// Command supervisor runs a whole stage in namespaces of its own.
//
//	supervisor certificates REQUEST.json   write a certificate authority and what it signs
//	supervisor start STAGE.json            start the stage, print {"pid", "ports"}, return
//	supervisor init STAGE.json             process 1 inside the namespaces (started by start); on SIGHUP
//	                                       it starts the components that the file has got since
//
// It is one small program instead of unshare, socat and a shell because the
// listening socket has to be opened outside the namespaces and served inside
// them, and because process 1 has to reap what containers leave behind.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: supervisor certificates|start|init FILE.json, got %d arguments", len(os.Args)-1))
	}
	command, file := os.Args[1], os.Args[2]
	switch command {
	case "certificates":
		var request certificateRequest
		readJSON(file, &request)
		fail(writeCertificates(request))
	case "start":
		var stage stage
		readJSON(file, &stage)
		fail(start(stage, file))
	case "init":
		var stage stage
		readJSON(file, &stage)
		fail(runInit(stage, file))
	default:
		fail(fmt.Errorf("unknown command %q: use certificates, start or init", command))
	}
}

func readJSON(file string, into any) {
	content, err := os.ReadFile(file)
	fail(err)
	if err := json.Unmarshal(content, into); err != nil {
		fail(fmt.Errorf("%s: %w", file, err))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
