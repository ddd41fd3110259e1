//go:build unix

package goplugin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"udist.dev/plugin/udist/goplugin"
)

// wait is how long a test waits for what must come.
const wait = 30 * time.Second

// TestMain also runs hosts that tests kill: see TestHostKilled. The plugin is the repository's own, unless UDIST_PLUGIN
// names one.
func TestMain(m *testing.M) {
	if os.Getenv("UDIST_TEST_HOST") != "" {
		runHost()
		return
	}
	if os.Getenv("UDIST_PLUGIN") == "" {
		repository, err := filepath.Abs("../../..")
		if err != nil {
			panic(err)
		}
		_ = os.Setenv("UDIST_PLUGIN", filepath.Join(repository, ".venv", "bin", "python")+" -m udist_plugin")
		_ = os.Setenv("PYTHONPATH", repository)
	}
	os.Exit(m.Run())
}

// program returns the plugin's command, with more arguments.
func program(arguments ...string) *exec.Cmd {
	words := append(strings.Fields(os.Getenv("UDIST_PLUGIN")), arguments...)
	command := exec.Command(words[0], words[1:]...)
	command.Env = []string{"REGISTRY_STORAGE=inmemory"}
	return command
}

// script returns the command of a Python program in testdata.
func script(name string) *exec.Cmd {
	python, _, _ := strings.Cut(os.Getenv("UDIST_PLUGIN"), " ")
	return exec.Command(python, filepath.Join("testdata", name))
}

// config returns the configuration of a host that logs to log.
func config(command *exec.Cmd, log io.Writer) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  goplugin.Handshake,
		Plugins:          goplugin.Plugins,
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: log, JSONFormat: true}),
	}
}

// host starts a plugin, which is killed at the end of the test.
func host(t *testing.T, config *plugin.ClientConfig) (*plugin.Client, *goplugin.Transport) {
	t.Helper()
	client := plugin.NewClient(config)
	t.Cleanup(client.Kill)
	return client, dispense(t, client)
}

func dispense(t *testing.T, client *plugin.Client) *goplugin.Transport {
	t.Helper()
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	transport, err := goplugin.Dispense(protocol)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// spawn starts a registry in memory.
func spawn(t *testing.T) (*plugin.Client, *goplugin.Transport) {
	t.Helper()
	return host(t, config(program("--grpc"), io.Discard))
}

// exchange makes a request and returns the status and the content.
func exchange(t *testing.T, transport http.RoundTripper, method, target string, content io.Reader) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+target, content)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// buffer is what a host is sent, for a test to wait for.
type buffer struct {
	mu      sync.Mutex
	content bytes.Buffer
	changed chan struct{}
}

func newBuffer() *buffer { return &buffer{changed: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.changed <- struct{}{}:
	default:
	}
	return b.content.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// await returns once text has arrived.
func (b *buffer) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(wait)
	for !strings.Contains(b.String(), text) {
		select {
		case <-b.changed:
		case <-timeout:
			t.Fatalf("%q did not arrive in %q", text, b.String())
		}
	}
}

// awaitEnd returns once condition holds.
func awaitEnd(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s after %v", what, within)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runHost is a host in a process of its own: it tells where its plugin is and lives until it is killed.
func runHost() {
	command := program("--grpc")
	if name := os.Getenv("UDIST_TEST_SCRIPT"); name != "" {
		command = script(name)
	}
	client := plugin.NewClient(config(command, io.Discard))
	address, err := client.Start()
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	reattach := client.ReattachConfig()
	fmt.Println(reattach.Pid, address)
	select {}
}
