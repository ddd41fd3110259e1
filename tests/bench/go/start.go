package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	starting = 20 * time.Second
	stopping = 10 * time.Second
	asking   = 500 * time.Microsecond // the interval of polling
)

// startInTurns times each peer from spawn or exec to its first 200. The processor time is that of the new process
// alone, because this one has to poll a registry until it listens.
func startInTurns(arguments []string, rounds int) (map[string]*result, error) {
	results := map[string]*result{}
	for round := range rounds + 1 {
		for _, argument := range arguments {
			name, _, _ := strings.Cut(argument, "=")
			took, spent, err := start(argument)
			if err != nil {
				return nil, fmt.Errorf("start of %s: %w", name, err)
			}
			if results[name] == nil {
				results[name] = &result{}
			}
			if round > 0 {
				results[name].add(spent, took)
			}
		}
	}
	return results, nil
}

func start(argument string) (took, spent time.Duration, err error) {
	begun := time.Now()
	name, address, _ := strings.Cut(argument, "=")
	command, executed := strings.CutPrefix(address, "exec:")
	var p *peer
	if executed {
		p, err = execute(name, strings.Fields(command))
	} else {
		p, err = open(argument)
	}
	if err != nil {
		return 0, 0, err
	}
	defer p.close()
	for {
		response, err := p.client.Get(p.base + "/v2/")
		if err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return 0, 0, fmt.Errorf("GET /v2/: %s", response.Status)
			}
			return time.Since(begun), processor(p.pid), nil
		}
		if !executed || time.Since(begun) > starting {
			return 0, 0, err
		}
		time.Sleep(asking)
	}
}

// execute starts a registry that is going to listen at words[0].
func execute(name string, words []string) (*peer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, words[1], words[2:]...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopping
	if err := command.Start(); err != nil {
		cancel()
		return nil, err
	}
	p := listening(name, words[0])
	p.pid = command.Process.Pid
	p.close = func() {
		cancel()
		_ = command.Wait()
	}
	return p, nil
}
