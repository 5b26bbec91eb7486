// A writer for programs that agree on a lock file: a program that changes the data makes the file first, waits while it exists, and
// removes it afterwards. So while this writer has the file, nothing changes.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options are as plugin.json describes them; the host has checked them.
type Options struct{ Data, Lock string }

type writer struct{ options Options }

func main() {
	serve(func(options Options) map[string]method { return writerMethods(&writer{options}) })
}

// mark is the contents of the lock file while it is ours: from them, a new process knows what to undo.
func mark(setId string) string { return fmt.Sprintf("holdstill %s\n", setId) }

func (w *writer) Identify(ctx *Context) (Components, error) {
	// Nothing changes while the lock is ours, so a copy has the same value as a snapshot of one instant.
	return Components{{Name: "data", Kind: "files", Paths: []string{w.options.Data}, Tolerates: "fuzzy"}}, nil
}

func (w *writer) Freeze(tx FreezeTransaction, ctx *Context) (any, error) {
	for {
		taken, err := w.isTaken(tx.Id)
		if err != nil {
			return nil, err
		}
		if taken {
			return map[string]any{"since": time.Now().UTC().Format(time.RFC3339Nano)}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (w *writer) Thaw(tx WriterTransaction, token any, ctx *Context) (ThawReport, error) {
	owner, err := w.owner()
	if err != nil {
		return ThawReport{}, err
	}
	if owner != mark(tx.Id) {
		return ThawReport{Reason: w.options.Lock + " is not ours any more"}, nil
	}
	return ThawReport{Uninterrupted: true}, os.Remove(w.options.Lock)
}

func (w *writer) Seal(tx WriterTransaction, ctx *Context) (Sidecar, error) {
	var files []string
	err := filepath.WalkDir(w.options.Data, func(path string, entry fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(w.options.Data, path); name != "." {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return Sidecar{}, err
	}
	list := []byte(strings.Join(files, "\n") + "\n")
	sidecar := Sidecar{Files: []string{"files.txt"}, Facts: map[string]any{"files": len(files)}}
	return sidecar, os.WriteFile(filepath.Join(tx.SidecarDir, "files.txt"), list, 0o600)
}

func (w *writer) Abort(tx WriterTransaction, token any, ctx *Context) error {
	if err := os.RemoveAll(w.draft(tx.Id)); err != nil {
		return err
	}
	owner, err := w.owner()
	if err != nil || owner != mark(tx.Id) {
		return err
	}
	return os.Remove(w.options.Lock)
}

func (w *writer) draft(setId string) string { return w.options.Lock + "." + setId }

// isTaken makes the lock file, which only one program can. It appears whole, so that a process that is killed leaves no lock without
// an owner.
func (w *writer) isTaken(setId string) (bool, error) {
	draft := w.draft(setId)
	err := os.WriteFile(draft, []byte(mark(setId)), 0o644)
	if err == nil {
		err = os.Link(draft, w.options.Lock)
	}
	if removal := os.RemoveAll(draft); err == nil {
		err = removal
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		hint := "The folder of the lock file must exist, and be writable for holdstill."
		return false, &PluginError{"LOCK", fmt.Sprintf("%s cannot be made: %v", w.options.Lock, err), hint}
	}
	return true, nil
}

// owner is the contents of the lock file; empty if it does not exist.
func (w *writer) owner() (string, error) {
	text, err := os.ReadFile(w.options.Lock)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}
