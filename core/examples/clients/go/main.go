// A backup by way of holdstill's service, with Go's standard library:
//
//	backup TARGET ARCHIVE-FOLDER        writer:pg-main, /srv, …
//
// HOLDSTILL_SOCKET names the socket, if it is not /run/holdstill.sock.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Problem is what the service refuses with (RFC 9457): its code is stable, its title and hint are for people.
type Problem struct{ Code, Title, Hint string }

func (p *Problem) Error() string { return p.Code + ": " + p.Title + " " + p.Hint }

// Event is as much of one as is shown here.
type Event struct{ Type, Phase string }

// Operation is a set that is being taken.
type Operation struct {
	ID    string
	State struct {
		Result struct {
			Outcome, Set string
			Error        struct{ Code, Message, Hint string }
		}
	}
}

// Set is as much of its record as a backup needs.
type Set struct {
	Exposed []struct {
		Exposed struct{ Trees []struct{ Path string } }
	}
}

// Holdstill is the service behind a socket.
type Holdstill struct{ http.Client }

func connect(socket string) *Holdstill {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Holdstill{http.Client{Transport: &http.Transport{DialContext: dial}}}
}

func (h *Holdstill) send(method, path string, body any) (*http.Response, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(method, "http://localhost"+path, &sent)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("content-type", "application/json")
	}
	response, err := h.Do(request)
	if err != nil || response.StatusCode < 400 {
		return response, err
	}
	defer response.Body.Close()
	problem := new(Problem)
	if err := json.NewDecoder(response.Body).Decode(problem); err != nil {
		return nil, err
	}
	return nil, problem
}

func (h *Holdstill) ask(method, path string, body, answer any) error {
	response, err := h.send(method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

// follow tells everything that happens in an operation, until `ended`, which comes last.
func (h *Holdstill) follow(operation string, tell func(Event)) error {
	response, err := h.send("GET", "/v1/operations/"+operation+"/events", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		var event Event
		if err := json.Unmarshal(lines.Bytes()[len("data: "):], &event); err != nil {
			return err
		}
		tell(event)
	}
	return lines.Err()
}

func backup(h *Holdstill, target, into string) (err error) {
	asked := map[string]any{"targets": []string{target}}
	var plan struct{ Promised string }
	if err := h.ask("POST", "/v1/plans", asked, &plan); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "promised:", plan.Promised)
	// If we are killed, the set goes when its lease runs out.
	asked["lease"] = "5m"
	var operation Operation
	if err := h.ask("POST", "/v1/sets", asked, &operation); err != nil {
		return err
	}
	if err := h.follow(operation.ID, func(e Event) { fmt.Fprintln(os.Stderr, e.Type, e.Phase) }); err != nil {
		return err
	}
	if err := h.ask("GET", "/v1/operations/"+operation.ID, nil, &operation); err != nil {
		return err
	}
	result := operation.State.Result
	if result.Set == "" {
		return &Problem{result.Error.Code, result.Error.Message, result.Error.Hint}
	}
	place := "/v1/sets/" + result.Set
	var ignored any
	defer func() {
		if gone := h.ask("DELETE", place+"/lease", nil, &ignored); err == nil {
			err = gone
		}
	}()
	var set Set
	if err := h.ask("POST", place+"/expose", nil, &set); err != nil {
		return err
	}
	failed := archive(set, into)
	told := h.ask("POST", place+"/complete", map[string]bool{"succeeded": failed == nil}, &ignored)
	if failed != nil {
		return failed
	}
	return told
}

func archive(set Set, into string) error {
	number := 0
	for _, one := range set.Exposed {
		for _, tree := range one.Exposed.Trees {
			number++
			tar := exec.Command("tar", "-C", tree.Path, "-cf", filepath.Join(into, fmt.Sprintf("%d.tar", number)), ".")
			tar.Stderr = os.Stderr
			if err := tar.Run(); err != nil {
				return err
			}
		}
	}
	return nil
}

func main() {
	socket := os.Getenv("HOLDSTILL_SOCKET")
	if socket == "" {
		socket = "/run/holdstill.sock"
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: backup TARGET ARCHIVE-FOLDER")
		os.Exit(2)
	}
	if err := backup(connect(socket), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
