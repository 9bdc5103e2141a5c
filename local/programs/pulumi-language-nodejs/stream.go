package main

import "sync"

// A oneAtATime keeps the writers of one stream apart: a process writes to stdout and
// stderr at once, and gRPC takes one message of a stream after the other.
type oneAtATime struct{ mutex sync.Mutex }

func (o *oneAtATime) writer(send func([]byte) error) streamWriter {
	return func(text []byte) error {
		o.mutex.Lock()
		defer o.mutex.Unlock()
		return send(text)
	}
}

// A streamWriter sends what is written to it.
type streamWriter func([]byte) error

func (send streamWriter) Write(text []byte) (int, error) {
	if err := send(text); err != nil {
		return 0, err
	}
	return len(text), nil
}
