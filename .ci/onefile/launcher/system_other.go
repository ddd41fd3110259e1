//go:build !linux

package main

import "syscall"

func isNoExec(string) bool { return false }

func syncAll(string) error { syscall.Sync(); return nil }
