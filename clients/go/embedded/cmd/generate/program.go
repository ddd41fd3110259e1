package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"udist.dev/plugin/udist"
)

var (
	errPlatform = errors.New("wrong platform")
	errDigest   = errors.New("wrong SHA-256: the file is damaged, or not the one that was meant")
	errStart    = errors.New("the file does not start as a plugin: it is damaged, or not udist")
)

// patience is how long the file may take to tell its version. The first start of a file unpacks it.
const patience = time.Minute

type platform struct{ system, machine string }

func (p platform) String() string { return p.system + "/" + p.machine }

type program struct {
	content  []byte
	digest   string
	platform platform
}

// read reads an executable file and compares it with what is wanted, if anything is.
func read(path, wanted, digest string) (*program, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	p := &program{content: content, digest: hex.EncodeToString(sum[:])}
	if digest != "" && !strings.EqualFold(strings.TrimPrefix(digest, "sha256:"), p.digest) {
		return nil, fmt.Errorf("%s: %w: it has %s, expected %s", path, errDigest, p.digest, digest)
	}
	if p.platform, err = platformOf(content); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if wanted != "" && wanted != p.platform.String() {
		return nil, fmt.Errorf("%s: %w: it is for %s, expected %s", path, errPlatform, p.platform, wanted)
	}
	return p, nil
}

var (
	elfMachines   = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}
	machoMachines = map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}
)

func platformOf(content []byte) (platform, error) {
	if file, err := elf.NewFile(bytes.NewReader(content)); err == nil {
		if machine, known := elfMachines[file.Machine]; known {
			return platform{"linux", machine}, nil
		}
		return platform{}, fmt.Errorf("%w: there is no plugin for %v", errPlatform, file.Machine)
	}
	if file, err := macho.NewFile(bytes.NewReader(content)); err == nil {
		if machine, known := machoMachines[file.Cpu]; known {
			return platform{"darwin", machine}, nil
		}
	}
	return platform{}, fmt.Errorf("%w: this is not a whole executable file for Linux or macOS", errPlatform)
}

// start returns the version that the file tells as a plugin.
func start(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	output, err := exec.CommandContext(ctx, absolute, "udist-plugin", "--version").CombinedOutput()
	version := strings.TrimSpace(string(output))
	if err != nil || !strings.HasPrefix(version, "udist-plugin ") {
		return "", fmt.Errorf("%s: %w: udist-plugin --version: %v %s", path, errStart, err, version)
	}
	return version, nil
}

// compare returns a warning if the plugin and this module are not of the same release.
func compare(version string) string {
	if version == "udist-plugin "+udist.Version {
		return ""
	}
	return fmt.Sprintf("the file is %s, but udist.dev/plugin/udist is of version %s; use both of the same release",
		version, udist.Version)
}
