// A provider for an array with a REST interface. The array has the whole state: what must be known of a snapshot is its label there.
// Only between prepare and commit there is a separate note, in the data folder.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// Options are as plugin.json describes them.
type Options struct{ Url, Token string }

type provider struct{ options Options }

func main() {
	serve(func(options Options) map[string]method { return providerMethods(&provider{options}) })
}

// label is what the array keeps with a snapshot.
type label struct {
	VolumeId   string   `json:"volumeId"`
	MountPoint string   `json:"mountPoint"`
	Paths      []string `json:"paths"`
}

// volume is one of the array's, with the label of its snapshot.
type volume struct {
	Name  string `json:"name"`
	Label label  `json:"label"`
}

// taken is a snapshot as the array describes it.
type taken struct {
	Name, Group, CreatedAt string
	Label                  label
}

func (p *provider) Match(on Volume, ctx *Context) (Support, error) {
	var found volume
	if known, err := p.volumeAt(on.MountPoint, &found, ctx); !known || err != nil {
		return nil, err
	}
	// The array takes all volumes of a request at once; the kernel holds the file systems, so that they are whole.
	hold := []HoldTarget{{Kind: "fs", Mount: on.MountPoint}}
	return &Qualities{PointInTime: true, Group: p.options.Url, Hold: hold, Method: "array snapshot", Where: p.options.Url}, nil
}

func (p *provider) Prepare(tx Transaction, volumes []Volume, ctx *Context) (CriticalSection, error) {
	section := CriticalSection{Commit: []CommitOp{{Op: "plugin"}}}
	var notes []volume
	for _, one := range volumes {
		note := volume{Label: label{one.Id, one.MountPoint, one.Paths}}
		if _, err := p.volumeAt(one.MountPoint, &note, ctx); err != nil {
			return section, err
		}
		notes = append(notes, note)
		section.Hold = append(section.Hold, HoldTarget{Kind: "fs", Mount: one.MountPoint})
	}
	text, err := json.Marshal(notes)
	if err != nil {
		return section, err
	}
	return section, os.WriteFile(noteOf(tx, ctx), text, 0o600)
}

// Commit makes one request, because applications and file systems are frozen meanwhile.
func (p *provider) Commit(tx Transaction, ctx *Context) error {
	notes, err := os.ReadFile(noteOf(tx, ctx))
	if err != nil {
		return err
	}
	body := map[string]any{"group": tx.Id, "volumes": json.RawMessage(notes)}
	_, err = p.ask(ctx, "POST", "/snapshots", body, nil)
	return err
}

func (p *provider) Seal(tx Transaction, ctx *Context) (Snapshots, error) {
	if err := os.RemoveAll(noteOf(tx, ctx)); err != nil {
		return nil, err
	}
	return p.snapshots("/snapshots?group="+tx.Id, ctx)
}

func (p *provider) Abort(tx Transaction, ctx *Context) error {
	made, err := p.snapshots("/snapshots?group="+tx.Id, ctx)
	if err != nil {
		return err
	}
	for _, one := range made {
		if _, err := p.ask(ctx, "DELETE", "/snapshots/"+one.Id, nil, nil); err != nil {
			return err
		}
	}
	return os.RemoveAll(noteOf(tx, ctx))
}

func (p *provider) List(ctx *Context) (Listed, error) { return p.snapshots("/snapshots", ctx) }

func (p *provider) Expose(snapshot Snapshot, view View, ctx *Context) (Exposed, error) {
	var all []taken
	if _, err := p.ask(ctx, "GET", "/snapshots", nil, &all); err != nil {
		return Exposed{}, err
	}
	for _, one := range all {
		if one.Name != snapshot.Id {
			continue
		}
		var place struct{ Path string }
		known, err := p.ask(ctx, "PUT", "/snapshots/"+one.Name+"/export", nil, &place)
		if err != nil {
			return Exposed{}, err
		}
		if known {
			// The array has no throw-away exports: nothing may be written there, except with `writable`.
			return exposed(one.Label, place.Path, view.Access != "writable")
		}
	}
	hint := "`holdstill providers` lists all."
	return Exposed{}, &PluginError{"UNKNOWN_SNAPSHOT", fmt.Sprintf("The array has no %s.", snapshot.Id), hint}
}

func (p *provider) Unexpose(snapshot Snapshot, ctx *Context) error {
	_, err := p.ask(ctx, "DELETE", "/snapshots/"+snapshot.Id+"/export", nil, nil)
	return err
}

func (p *provider) Remove(snapshot Snapshot, ctx *Context) error {
	if err := p.Unexpose(snapshot, ctx); err != nil {
		return err
	}
	_, err := p.ask(ctx, "DELETE", "/snapshots/"+snapshot.Id, nil, nil)
	return err
}

func exposed(from label, folder string, readOnly bool) (Exposed, error) {
	result := Exposed{ReadOnly: readOnly}
	for _, original := range from.Paths {
		relative, err := filepath.Rel(from.MountPoint, original)
		if err != nil {
			return result, err
		}
		result.Trees = append(result.Trees, ExposedTree{original, filepath.Join(folder, relative)})
	}
	return result, nil
}

func (p *provider) snapshots(resource string, ctx *Context) (Snapshots, error) {
	var all []taken
	_, err := p.ask(ctx, "GET", resource, nil, &all)
	var snapshots Snapshots
	for _, one := range all {
		snapshots = append(snapshots, Snapshot{
			Id:        one.Name,
			SetId:     one.Group,
			VolumeId:  one.Label.VolumeId,
			CreatedAt: one.CreatedAt,
			Method:    "array snapshot",
		})
	}
	return snapshots, err
}

func (p *provider) volumeAt(mountPoint string, into *volume, ctx *Context) (bool, error) {
	return p.ask(ctx, "GET", "/volumes?mount="+url.QueryEscape(mountPoint), nil, into)
}

// ask makes a request, which ends with the call that it is for. False: the array does not have it.
func (p *provider) ask(ctx *Context, method, resource string, body, into any) (bool, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return false, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.options.Url+resource, content)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+p.options.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		message := fmt.Sprintf("The array at %s does not respond: %v.", p.options.Url, err)
		return false, &PluginError{"UNREACHABLE", message, "Check the array and the network."}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return false, err
	case response.StatusCode == http.StatusNotFound:
		return false, nil
	case response.StatusCode == http.StatusUnauthorized:
		return false, &PluginError{"UNAUTHORIZED", "The array refused the token.", "Check the option `token`."}
	case response.StatusCode >= 400:
		message := fmt.Sprintf("The array returned %d for %s %s: %s", response.StatusCode, method, resource, text)
		return false, &PluginError{"ARRAY", message, "The log of the array has more."}
	case into == nil:
		return true, nil
	}
	return true, json.Unmarshal(text, into)
}

func noteOf(tx Transaction, ctx *Context) string {
	return filepath.Join(ctx.Start.DataDir, tx.Id+".json")
}
