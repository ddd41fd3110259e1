package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"udist.dev/plugin/udist"
)

// driver carries out commands in their order. Only start waits for what it leads to.
type driver struct {
	plugin    *udist.Plugin
	exchanges map[string]*exchange
}

// least is how many words each command has at least.
var least = map[string]int{
	"start": 1, "share": 1, "exchange": 4, "open": 5, "write": 2, "end": 1, "read": 2, "cancel": 1, "close": 0,
}

// do carries out the command in words. The error says that the words are not a command's.
func (d *driver) do(words []string) (err error) {
	for i := range words {
		if words[i], err = unquote(words[i]); err != nil {
			return err
		}
	}
	command, words := words[0], words[1:]
	switch count, known := least[command]; {
	case !known:
		report("unsupported", command)
	case len(words) < count:
		return errors.New("words are missing")
	case command == "start":
		d.start(words, udist.FilesIfFound)
	case command == "share":
		d.start(words, udist.FilesAlways)
	case command == "close":
		go closePlugin(d.plugin)
	case d.plugin == nil: // start has reported why
	case command == "exchange":
		d.exchange(words[0], words[1], words[2], words[3], words[4:])
	case command == "open":
		d.open(words[0], words[1], words[2], words[3], words[4], words[5:])
	default:
		return d.goOn(command, words[0], words[1:])
	}
	return nil
}

// start waits until the plugin is ready. Before that, the client has nothing to send requests with.
func (d *driver) start(command []string, files udist.FileSharing) {
	plugin, err := udist.Spawn(context.Background(), udist.Config{Command: command, Files: files})
	if err != nil {
		code, _ := codeOf(err)
		report("failed", code, err.Error())
	}
	d.plugin = plugin
	clear(d.exchanges)
}

func closePlugin(plugin *udist.Plugin) {
	if plugin != nil {
		if err := plugin.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	report("closed")
}

// exchange sends a request with all its content at once, and reads the whole response.
func (d *driver) exchange(id, method, target, length string, fields []string) {
	length, offset, inFile := strings.Cut(length, "@")
	request, err := newRequest(method, target, length, fields)
	if err == nil && inFile {
		request.Body, err = fileWith(request.ContentLength, offset)
	} else if err == nil && length != "-" {
		request.Body = io.NopCloser(bytes.NewReader(pattern(0, int(request.ContentLength))))
	}
	if err != nil {
		reportError(id, err)
		return
	}
	e := newExchange(id, 0)
	d.exchanges[id] = e
	e.reads <- all
	go e.receive(d.plugin.RoundTripper(), request)
}

// open sends a request's head. Its content and the response's are left to other commands.
func (d *driver) open(id, method, target, length, timeout string, fields []string) {
	request, err := newRequest(method, target, length, fields)
	milliseconds, err2 := strconv.Atoi(timeout)
	if err := cmp.Or(err, err2); err != nil {
		reportError(id, err)
		return
	}
	e := newExchange(id, time.Duration(milliseconds)*time.Millisecond)
	d.exchanges[id] = e
	if length != "-" {
		content := newContent(request)
		go e.send(content)
	}
	go e.receive(d.plugin.RoundTripper(), request)
}

// goOn carries out a command for an exchange that has begun.
func (d *driver) goOn(command, id string, words []string) error {
	e := d.exchanges[id]
	if e == nil {
		return errors.New("there is no such exchange")
	}
	switch command {
	case "cancel":
		e.cancel()
		e.reads <- all // whose failure is reported, unless another read waits
	case "end":
		e.writes <- write{trailers: words, last: true}
	case "write":
		count, err := strconv.Atoi(words[0])
		e.writes <- write{count: count}
		return err
	case "read":
		if words[0] == "*" {
			e.reads <- all
			return nil
		}
		count, err := strconv.ParseInt(words[0], 10, 64)
		e.reads <- count
		return err
	}
	return nil
}
