// A provider that copies. Its whole state is in its store, so that a new process can continue where another one died:
//
//	STORE/SET.partial/volumes.json   while the set is made
//	STORE/SET/volumes.json           once it is sealed
//	STORE/SET/0/srv/data             the copy of /srv/data, of the first volume

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Options are as plugin.json describes them; the host has checked them.
type Options struct{ Store string }

type provider struct{ store string }

// part is one volume's part of a set.
type part struct {
	folder   string
	paths    []string
	snapshot Snapshot
}

func main() {
	serve(func(options Options) map[string]method { return providerMethods(&provider{options.Store}) })
}

func (p *provider) Match(volume Volume, ctx *Context) (Support, error) {
	return &Qualities{Method: "copy", Where: p.store}, nil
}

func (p *provider) Prepare(tx Transaction, volumes []Volume, ctx *Context) (CriticalSection, error) {
	// The kernel holds nothing. The snapshot is taken by `Commit` below.
	section := CriticalSection{Commit: []CommitOp{{Op: "plugin"}}}
	// Other users may pass to the copies, which have the modes of their originals: an application reads its own files there.
	if err := os.Mkdir(p.partial(tx.Id), 0o711); err != nil {
		return section, err
	}
	notes, err := json.Marshal(volumes)
	if err != nil {
		return section, err
	}
	return section, writeDurably(filepath.Join(p.partial(tx.Id), "volumes.json"), notes)
}

