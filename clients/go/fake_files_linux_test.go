package udist_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"syscall"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// shared is the content of the fake plugin's files, which begins at an offset.
var shared = bytes.Repeat([]byte("shared content\n"), 10_000)

const sharedOffset = 1000

// file answers a GET with a file if it may, and otherwise with "sent". To any other request it says how its content came.
func (s *fakeStream) file(frame *pluginv1.Frame, begins bool, how string) {
	switch reset := frame.GetReset_(); {
	case reset != nil:
		s.letGo(reset.GetCode(), how)
	case how == "last-reset":
		s.answer(s.lastReset.String())
	case !begins:
		s.grant(len(frame.GetData()))
		if frame.GetEndStream() {
			s.answer("sent")
		}
	case s.request.GetFile() != nil && how == "refuse":
		s.reset(pluginv1.Code_CODE_FAILED_PRECONDITION, true)
	case s.request.GetFile() != nil:
		s.answer(s.opened())
	case s.request.GetAcceptFile():
		s.handOver(how)
	case frame.GetEndStream():
		s.answer("sent")
	}
}

// letGo replies to the caller's reset, and remembers its code.
func (s *fakeStream) letGo(code pluginv1.Code, how string) {
	if how == "cut" {
		_ = s.held.Truncate(sharedOffset + 10)
	}
	_ = s.held.Close()
	s.lastReset = code
	s.reset(pluginv1.Code_CODE_CANCELLED, false)
	delete(s.streams, s.id)
}

func (s *fakeStream) answer(text string) {
	s.head(200, "content-length", strconv.Itoa(len(text)))
	s.send(s.id, true, &pluginv1.Frame_Data{Data: []byte(text)})
}

// opened returns the digest of a request's file.
func (s *fakeStream) opened() string {
	told := s.request.GetFile()
	file, err := os.Open(fmt.Sprintf("/proc/%d/fd/%d", os.Getppid(), told.GetFd()))
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, io.NewSectionReader(file, int64(told.GetOffset()), int64(told.GetLength())))
	return fmt.Sprintf("%s of sha256:%x, %v", s.field("content-length"), hash.Sum(nil), err)
}

// handOver answers with a file that is as it should be, or not.
func (s *fakeStream) handOver(how string) {
	file, err := os.CreateTemp("", "shared")
	if err != nil {
		os.Exit(70)
	}
	_ = os.Remove(file.Name())
	_, _ = file.Write(append(make([]byte, sharedOffset), shared...))
	told := describe(file)
	told.Offset, told.Length = sharedOffset, uint64(len(shared))
	switch how {
	case "other-descriptor":
		other, _ := os.CreateTemp("", "other")
		_ = os.Remove(other.Name())
		_ = other.Truncate(int64(told.GetSize()))
		told.Fd = uint32(other.Fd())
	case "closed":
		told.Fd = 999
	case "other-size":
		told.Size++
	case "beyond-its-end":
		told.Offset++
	case "overflow":
		told.Offset = math.MaxUint64 - told.GetLength() + 2
	case "pipe": // empty, or its size would betray it
		reader, _, _ := os.Pipe()
		told = describe(reader)
	case "device":
		null, _ := os.Open("/dev/null")
		told = describe(null)
	case "folder":
		folder, _ := os.Open("/")
		size := told.GetSize()
		told = describe(folder)
		told.Length, told.Size = uint64(len(shared)), size
	}
	s.held = file
	fields := []*pluginv1.Field{{Name: "content-length", Value: []byte(strconv.FormatUint(told.GetLength(), 10))}}
	s.send(s.id, false, &pluginv1.Frame_Response{Response: &pluginv1.Response{Status: 200, Fields: fields, File: told}})
}

func describe(file *os.File) *pluginv1.File {
	info, err := file.Stat()
	if err != nil {
		os.Exit(70)
	}
	status := info.Sys().(*syscall.Stat_t)
	return &pluginv1.File{
		Fd: uint32(file.Fd()), Device: uint64(status.Dev), Inode: status.Ino, Size: uint64(info.Size()),
	}
}
