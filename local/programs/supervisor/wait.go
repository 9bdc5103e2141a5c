package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

const pollInterval = 50 * time.Millisecond

// A readiness question carries no secret and the answer is not trusted with
// one, so the server's certificate is not checked here.
var probe = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

// waitFor returns once the address answers. It never gives up: who started the
// stage has the deadline.
func waitFor(address string) error {
	target, err := url.Parse(address)
	if err != nil {
		return err
	}
	for !answers(target) {
		time.Sleep(pollInterval)
	}
	return nil
}

func answers(target *url.URL) bool {
	if target.Scheme == "https" {
		response, err := probe.Get(target.String())
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	connection, err := net.DialTimeout(target.Scheme, target.Host+target.Path, time.Second)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
