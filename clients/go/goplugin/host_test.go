//go:build unix

package goplugin_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"

	"udist.dev/plugin/udist/goplugin"
)

// TestHost is a host's life with a plugin: start, health check, a request, and the end.
func TestHost(t *testing.T) {
	log := newBuffer()
	client, transport := host(t, config(program("--grpc"), log))
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	if err := protocol.Ping(); err != nil {
		t.Errorf("health check: %v", err)
	}
	if status, body := exchange(t, transport, "GET", "/v2/", nil); status != 200 || body != "{}" {
		t.Errorf("got %d, %q", status, body)
	}
	socket := client.ReattachConfig().Addr.String()
	for path, want := range map[string]os.FileMode{socket: 0o600, filepath.Dir(socket): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info, err, want)
		}
	}
	started := time.Now()
	client.Kill()
	if took := time.Since(started); took > 1900*time.Millisecond {
		t.Errorf("Kill took %v: the plugin did not end by itself", took)
	}
	if strings.Contains(log.String(), "failed to exit gracefully") || !client.Exited() {
		t.Errorf("the plugin was killed: %s", log)
	}
	if exists(filepath.Dir(socket)) {
		t.Error("the folder of the socket is left")
	}
}

// TestKillWithOpenCalls says that a response that nobody reads does not make Kill a SIGKILL.
func TestKillWithOpenCalls(t *testing.T) {
	log := newBuffer()
	client, transport := host(t, config(program("--grpc"), log))
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	failed := make(chan error, 1)
	go func() {
		request, _ := newRequest(t, "POST", "/v2/a/blobs/uploads/?digest=sha256:"+strings.Repeat("0", 64), reader)
		_, err := transport.RoundTrip(request)
		failed <- err
	}()
	if _, err := writer.Write([]byte("some")); err != nil {
		t.Fatal(err)
	}
	client.Kill()
	if err := <-failed; err == nil {
		t.Error("an open request succeeded")
	}
	if strings.Contains(log.String(), "failed to exit gracefully") {
		t.Error("the plugin was killed")
	}
}

// TestOutput says where what a plugin prints and logs ends up.
func TestOutput(t *testing.T) {
	log, stdout, stderr := newBuffer(), newBuffer(), newBuffer()
	config := config(script("prints.py"), log)
	config.SyncStdout, config.SyncStderr = stdout, stderr
	_, transport := host(t, config)
	if status, _ := exchange(t, transport, "GET", "/one", nil); status != 200 {
		t.Fatal(status)
	}
	stdout.await(t, "printed /one\n"+strings.Repeat("x", 100_000)+"\n")
	log.await(t, `"@level":"error","@message":"logged /one"`)
	log.await(t, `"@level":"info","@message":"started"`)
	if stderr.String() != "" {
		t.Errorf("the log was sent twice: %q", stderr)
	}
}

// TestTwoAtOnce says that each plugin has a socket and a store of its own.
func TestTwoAtOnce(t *testing.T) {
	first, one := spawn(t)
	second, two := spawn(t)
	if first.ReattachConfig().Addr.String() == second.ReattachConfig().Addr.String() {
		t.Fatal("both have the same socket")
	}
	push(t, one, "demo/one", "first")
	if _, body := exchange(t, two, "GET", "/v2/_catalog", nil); strings.Contains(body, "demo") {
		t.Errorf("the second has %s", body)
	}
	first.Kill()
	if status, _ := exchange(t, two, "GET", "/v2/", nil); status != 200 {
		t.Errorf("got %d after the first has ended", status)
	}
}

