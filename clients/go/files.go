package udist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync/atomic"

	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
)

// sharesFiles is the capability (PROTOCOL.md, section 3, "Files").
const sharesFiles = "files"

// peerFiles are the files that the plugin has open.
type peerFiles struct {
	process *os.File // its folder in /proc, which stays its own even if the process ID is used again
	failed  atomic.Bool
}

// shared returns the files of the plugin in the process with this ID, or nil if it shares none.
func shared(plugin *pluginv1.Settings, pid int) *peerFiles {
	if !slices.Contains(plugin.GetCapabilities(), sharesFiles) || plugin.GetProcessId() != uint32(pid) {
		return nil
	}
	process, err := openProcess(pid)
	if err != nil {
		return nil
	}
	return &peerFiles{process: process}
}

// usable reports whether files can be shared. After one failure, no more are tried.
func (f *peerFiles) usable() bool { return f != nil && !f.failed.Load() }

// errFile means that a file could not be shared, and the request has to be sent again.
var errFile = errors.New("udist: a file cannot be shared")

// take returns a body that reads the file of a response. After an error, no more files are shared.
func (f *peerFiles) take(ctx context.Context, told *pluginv1.File, done func()) (*fileBody, error) {
	file, err := f.open(told)
	if err == nil {
		if _, err = file.Seek(int64(told.GetOffset()), io.SeekStart); err == nil {
			return &fileBody{ctx: ctx, file: file, left: int64(told.GetLength()), done: done}, nil
		}
		_ = file.Close()
	}
	f.failed.Store(true)
	return nil, err
}

// closeAfter closes the files once the plugin is gone.
func (f *peerFiles) closeAfter(gone <-chan struct{}) {
	<-gone
	_ = f.process.Close()
}

// smallestShared is the least content that is shared, in bytes. Less is sent as fast.
const smallestShared = 16 << 10

// share lets the plugin answer with a file, or open the file of the request, if they can be shared.
func (c *content) share(head *pluginv1.Request, files *peerFiles) {
	c.shared = nil
	if !files.usable() || len(c.request.Trailer) > 0 {
		return
	}
	if c.whole {
		head.AcceptFile = head.GetMethod() == http.MethodGet && len(c.small) == 0
		return
	}
	part := fileOf(unwrap(c.request.Body))
	if part == nil || part.size < smallestShared || c.length >= 0 && c.length != part.size {
		return
	}
	if head.File = describe(part.file, part.start, part.size); head.File == nil {
		return
	}
	c.shared = part
	if c.length < 0 {
		value := strconv.AppendInt(nil, part.size, 10)
		head.Fields = append(head.Fields, &pluginv1.Field{Name: "content-length", Value: value})
	}
}

// sent leaves the shared file where reading it would have left it, and closes the body.
func (c *content) sent() {
	if c.shared.offset == nil {
		_, _ = c.shared.file.Seek(c.shared.start+c.shared.size, io.SeekStart)
	}
	_ = c.close()
}

// refusesFile reports whether the plugin could not open the file of a request.
func refusesFile(err error) bool {
	var reset *link.ResetError
	return errors.As(err, &reset) && reset.Unprocessed && reset.Code == pluginv1.Code_CODE_FAILED_PRECONDITION
}

// fileBody is a response's content in a file that the plugin has opened.
type fileBody struct {
	ctx  context.Context
	file *os.File
	left int64
	done func()
}

// Read reads content. The content is complete if it ends with io.EOF. Only one goroutine may read at a time.
func (b *fileBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.left == 0 {
		return 0, b.end(io.EOF)
	}
	if b.ctx.Err() != nil {
		return 0, b.end(context.Cause(b.ctx))
	}
	n, err := b.file.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil {
		return n, b.end(b.explain(err))
	}
	return n, nil
}

// stretch is how many bytes are copied before WriteTo checks the context again.
const stretch = 64 << 20

// WriteTo implements io.WriterTo. It lets the writer copy from the file if it can: files share extents or are copied by
// the kernel, and connections send the file.
func (b *fileBody) WriteTo(w io.Writer) (written int64, err error) {
	reader, ok := w.(io.ReaderFrom)
	if !ok {
		return message.Copy(w, b)
	}
	for b.left > 0 {
		if b.ctx.Err() != nil {
			return written, b.end(context.Cause(b.ctx))
		}
		n, err := reader.ReadFrom(&io.LimitedReader{R: b.file, N: min(b.left, stretch)})
		b.left -= n
		written += n
		if err == nil && n == 0 {
			err = io.EOF
		}
		if err != nil {
			return written, b.end(b.explain(err))
		}
	}
	_ = b.end(nil)
	return written, nil
}

// Close closes the file.
func (b *fileBody) Close() error {
	_ = b.end(nil)
	return nil
}

// end closes the file, which no longer has to be read, and returns err.
func (b *fileBody) end(err error) error {
	_ = b.file.Close()
	b.done()
	return err
}

func (b *fileBody) explain(err error) error {
	switch {
	case err == io.EOF:
		return &Error{
			Kind: ErrReset, Code: "DATA_LOSS",
			Message: fmt.Sprintf("the file of the content was truncated, and %d bytes are missing", b.left),
		}
	case errors.Is(err, os.ErrClosed):
		return http.ErrBodyReadAfterClose
	}
	return err
}
