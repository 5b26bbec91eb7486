// JSON-RPC 2.0 with holdstill, on stdin and stdout: framing, dispatch, cancellation, and the context of a call. What the plugin prints
// goes to the log. Go's standard library is all that it needs.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	methodNotFound   = -32601
	applicationError = -32000
	requestCancelled = -32800
)

// PluginError is an error that the user sees: the message, and the hint as the next step.
type PluginError struct{ Code, Message, Hint string }

func (err *PluginError) Error() string { return err.Message }

// Context is what comes with every call. It is done when the host abandons the call: stop then, and leave nothing behind.
type Context struct {
	context.Context
	Start Initialize
	call  float64
	conn  *connection
}

// Log writes to the events of the transaction and to the log. Levels are debug, info, warn, and error.
func (ctx *Context) Log(level, message string, fields map[string]any) {
	ctx.conn.send(rpcMessage{Method: "log", Params: LogMessage{level, message, fields}})
}

// Progress reports the progress of a long call.
func (ctx *Context) Progress(message string) {
	ctx.conn.send(rpcMessage{Method: "progress", Params: Progress{Message: message}})
}

// Exec runs a program of `requires.commands`. The host owns it: it ends with this call.
func (ctx *Context) Exec(command string, args []string, options *ExecOptions) (ExecResult, error) {
	var result ExecResult
	err := ctx.conn.request("exec", ExecRequest{ctx.call, command, args, options}, &result)
	return result, err
}

type rpcMessage struct {
	Version string    `json:"jsonrpc"`
	ID      any       `json:"id,omitempty"`
	Method  string    `json:"method,omitempty"`
	Params  any       `json:"params,omitempty"`
	Result  any       `json:"result,omitempty"`
	Error   *rpcError `json:"error,omitempty"`
}

type rpcError struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Data    ErrorData `json:"data"`
}

type incoming struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *rpcError
}

type connection struct {
	out     *os.File
	mutex   sync.Mutex
	last    int
	answers map[string]chan incoming
	running map[string]context.CancelFunc
}

func (conn *connection) send(message rpcMessage) error {
	message.Version = "2.0"
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	conn.mutex.Lock()
	defer conn.mutex.Unlock()
	_, err = fmt.Fprintf(conn.out, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return err
}

func (conn *connection) request(method string, params, result any) error {
	answers := make(chan incoming, 1)
	conn.mutex.Lock()
	conn.last++
	id := conn.last
	conn.answers[strconv.Itoa(id)] = answers
	conn.mutex.Unlock()
	if err := conn.send(rpcMessage{ID: id, Method: method, Params: params}); err != nil {
		return err
	}
	answer := <-answers
	if answer.Error != nil {
		return &PluginError{answer.Error.Data.Code, answer.Error.Message, answer.Error.Data.Hint}
	}
	return json.Unmarshal(answer.Result, result)
}

func read(in *bufio.Reader) (incoming, error) {
	var message incoming
	header, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return message, err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return message, err
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return message, err
	}
	return message, json.Unmarshal(body, &message)
}

// serve serves the plugin, which `create` makes of its options, until the host ends it. Each call runs in its own goroutine.
func serve[Options any](create func(options Options) map[string]method) {
	// The host handles these, and may still need the plugin to thaw.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	conn := &connection{out: os.Stdout, answers: map[string]chan incoming{}, running: map[string]context.CancelFunc{}}
	// What is printed must not get between the messages.
	os.Stdout = os.Stderr
	var start Initialize
	var methods map[string]method
	in := bufio.NewReader(os.Stdin)
	for {
		message, err := read(in)
		if err != nil {
			os.Exit(0)
		}
		switch {
		case message.Method == "":
			conn.mutex.Lock()
			answers := conn.answers[string(message.ID)]
			delete(conn.answers, string(message.ID))
			conn.mutex.Unlock()
			if answers != nil {
				answers <- message
			}
		case message.Method == "initialize":
			var options struct{ Options Options }
			if err = json.Unmarshal(message.Params, &start); err == nil {
				err = json.Unmarshal(message.Params, &options)
			}
			if err == nil {
				methods = create(options.Options)
			}
			names := List[string]{}
			for name := range methods {
				names = append(names, name)
			}
			conn.answer(message.ID, Initialized{names}, err)
		case message.Method == "$/cancelRequest":
			var params struct{ ID json.RawMessage }
			_ = json.Unmarshal(message.Params, &params)
			conn.mutex.Lock()
			cancel := conn.running[string(params.ID)]
			conn.mutex.Unlock()
			if cancel != nil {
				cancel()
			}
		case methods[message.Method] == nil:
			if message.ID != nil {
				failure := &rpcError{Code: methodNotFound, Message: "unknown method " + message.Method}
				conn.send(rpcMessage{ID: message.ID, Error: failure})
			}
		default:
			conn.start(start, methods[message.Method], message)
		}
	}
}

func (conn *connection) start(start Initialize, call method, message incoming) {
	var params struct{ Context CallContext }
	_ = json.Unmarshal(message.Params, &params)
	limit := time.Duration(params.Context.LimitMs) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	conn.mutex.Lock()
	conn.running[string(message.ID)] = cancel
	conn.mutex.Unlock()
	go func() {
		defer cancel()
		result, err := guarded(call, message.Params, &Context{ctx, start, params.Context.Call, conn})
		conn.mutex.Lock()
		delete(conn.running, string(message.ID))
		conn.mutex.Unlock()
		conn.answer(message.ID, result, err)
	}()
}

// guarded calls the method. A panic is an error of this call.
func guarded(call method, params json.RawMessage, ctx *Context) (result any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicked{cause, string(debug.Stack())}
		}
	}()
	return call(params, ctx)
}

type panicked struct {
	cause any
	stack string
}

func (err *panicked) Error() string { return fmt.Sprintf("panic: %v", err.cause) }

func (conn *connection) answer(id json.RawMessage, result any, err error) {
	if err == nil {
		if result == nil {
			result = json.RawMessage("null")
		}
		if err = conn.send(rpcMessage{ID: id, Result: result}); err == nil {
			return
		}
	}
	failure := &rpcError{Code: applicationError, Message: err.Error()}
	var known *PluginError
	var panic *panicked
	switch {
	case errors.Is(err, context.Canceled):
		failure.Code = requestCancelled
	case errors.As(err, &known):
		failure.Data = ErrorData{Code: known.Code, Hint: known.Hint}
	case errors.As(err, &panic):
		failure.Data = ErrorData{Stack: panic.stack}
	}
	conn.send(rpcMessage{ID: id, Error: failure})
}
