// Command go_grpc measures the plugin's gRPC server for ../grpc_socket.py: beside a plain Go server, and a bare grpcio echo.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/goplugin"
	"udist.dev/plugin/udist/internal/pluginv1"
)

var (
	rival  = flag.String("rival", "", "serve as the rival on this socket")
	folder = flag.String("folder", "", "a folder for sockets")
	echo   = flag.String("echo", "", "the command of the bare echo, which is given a socket")
	size   = flag.Int("size", 1<<30, "bytes of a blob")
	digest = flag.String("digest", "", "of so many zeros")
	rounds = flag.Int("rounds", 5, "rounds that count")
	small  = flag.Int("small", 1000, "small requests of a round")
)

// result is of all rounds: the middle of the seconds, and of the processor seconds of both sides.
type result struct {
	Seconds   float64 `json:"seconds"`
	Processor float64 `json:"processor"`
}

// peer is a server that takes part in a measurement.
type peer struct {
	name string
	pid  int
	act  func() error
}

func main() {
	flag.Parse()
	if *rival != "" {
		log.Fatal(serveRival(*rival))
	}
	results, err := run()
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

func run() (map[string]map[string]result, error) {
	words := strings.Fields(os.Getenv("UDIST_PLUGIN"))
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  goplugin.Handshake,
		Plugins:          goplugin.Plugins,
		Cmd:              exec.Command(words[0], append(words[1:], "--grpc")...),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	registry, err := goplugin.Dispense(protocol)
	if err != nil {
		return nil, err
	}
	pid := client.ReattachConfig().Pid
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	plain, plainPid, stop, err := connect("go", program, "-rival")
	if err != nil {
		return nil, err
	}
	defer stop()
	bare, barePid, stop, err := connect("echo", strings.Fields(*echo)...)
	if err != nil {
		return nil, err
	}
	defer stop()
	request, err := proto.Marshal(&pluginv1.RoundTripRequest{
		Head: &pluginv1.Request{Method: "GET", Scheme: "http", Authority: "localhost", Target: "/v2/"},
		End:  &pluginv1.End{},
	})
	if err != nil {
		return nil, err
	}
	hosted := protocol.(*plugin.GRPCClient).Conn
	blob := "http://localhost/v2/bench/blobs/" + *digest
	measurements := []struct {
		name  string
		peers []peer
	}{
		{"push", []peer{
			{"plugin", pid, func() error { return push(registry) }},
			{"go", plainPid, func() error { return pushToRival(plain, zeros()) }},
		}},
		{"pull", []peer{
			{"plugin", pid, func() error { return get(registry, blob, *size) }},
			{"go", plainPid, func() error { return pullFromRival(plain, *size) }},
		}},
		{"small", []peer{
			{"plugin", pid, func() error { return repeat(1, func() error { return bareCall(hosted, method, request) }) }},
			{"echo", barePid, func() error { return repeat(1, func() error { return bareCall(bare, "/Echo/Echo", request) }) }},
		}},
		{"small-package", []peer{
			{"plugin", pid, func() error { return repeat(1, func() error { return get(registry, version, 2) }) }},
			{"echo", barePid, func() error { return repeat(1, func() error { return bareCall(bare, "/Echo/Echo", request) }) }},
		}},
		{"small-16", []peer{
			{"plugin", pid, func() error { return repeat(16, func() error { return bareCall(hosted, method, request) }) }},
			{"echo", barePid, func() error { return repeat(16, func() error { return bareCall(bare, "/Echo/Echo", request) }) }},
		}},
	}
	results := map[string]map[string]result{}
	for _, each := range measurements {
		if results[each.name], err = measure(each.peers); err != nil {
			return nil, fmt.Errorf("%s: %w", each.name, err)
		}
	}
	return results, nil
}

// measure has the peers take turns; the first round does not count.
func measure(peers []peer) (map[string]result, error) {
	seconds, processor := map[string][]float64{}, map[string][]float64{}
	for round := range *rounds + 1 {
		for _, peer := range peers {
			used, started := processorTime(peer.pid), time.Now()
			if err := peer.act(); err != nil {
				return nil, fmt.Errorf("%s: %w", peer.name, err)
			}
			if round > 0 {
				seconds[peer.name] = append(seconds[peer.name], time.Since(started).Seconds())
				processor[peer.name] = append(processor[peer.name], processorTime(peer.pid)-used)
			}
		}
	}
	results := map[string]result{}
	for _, peer := range peers {
		results[peer.name] = result{middle(seconds[peer.name]), middle(processor[peer.name])}
	}
	return results, nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// connect starts a server with a socket of this name as its last argument, and connects to it.
func connect(name string, command ...string) (*grpc.ClientConn, int, func(), error) {
	path := filepath.Join(*folder, name+".sock")
	server := exec.Command(command[0], append(command[1:], path)...)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return nil, 0, nil, err
	}
	stop := func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true), grpc.MaxCallRecvMsgSize(2*message)))
	return conn, server.Process.Pid, stop, err
}

// zeros is the content of a blob.
func zeros() io.Reader { return io.LimitReader(source{}, int64(*size)) }

type source struct{}

func (source) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func push(registry http.RoundTripper) error {
	request, err := http.NewRequest("POST", "http://localhost/v2/bench/blobs/uploads/?digest="+*digest, zeros())
	if err != nil {
		return err
	}
	request.ContentLength = int64(*size)
	return finish(registry, request, 0)
}

func get(registry http.RoundTripper, url string, length int) error {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	return finish(registry, request, length)
}

func finish(registry http.RoundTripper, request *http.Request, length int) error {
	response, err := registry.RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 || n != int64(length) {
		return fmt.Errorf("status %d, %d bytes", response.StatusCode, n)
	}
	return nil
}

// repeat makes small requests with so many goroutines.
func repeat(callers int, act func() error) error {
	failures := make([]error, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for range *small / callers {
				if failures[i] = act(); failures[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

const (
	method  = "/udist.plugin.v1.PluginService/RoundTrip"
	version = "http://localhost/v2/"
)

// bareCall is a call in the shape of a small request: a message each way, and the status.
func bareCall(conn *grpc.ClientConn, method string, request []byte) error {
	stream, err := conn.NewStream(context.Background(), &description.Streams[0], method, grpc.ForceCodec(raw{}))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err != nil {
		return err
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	if err := stream.RecvMsg(&answer); err != io.EOF {
		return fmt.Errorf("not the end: %v", err)
	}
	return nil
}

// raw takes bytes for messages.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = slices.Clone(data)
	return nil
}