func (p *provider) Commit(tx Transaction, ctx *Context) error {
	folder := p.partial(tx.Id)
	volumes, err := volumesIn(folder)
	if err != nil {
		return err
	}
	for at, volume := range volumes {
		to := filepath.Join(folder, fmt.Sprint(at))
		if err := os.Mkdir(to, 0o711); err != nil {
			return err
		}
		for _, from := range volume.Paths {
			ctx.Progress("copy of " + from)
			if err := makeParents(from, to); err != nil {
				return err
			}
			if err := copyTree(from, filepath.Join(to, from), ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *provider) Seal(tx Transaction, ctx *Context) (Snapshots, error) {
	if err := os.Rename(p.partial(tx.Id), filepath.Join(p.store, tx.Id)); err != nil {
		return nil, err
	}
	return p.snapshots(tx.Id)
}

func (p *provider) Abort(tx Transaction, ctx *Context) error {
	if err := os.RemoveAll(p.partial(tx.Id)); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(p.store, tx.Id))
}

func (p *provider) List(ctx *Context) (Listed, error) {
	if err := p.assertThere(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.store)
	if err != nil {
		return nil, err
	}
	var all Snapshots
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".partial") {
			continue
		}
		some, err := p.snapshots(entry.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (p *provider) Expose(snapshot Snapshot, view View, ctx *Context) (Exposed, error) {
	found, err := p.find(snapshot)
	if err != nil {
		return Exposed{}, err
	}
	if found == nil {
		if err := p.assertThere(); err != nil {
			return Exposed{}, err
		}
		message := fmt.Sprintf("The snapshot %s does not exist.", snapshot.Id)
		return Exposed{}, &PluginError{"UNKNOWN_SNAPSHOT", message, "`holdstill providers` lists all."}
	}
	// The copy is readable anyway; only what is thrown away later needs a separate place.
	shown := found.folder
	if view.Access == "scratch" {
		if shown, err = scratchOf(found.folder, ctx); err != nil {
			return Exposed{}, err
		}
	}
	var exposed Exposed
	for _, original := range found.paths {
		exposed.Trees = append(exposed.Trees, ExposedTree{original, filepath.Join(shown, original)})
	}
	return exposed, nil
}

func (p *provider) Unexpose(snapshot Snapshot, ctx *Context) error {
	found, err := p.find(snapshot)
	if err != nil {
		return err
	}
	if found == nil {
		return p.assertThere()
	}
	return throwAway(found.folder)
}

func (p *provider) Remove(snapshot Snapshot, ctx *Context) error {
	found, err := p.find(snapshot)
	if err != nil {
		return err
	}
	if found == nil {
		return p.assertThere()
	}
	if err := throwAway(found.folder); err != nil {
		return err
	}
	if err := os.RemoveAll(found.folder); err != nil {
		return err
	}
	if left, err := p.parts(snapshot.SetId); err != nil || len(left) > 0 {
		return err
	}
	return os.RemoveAll(filepath.Join(p.store, snapshot.SetId))
}

// A store that is not mounted is not a store without snapshots.
func (p *provider) assertThere() error {
	if exists(p.store) {
		return nil
	}
	return &PluginError{"UNREACHABLE", fmt.Sprintf("The store %s does not exist.", p.store), "Mount its file system."}
}

func (p *provider) partial(setId string) string { return filepath.Join(p.store, setId+".partial") }

func (p *provider) find(snapshot Snapshot) (*part, error) {
	parts, err := p.parts(snapshot.SetId)
	for _, one := range parts {
		if one.snapshot.Id == snapshot.Id {
			return &one, err
		}
	}
	return nil, err
}

func (p *provider) snapshots(setId string) (Snapshots, error) {
	parts, err := p.parts(setId)
	snapshots := Snapshots{}
	for _, one := range parts {
		snapshots = append(snapshots, one.snapshot)
	}
	return snapshots, err
}

// parts are the copies of a sealed set that have not been removed: one for each volume.
func (p *provider) parts(setId string) ([]part, error) {
	folder := filepath.Join(p.store, setId)
	notes, err := os.Stat(filepath.Join(folder, "volumes.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	volumes, err := volumesIn(folder)
	if err != nil {
		return nil, err
	}
	createdAt := notes.ModTime().UTC().Format(time.RFC3339Nano)
	var parts []part
	for at, volume := range volumes {
		id, own := fmt.Sprintf("%s.%d", setId, at), filepath.Join(folder, fmt.Sprint(at))
		if !exists(own) {
			continue
		}
		facts := map[string]any{"folder": own}
		snapshot := Snapshot{Id: id, SetId: setId, VolumeId: volume.Id, CreatedAt: createdAt, Method: "copy", Facts: facts}
		parts = append(parts, part{own, volume.Paths, snapshot})
	}
	return parts, nil
}

func volumesIn(folder string) (volumes []Volume, err error) {
	notes, err := os.ReadFile(filepath.Join(folder, "volumes.json"))
	if err != nil {
		return nil, err
	}
	return volumes, json.Unmarshal(notes, &volumes)
}

// makeParents makes the folders above a copy, in which users can enter what they can enter in the originals, and no more.
func makeParents(from, root string) error {
	at := "/"
	for _, name := range strings.FieldsFunc(filepath.Dir(from), func(r rune) bool { return r == '/' }) {
		at = filepath.Join(at, name)
		found, err := os.Stat(at)
		if err != nil {
			return err
		}
		to := filepath.Join(root, at)
		if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		owner := found.Sys().(*syscall.Stat_t)
		if os.Geteuid() == 0 {
			if err := os.Chown(to, int(owner.Uid), int(owner.Gid)); err != nil {
				return err
			}
		}
		if err := os.Chmod(to, found.Mode()); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(from, to string, ctx *Context) error {
	result, err := ctx.Exec("cp", []string{"-a", "--reflink=auto", "-T", "--", from, to}, nil)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if result.ExitCode == nil || *result.ExitCode != 0 {
		hint := "Make sure that it may be read, and that there is enough space."
		return &PluginError{"COPY_FAILED", strings.TrimSpace(result.Stderr), hint}
	}
	return nil
}

// scratchOf makes a copy of the copy, which Unexpose throws away. It has its name once it is whole.
func scratchOf(folder string, ctx *Context) (string, error) {
	scratch := folder + ".scratch"
	if exists(scratch) {
		return scratch, nil
	}
	if err := throwAway(folder); err != nil {
		return "", err
	}
	if err := copyTree(folder, scratch+".partial", ctx); err != nil {
		return "", err
	}
	return scratch, os.Rename(scratch+".partial", scratch)
}

func throwAway(folder string) error {
	if err := os.RemoveAll(folder + ".scratch"); err != nil {
		return err
	}
	return os.RemoveAll(folder + ".scratch.partial")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeDurably writes a file that appears whole under its name, also after a power cut.
func writeDurably(path string, content []byte) error {
	draft, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	defer draft.Close()
	if _, err := draft.Write(content); err != nil {
		return err
	}
	if err := draft.Sync(); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