// TestRefused has what a host is told of a plugin that does not start.
func TestRefused(t *testing.T) {
	tests := map[string]struct {
		change func(*plugin.ClientConfig)
		want   string
	}{
		"AutoMTLS":      {func(c *plugin.ClientConfig) { c.AutoMTLS = true }, "AutoMTLS is not supported"},
		"cookie":        {func(c *plugin.ClientConfig) { c.MagicCookieValue = "other" }, "Unrecognized remote plugin message: \n"},
		"version":       {func(c *plugin.ClientConfig) { c.ProtocolVersion = 2 }, "incompatible API version with plugin. Plugin version: 1, Client versions: [2]"},
		"multiplexing":  {func(c *plugin.ClientConfig) { c.GRPCBrokerMultiplex = true }, "GRPC broker multiplexing"},
		"configuration": {func(c *plugin.ClientConfig) { c.Cmd.Env = []string{"REGISTRY_STORAGE=s4"} }, "unknown storage driver 's4'"},
		"group": {func(c *plugin.ClientConfig) {
			c.UnixSocketConfig = &plugin.UnixSocketConfig{Group: "0"}
		}, "a group for the socket is not supported"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			log := newBuffer()
			config := config(program("--grpc"), log)
			test.change(config)
			client := plugin.NewClient(config)
			defer client.Kill()
			started := time.Now()
			_, err := client.Start()
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if name == "cookie" {
				log.await(t, "This binary is a plugin.")
			}
		})
	}
}

// TestReattach says that a second host takes over a plugin that outlives the first, with its log.
func TestReattach(t *testing.T) {
	first := exec.Command(os.Args[0])
	first.Env = append(os.Environ(), "UDIST_TEST_HOST=1", "KEEP=1", "UDIST_TEST_SCRIPT=prints.py")
	reattach := startHost(t, first)
	stdout, stderr := newBuffer(), newBuffer()
	kill(t, first)
	config := &plugin.ClientConfig{
		HandshakeConfig: goplugin.Handshake,
		Plugins:         goplugin.Plugins,
		Reattach:        reattach,
		SyncStdout:      stdout,
		SyncStderr:      stderr,
	}
	client, transport := host(t, config)
	if status, _ := exchange(t, transport, "GET", "/two", nil); status != 200 {
		t.Fatal(status)
	}
	stdout.await(t, "printed /two")
	stderr.await(t, "logged /two")
	time.Sleep(1500 * time.Millisecond) // more than it is kept without a host
	if status, _ := exchange(t, transport, "GET", "/three", nil); status != 200 {
		t.Fatal("the plugin left its second host")
	}
	client.Kill()
	awaitEnd(t, 2*time.Second, "the plugin is left", func() bool { return !alive(reattach.Pid) })
}

// TestKept says that a plugin which nobody takes over ends after its time.
func TestKept(t *testing.T) {
	first := exec.Command(os.Args[0])
	first.Env = append(os.Environ(), "UDIST_TEST_HOST=1", "KEEP=0.5", "UDIST_TEST_SCRIPT=prints.py")
	reattach := startHost(t, first)
	kill(t, first)
	if !alive(reattach.Pid) {
		t.Error("the plugin did not outlive its host")
	}
	awaitEnd(t, 3*time.Second, "the plugin is left", func() bool { return !alive(reattach.Pid) })
	awaitEnd(t, time.Second, "the folder is left", func() bool { return !exists(filepath.Dir(reattach.Addr.String())) })
}

// TestHostKilled says that nothing is left of a plugin whose host was killed.
func TestHostKilled(t *testing.T) {
	first := exec.Command(os.Args[0])
	first.Env = append(os.Environ(), "UDIST_TEST_HOST=1")
	reattach := startHost(t, first)
	kill(t, first)
	awaitEnd(t, time.Second, "the plugin is left", func() bool { return !alive(reattach.Pid) })
	if exists(filepath.Dir(reattach.Addr.String())) {
		t.Error("the folder of the socket is left")
	}
}

// startHost starts a host in a process of its own and returns how to reach its plugin.
func startHost(t *testing.T, command *exec.Cmd) *plugin.ReattachConfig {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var path string
	if _, err := fmt.Sscan(line, &pid, &path); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return &plugin.ReattachConfig{
		Protocol: plugin.ProtocolGRPC, ProtocolVersion: 1, Addr: unixAddr(path), Pid: pid,
	}
}

func kill(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
}

func killPlugin(t *testing.T, client *plugin.Client) {
	t.Helper()
	if err := syscall.Kill(client.ReattachConfig().Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// alive reports whether a process runs: an orphan that has ended may wait to be reaped.
func alive(pid int) bool {
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		_, fields, _ := strings.Cut(string(status), ") ")
		return !strings.HasPrefix(fields, "Z")
	}
	return syscall.Kill(pid, 0) == nil
}
