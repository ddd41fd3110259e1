// Package child spawns a plugin, reads its standard error, and stops it in bounded time.
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

	// terminating is how long a child may take to exit after SIGTERM, and again after SIGKILL, which does not reach
	// a child that runs as another user.
	terminating = 2 * time.Second
	// draining limits how long the rest of standard error is read after the child's exit: a grandchild may keep
	// writing to it.
	draining = time.Second
)

// Process is a spawned child. Sink and Source are this side's ends of its standard input and output. The caller of
// Start must close them.
type Process struct {
	Sink   *os.File
	Source *os.File

	pid    int
	exited chan struct{}
	state  *os.ProcessState // set before exited is closed

	mu   sync.Mutex
	cmd  *exec.Cmd // nil once the child has exited, because its process ID may be reused
	tail []string
}

// Start spawns command. With ownGroup, Ctrl-C on the terminal does not reach it. line is called with each line of its
// standard error, from one goroutine.
func Start(command []string, ownGroup bool, line func(string)) (*Process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	if ownGroup {
		setGroup(cmd)
	}
	var theirs, ours []*os.File
	defer func() { closeAll(theirs) }()
	for _, open := range []func() (*os.File, *os.File, error){input, output, os.Pipe} {
		our, their, err := open()
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		theirs, ours = append(theirs, their), append(ours, our)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs[0], theirs[1], theirs[2]
	if err := cmd.Start(); err != nil {
		closeAll(ours)
		return nil, err
	}
	p := &Process{Sink: ours[0], Source: ours[1], cmd: cmd, pid: cmd.Process.Pid, exited: make(chan struct{})}
	stderr := &stderr{file: ours[2]}
	drained := make(chan struct{})
	go func() {
		p.drain(stderr, line)
		close(drained)
	}()
	go p.wait(cmd, stderr, drained)
	return p, nil
}

// PID returns the child's process ID.
func (p *Process) PID() int { return p.pid }

// Exited returns a channel that is closed once the child has exited and its standard error has been read.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Await waits up to patience for the child to exit.
func (p *Process) Await(patience time.Duration) Ending {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.exited:
	default:
		select {
		case <-p.exited:
		case <-timer.C:
			return Ending{}
		}
	}
	return Ending{Ended: true, State: p.state}
}

// Tail returns the last lines of standard error.
func (p *Process) Tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

// End waits up to patience for the child to exit on its own, then sends SIGTERM, then kills it.
func (p *Process) End(patience time.Duration) Ending {
	ending := p.Await(patience)
	for _, send := range []func(*os.Process){terminate, kill} {
		if !ending.Ended {
			p.signal(send)
			ending = p.Await(terminating)
			ending.Forced = true
		}
	}
	return ending
}

// Kill kills the child, if it is still running.
func (p *Process) Kill() { p.signal(kill) }

func kill(process *os.Process) { _ = process.Kill() }

func (p *Process) signal(send func(*os.Process)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		send(p.cmd.Process)
	}
}

// wait waits for the child to exit. If another part of the program has reaped the child, Wait returns an error; the
// child has exited all the same.
func (p *Process) wait(cmd *exec.Cmd, stderr *stderr, drained <-chan struct{}) {
	_ = cmd.Wait()
	p.mu.Lock()
	p.cmd = nil
	p.mu.Unlock()
	if p.state = cmd.ProcessState; p.state == nil {
		_ = cmd.Process.Release()
	}
	stderr.end()
	timer := time.NewTimer(draining)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	_ = stderr.file.Close()
	close(p.exited)
}

// drain reads standard error until it ends, and truncates long lines.
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
