// Package child spawns a plugin, drains its standard error, and ends it with bounded waits.
package child

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	tailLines = 20
	lineMax   = 4096

	// terminating is how long a child may take to end after TERM.
	terminating = 2 * time.Second
	// draining is how long to wait for the rest of standard error: a grandchild may hold it open.
	draining = time.Second
)

// Process is a spawned child. Sink and Source are this side's ends of its standard input and output, and
// belong to whoever started it.
type Process struct {
	Sink   *os.File
	Source *os.File

	cmd    *exec.Cmd
	exited chan struct{}

	mu   sync.Mutex
	tail []string
}

// Start spawns command. In a group of its own Ctrl-C on the terminal does not reach it. line gets each line
// of its standard error, from one goroutine.
func Start(command []string, ownGroup bool, line func(string)) (*Process, error) {
	p := &Process{cmd: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	if ownGroup {
		setGroup(p.cmd)
	}
	var theirs, ours []*os.File
	defer func() { closeAll(theirs) }()
	for i := range 3 {
		read, write, err := os.Pipe()
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		if i == 0 {
			theirs, ours = append(theirs, read), append(ours, write)
		} else {
			theirs, ours = append(theirs, write), append(ours, read)
		}
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs[0], theirs[1], theirs[2]
	if err := p.cmd.Start(); err != nil {
		closeAll(ours)
		return nil, err
	}
	p.Sink, p.Source = ours[0], ours[1]
	drained := make(chan struct{})
	go func() {
		p.drain(ours[2], line)
		close(drained)
	}()
	go p.wait(ours[2], drained)
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed once the child has ended and its standard error was read.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// State is how the child has ended, nil while it has not, after waiting for that as long as patience says.
func (p *Process) State(patience time.Duration) *os.ProcessState {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.exited:
		return p.cmd.ProcessState
	case <-timer.C:
		return nil
	}
}

// Tail is the last lines of standard error.
func (p *Process) Tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

// End waits patience for the child to end by itself, then terminates it, then kills it.
func (p *Process) End(patience time.Duration) *os.ProcessState {
	if state := p.State(patience); state != nil {
		return state
	}
	terminate(p.cmd.Process)
	if state := p.State(terminating); state != nil {
		return state
	}
	p.Kill()
	<-p.exited
	return p.cmd.ProcessState
}

// Kill ends the child at once; that it has ended already is no error.
func (p *Process) Kill() { _ = p.cmd.Process.Kill() }

func (p *Process) wait(stderr *os.File, drained <-chan struct{}) {
	_ = p.cmd.Wait() // the state says it all
	timer := time.NewTimer(draining)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	_ = stderr.Close()
	close(p.exited)
}

// drain reads standard error to its end. Overlong lines are cut.
func (p *Process) drain(stderr io.Reader, line func(string)) {
	reader := bufio.NewReaderSize(stderr, lineMax)
	for {
		text, more, err := reader.ReadLine()
		if err != nil {
			return
		}
		entry := strings.ToValidUTF8(string(text), "\uFFFD")
		for more && err == nil {
			_, more, err = reader.ReadLine()
		}
		p.mu.Lock()
		if len(p.tail) == tailLines {
			p.tail = p.tail[1:]
		}
		p.tail = append(p.tail, entry)
		p.mu.Unlock()
		line(entry)
	}
}

func closeAll(files []*os.File) {
	for _, file := range files {
		_ = file.Close()
	}
}
